import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff, reconnectBackoff } from './backoff.ts';

const waits = (backoff: Backoff, count: number): number[] => Array.from({ length: count }, () => backoff.nextMs());

describe('W1: backoff', () => {
  it('doubles from 100 ms to 2 s', () => {
    expect(reconnectBackoff).toEqual({ firstMs: 100, limitMs: 2000 });
    expect(waits(new Backoff(() => 1), 7)).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
  });

  it('has jitter of half of each step', () => {
    expect(waits(new Backoff(() => 0), 7)).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
    expect(new Backoff(() => 0.5).nextMs()).toBe(75);
  });

  it('begins anew after a reset', () => {
    const backoff = new Backoff(() => 1);
    waits(backoff, 5);
    backoff.reset();
    expect(waits(backoff, 2)).toEqual([100, 200]);
  });

  it('stays within its limits, whatever the randomness', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 }), (numbers) => {
      const rest = [...numbers];
      const backoff = new Backoff(() => rest.shift() ?? 0);
      for (const waitMs of waits(backoff, numbers.length)) {
        expect(waitMs).toBeGreaterThanOrEqual(50);
        expect(waitMs).toBeLessThanOrEqual(2000);
      }
    }));
  });
});
