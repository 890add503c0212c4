import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('the wait doubles from half a second to 15 seconds, and a quarter of it is random', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => backoffMs(failures, () => 1))).toEqual([0, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  expect(backoffMs(2, () => 0)).toBe(750);
});
