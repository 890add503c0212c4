// A curve that is drawn wrongly looks as right as any other.
import { array, assert, constantFrom, double, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeOn, plotSvg, roundTicks, type Plot } from './plot.ts';

describe('a scale', () => {
  it('places values evenly by difference where it is linear, by ratio where it is logarithmic', () => {
    expect([0, 5, 10].map(placeOn('linear', [0, 10], [100, 200]))).toEqual([100, 150, 200]);
    expect([1, 10, 100].map(placeOn('log', [1, 100], [200, 100]))).toEqual([200, 150, 100]);
  });

  it.each([
    { scale: 'linear', values: [3, 41], ticks: [0, 10, 20, 30, 40, 50] },
    { scale: 'linear', values: [283_000], ticks: [0, 50_000, 100_000, 150_000, 200_000, 250_000, 300_000] },
    { scale: 'log', values: [7, 42], ticks: [5, 10, 20, 50] },
    { scale: 'log', values: [100, 100], ticks: [100, 200] },
    { scale: 'log', values: [999_999_999.9999979, 1e9], ticks: [500_000_000, 1_000_000_000] },
    { scale: 'log', values: [3, 1_200_000], ticks: [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000] },
  ] as const)('has round ticks: $scale, $values', ({ scale, values, ticks }) => {
    expect(roundTicks(scale, values)).toEqual(ticks);
  });

  it('encloses every value between its ticks, of which there are few', () => {
    assert(property(constantFrom('linear', 'log'), array(double({ min: 1e-3, max: 1e9, noNaN: true }), { minLength: 2 }), (scale, values) => {
      const ticks = roundTicks(scale, values);
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks.length).toBeLessThan(16);
      expect(ticks[0]).toBeLessThanOrEqual(Math.min(...values));
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(Math.max(...values) * (1 - 1e-9));
      expect(ticks).toEqual(ticks.toSorted((one, other) => one - other));
    }));
  });
});

describe('a plot', () => {
  const plot: Plot = {
    name: 'curves',
    title: 'a < b & "c"',
    x: { label: 'x', scale: 'log', ticks: [1, 100], format: String },
    y: { label: 'y', scale: 'linear', ticks: [0, 10], format: String },
    series: [{ name: 'one', points: [[1, 0], [10, 5], [100, 10]] }, { name: 'other', points: [[1, 10], [100, 0]] }],
  };

  it('draws each curve from corner to corner of its frame, where its values do so', () => {
    expect(plotSvg(plot)).toContain('<path class="line line0" d="M84 360L414 218L744 76"/>');
    expect(plotSvg(plot)).toContain('<path class="line line1" d="M84 76L744 360"/>');
  });

  it('escapes what a text may hold', () => {
    expect(plotSvg(plot)).toContain('>a &lt; b &amp; &quot;c&quot;</text>');
  });
});
