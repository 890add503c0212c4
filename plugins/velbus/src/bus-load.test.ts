import { expect, it } from 'vitest';
import { BusLoad } from './bus-load.ts';
import type { Frame } from './frame.ts';

const frame: Frame = { priority: 'low', address: 1, rtr: false, data: new Uint8Array(8) };

it('the load is the share of the last 10 seconds that frames took of 16.6 kbit/s', () => {
  const load = new BusLoad();
  expect(load.percent(0)).toBe(0);
  // 111 bits each: 748 of them are half of what fits.
  for (let count = 0; count < 748; count++) load.add(frame, 1000 + count);
  expect(load.percent(2000)).toBe(50);
  expect(load.percent(10_999)).toBe(50);
  expect(load.percent(12_000)).toBe(0);
});

it('a load that cannot be is told as 100 percent', () => {
  const load = new BusLoad();
  for (let count = 0; count < 3000; count++) load.add(frame, 500);
  expect(load.percent(600)).toBe(100);
});
