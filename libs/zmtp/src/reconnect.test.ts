import { describe, expect, it } from 'vitest';
import { reconnectPauseMs } from './reconnect.ts';

const pauses = { first: 100, longest: 2000 };

describe('the pause before a DEALER connects again', () => {
  it('is twice as long after each try, within its limit', () => {
    expect([0, 1, 2, 3, 4, 5, 6].map((attempt) => reconnectPauseMs(attempt, pauses, 1))).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
    expect(reconnectPauseMs(5000, pauses, 1)).toBe(2000);
  });

  it('varies between half and the whole, at its limit too', () => {
    expect([0, 0.5, 1].map((random) => reconnectPauseMs(0, pauses, random))).toEqual([50, 75, 100]);
    expect([0, 0.5, 1].map((random) => reconnectPauseMs(20, pauses, random))).toEqual([1000, 1500, 2000]);
  });
});
