// The verdict of the health gate, by what the manager tells and by the clock alone.
import { describe, expect, it } from 'vitest';
import { demandOf, Health, type Demand, type Seen, type Verdict } from './health.ts';

const limits = { timeoutMs: 10_000, calmMs: 2000 };
const running: Seen = { state: 'running', pid: 7, restarts: 0, autostart: true, reason: '', lastError: '' };
const waiting: Seen = { ...running, state: 'not-ready', reason: 'the device does not answer' };
const ended: Seen = { ...running, state: 'backoff', pid: null, lastError: 'exit code 3' };

/** The verdicts for what is seen at these times. */
function verdicts(demand: Demand, ...seen: readonly (readonly [nowMs: number, seen: Seen | undefined])[]): Verdict[] {
  const health = new Health(demand, limits, 0);
  return seen.map(([nowMs, one]) => health.judge(one, nowMs));
}

const open = { is: 'open' };
const well = { is: 'well' };

describe('a version whose former one ran', () => {
  it('is well when it has run for the calm time', () => {
    expect(verdicts('running', [100, { ...running, state: 'starting' }], [200, running], [2199, running], [2200, running])).toEqual([open, open, open, well]);
  });

  it('is ill when it ends, at once or in the calm time', () => {
    const ill = { is: 'ill', reason: 'ended: exit code 3' };
    expect(verdicts('running', [100, ended])).toEqual([ill]);
    expect(verdicts('running', [100, running], [1000, { ...running, restarts: 1, pid: 8, lastError: 'exit code 3' }])).toEqual([open, ill]);
  });

  it('is ill when it only waits until the bound, and says for what', () => {
    expect(verdicts('running', [100, waiting], [9999, waiting], [10_000, waiting])).toEqual([open, open, { is: 'ill', reason: 'was not ready within 10 s: the device does not answer' }]);
  });

  it('has its calm time beyond the bound, when it was ready before', () => {
    expect(verdicts('running', [9900, running], [10_100, running], [11_900, running])).toEqual([open, open, well]);
    expect(verdicts('running', [9900, running], [10_100, waiting])).toEqual([open, { is: 'ill', reason: 'was not ready within 10 s: the device does not answer' }]);
  });

  it('is calm anew as another process, which a new manager or a person has started', () => {
    expect(verdicts('running', [0, running], [1900, { ...running, pid: 8 }], [2000, { ...running, pid: 8 }], [3900, { ...running, pid: 8 }])).toEqual([open, open, open, well]);
  });

  it('is not judged while the manager does not answer, and ill if that lasts until the bound', () => {
    expect(verdicts('running', [0, running], [1900, undefined], [2500, running], [4500, running])).toEqual([open, open, open, well]);
    expect(verdicts('running', [0, undefined], [10_000, undefined])).toEqual([open, { is: 'ill', reason: 'was not ready within 10 s: the manager did not answer' }]);
  });

  it('is left alone when a person stops it; a manager that has not started it yet is waited for', () => {
    const stopped: Seen = { ...running, state: 'stopped', pid: null };
    expect(verdicts('running', [0, running], [100, { ...stopped, autostart: false }])).toEqual([open, { is: 'left' }]);
    expect(verdicts('running', [0, stopped], [100, running], [2100, running])).toEqual([open, open, well]);
  });
});

describe('a version whose former one waited', () => {
  it('is well when it waits, too, without an end', () => {
    expect(verdicts('calm', [0, waiting], [2000, waiting])).toEqual([open, well]);
    expect(verdicts('calm', [0, waiting], [1000, running], [2000, running])).toEqual([open, open, well]);
  });

  it('is ill when it ends', () => {
    expect(verdicts('calm', [0, waiting], [1000, ended])).toEqual([open, { is: 'ill', reason: 'ended: exit code 3' }]);
  });
});

describe('what is asked of a new version', () => {
  it.each([
    ['running', 'running'], ['not-ready', 'calm'], ['starting', 'calm'], ['backoff', 'restart'], ['failed', 'restart'], ['stopped', 'none'], ['stopping', 'none'],
  ] as const)('follows from the former one that was %s: %s', (state, demand) => {
    expect(demandOf(state)).toBe(demand);
  });
});
