import { describe, expect, it } from 'vitest';
import { Random } from '../src/random.ts';
import { afterWarmUp, floorsOf, median, percentile, slopeOf, verdictOf, type Point } from './slope.ts';

const hourMs = 3_600_000;

/** One point a second of what begins at 100 and grows by so much an hour, with noise and, now and then, a burst. */
function measured({ perHour, noise = 0, bursts = 0, seconds = 1800, seed = 1 }: { perHour: number; noise?: number; bursts?: number; seconds?: number; seed?: number }): Point[] {
  const random = new Random(seed);
  return Array.from({ length: seconds }, (_none, second) => {
    const burst = random.next() < bursts ? 500 : 0;
    return { atMs: second * 1000, value: 100 + (perHour * second * 1000) / hourMs + noise * (random.next() - 0.5) + burst };
  });
}

describe('a slope', () => {
  it.each([0, 12, -30])('of a straight line is that of the line (%d an hour)', (perHour) => {
    const slope = slopeOf(measured({ perHour }));
    expect(slope?.perHour).toBeCloseTo(perHour, 6);
    expect(slope?.low).toBeCloseTo(perHour, 6);
  });

  it('is not moved by bursts', () => {
    expect(slopeOf(measured({ perHour: 12, bursts: 0.1 }))?.perHour).toBeCloseTo(12, 0);
  });

  it('of noise has bounds on both sides of nothing, in nearly all cases', () => {
    const bounds = Array.from({ length: 20 }, (_none, seed) => slopeOf(measured({ perHour: 0, noise: 20, seed })));
    expect(bounds.filter((slope) => slope !== undefined && slope.low <= 0 && slope.high >= 0).length).toBeGreaterThanOrEqual(17);
  });

  it('is none of too few points', () => {
    expect(slopeOf([])).toBeUndefined();
    expect(slopeOf(measured({ perHour: 1, seconds: 3 }))).toBeUndefined();
  });
});

describe('the verdict', () => {
  const verdict = (points: readonly Point[]): string => verdictOf(slopeOf(points), (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0), { perHour: 5, inAll: 3 });

  it('finds a leak in noise and bursts', () => {
    expect(verdict(measured({ perHour: 40, noise: 10, bursts: 0.05 }))).toBe('GROWS');
  });

  it('calls steady what only shakes, grows less than is tolerated, or shrinks', () => {
    expect(verdict(measured({ perHour: 0, noise: 20, bursts: 0.05 }))).toBe('steady');
    expect(verdict(measured({ perHour: 2 }))).toBe('steady');
    expect(verdict(measured({ perHour: 12, seconds: 600 }))).toBe('steady');
    expect(verdict(measured({ perHour: 12, seconds: 1800 }))).toBe('GROWS');
    expect(verdict(measured({ perHour: -40 }))).toBe('steady');
  });

  it('says nothing of a short run', () => {
    expect(verdict(measured({ perHour: 40, seconds: 60 }))).toBe('too short to tell');
    expect(verdict([])).toBe('too short to tell');
  });
});

describe('the floors', () => {
  /** Memory that grows until garbage is collected, each time later. */
  const lazy = (leakPerHour: number): Point[] => measured({ perHour: leakPerHour, seconds: 3600 }).map(({ atMs, value }, second) => ({ atMs, value: value + (second % 80) * (1 + second / 1000) }));

  it('do not rise with a collector that grows lazy, and do with a leak', () => {
    expect(slopeOf(lazy(0))?.perHour).toBeGreaterThan(50);
    expect(Math.abs(slopeOf(floorsOf(lazy(0)))?.perHour ?? Infinity)).toBeLessThan(5);
    expect(slopeOf(floorsOf(lazy(40)))?.perHour).toBeGreaterThan(35);
  });

  it('of nothing are none', () => {
    expect(floorsOf([])).toEqual([]);
  });
});

it('the warm-up is cut off', () => {
  const warming = measured({ perHour: 0, seconds: 100 }).map((point, index) => (index < 25 ? { ...point, value: index } : point));
  expect(slopeOf(afterWarmUp(warming))?.perHour).toBe(0);
  expect(afterWarmUp(warming)).toHaveLength(75);
  expect(afterWarmUp([])).toEqual([]);
});

it('a median and a percentile are those of the values, in whatever order', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBe(0);
  expect(percentile([5, 1, 4, 2, 3], 0.99)).toBe(5);
  expect(percentile(Array.from({ length: 100 }, (_none, index) => index), 0.5)).toBe(50);
});
