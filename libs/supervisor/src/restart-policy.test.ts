import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restartDefaults, RestartPolicy, type RestartSettings } from './restart-policy.ts';

const settings: RestartSettings = { firstBackoffMs: 100, backoffLimitMs: 1000, jitter: 0, failureLimit: 4, windowMs: 10_000, slowRetryMs: 5000 };
const policyOf = (changes: Partial<RestartSettings> = {}, random = () => 0) => new RestartPolicy({ ...settings, ...changes }, random);

describe('the restart policy', () => {
  it('doubles the pause with each failure, up to the limit', () => {
    const policy = policyOf({ failureLimit: 100 });
    expect([0, 1, 2, 3, 4, 5].map((nowMs) => policy.failure(nowMs, 1).delayMs)).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('takes a random part off the pause, never more than the jitter', () => {
    expect(policyOf({ jitter: 0.25 }, () => 0).failure(0, 1).delayMs).toBe(100);
    expect(policyOf({ jitter: 0.25 }, () => 0.5).failure(0, 1).delayMs).toBe(87.5);
    expect(policyOf({ jitter: 0.25 }, () => 0.999).failure(0, 1).delayMs).toBeCloseTo(75, 0);
  });

  it('calls the process failed at the last failure that the window takes', () => {
    const policy = policyOf();
    expect([0, 1000, 2000, 3000].map((nowMs) => policy.failure(nowMs, 900).state)).toEqual(['backoff', 'backoff', 'backoff', 'failed']);
  });

  it('does not call it failed when the failures are further apart than the window', () => {
    const policy = policyOf();
    const states = Array.from({ length: 20 }, (_, index) => policy.failure(index * 3400, 3300).state);
    expect(new Set(states)).toEqual(new Set(['backoff']));
  });

  it('lets the pause grow although the window is never full', () => {
    const policy = policyOf();
    const delays = Array.from({ length: 6 }, (_, index) => policy.failure(index * 3400, 3300).delayMs);
    expect(delays.at(-1)).toBe(1000);
  });

  it('stays failed and tries slowly, at the same pace for ever, although the window is empty again', () => {
    const policy = policyOf();
    for (const nowMs of [0, 1, 2, 3]) policy.failure(nowMs, 1);
    for (let day = 1; day <= 3; day += 1) expect(policy.failure(day * 86_400_000, 1)).toEqual({ state: 'failed', delayMs: 5000 });
  });

  it('forgives everything after a calm uptime as long as the window', () => {
    const policy = policyOf();
    for (const nowMs of [0, 1, 2, 3]) policy.failure(nowMs, 1);
    expect(policy.failure(20_000, 9999)).toEqual({ state: 'failed', delayMs: 5000 });
    expect(policy.failure(40_000, 10_000)).toEqual({ state: 'backoff', delayMs: 100 });
  });

  it('forgives everything when it is reset', () => {
    const policy = policyOf();
    for (const nowMs of [0, 1, 2, 3]) policy.failure(nowMs, 1);
    policy.reset();
    expect(policy.failure(4, 1)).toEqual({ state: 'backoff', delayMs: 100 });
  });

  it('calls a program failed that hangs at each start, with the defaults', () => {
    const policy = new RestartPolicy(restartDefaults, Math.random);
    let nowMs = 0;
    const states: string[] = [];
    for (let hang = 0; hang < 5; hang += 1) {
      nowMs += 12_000;
      const { state, delayMs } = policy.failure(nowMs, 12_000);
      states.push(state);
      nowMs += delayMs;
    }
    expect(states).toEqual(['backoff', 'backoff', 'backoff', 'backoff', 'failed']);
  });

  it('leaves failed through calm uptime alone, and calls nobody failed who has not ended too often within the window', () => {
    const failures = fc.array(fc.record({ afterMs: fc.nat(200_000), calm: fc.double({ min: 0, max: 1, noNaN: true }) }), { maxLength: 60 });
    fc.assert(fc.property(failures, (all) => {
      const policy = policyOf();
      let nowMs = 0;
      let sinceCalm: number[] = [];
      let was: 'backoff' | 'failed' = 'backoff';
      for (const { afterMs, calm } of all) {
        nowMs += afterMs;
        const isCalm = afterMs * calm >= settings.windowMs;
        sinceCalm = [...(isCalm ? [] : sinceCalm), nowMs];
        const { state } = policy.failure(nowMs, afterMs * calm);
        const inWindow = sinceCalm.filter((atMs) => nowMs - atMs < settings.windowMs).length;
        expect(state).toBe((was === 'failed' && !isCalm) || inWindow >= settings.failureLimit ? 'failed' : 'backoff');
        expect(policy.isOnTrial).toBe(state === 'failed');
        was = state;
      }
    }));
  });

  it('always gives a pause that is positive and within its limits', () => {
    const failures = fc.array(fc.record({ afterMs: fc.nat(200_000), calm: fc.double({ min: 0, max: 1, noNaN: true }) }), { maxLength: 60 });
    fc.assert(fc.property(failures, fc.double({ min: 0, max: 0.999, noNaN: true }), (all, chance) => {
      const policy = new RestartPolicy(restartDefaults, () => chance);
      let nowMs = 0;
      for (const { afterMs, calm } of all) {
        nowMs += afterMs;
        const { state, delayMs } = policy.failure(nowMs, afterMs * calm);
        const limitMs = state === 'failed' ? restartDefaults.slowRetryMs : restartDefaults.backoffLimitMs;
        expect(delayMs).toBeGreaterThan(0);
        expect(delayMs).toBeLessThanOrEqual(limitMs);
      }
    }));
  });
});
