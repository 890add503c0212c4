// Whether a measured value grows: the slope of Theil and Sen, the median of the slopes between all pairs of points, which outliers
// (a burst, a collection of garbage) do not move; with the bounds that Sen gave for it by Kendall's statistic. Pure.

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export interface Slope {
  /** Per hour. */
  readonly perHour: number;
  /** The bounds of 95 %, per hour. */
  readonly low: number;
  readonly high: number;
  /** The median of the values. */
  readonly median: number;
}

/** So many points at most go into a slope, each the median of those that it stands for: neighbours are no independent witnesses. */
const mostPoints = 120;
const leastPoints = 4;
const hourMs = 3_600_000;
/** Of the normal distribution, for 95 %. */
const quantile = 1.96;

/** Undefined of too few points. */
export function slopeOf(points: readonly Point[]): Slope | undefined {
  const used = thin(points);
  if (used.length < leastPoints) return undefined;
  const slopes = used.flatMap((one, index) => used.slice(index + 1).map((other) => ((other.value - one.value) / (other.atMs - one.atMs)) * hourMs)).sort(ascending);
  const count = used.length;
  const spread = quantile * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  const at = (index: number): number => slopes[Math.min(slopes.length - 1, Math.max(0, index))] ?? 0;
  return {
    perHour: medianOfSorted(slopes),
    low: at(Math.floor((slopes.length - spread) / 2)),
    high: at(Math.ceil((slopes.length + spread) / 2)),
    median: median(used.map(({ value }) => value)),
  };
}

/** Without the warm-up: the first part of the time, in which caches fill and code is compiled. */
export function afterWarmUp(points: readonly Point[], part = 0.25): Point[] {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return [];
  const fromMs = first.atMs + (last.atMs - first.atMs) * part;
  return points.filter(({ atMs }) => atMs >= fromMs);
}

/** So many floors at most: between two collections of garbage minutes may pass. */
const mostFloors = 40;

/** The lowest value of each stretch of time: what a collector of garbage leaves, without what it has not looked at yet. */
export function floorsOf(points: readonly Point[]): Point[] {
  return grouped(points, mostFloors).map((group) => group.reduce((lowest, point) => (point.value < lowest.value ? point : lowest)));
}

export type Verdict = 'steady' | 'GROWS' | 'too short to tell';

/** What may grow without being called so: in an hour, and by the end of what was measured. */
export interface Tolerance {
  readonly perHour: number;
  readonly inAll: number;
}

/**
 * It grows if that is certain (the lower bound of 95 % is above 0) and matters: more than is tolerated. What was measured for less
 * than `leastMs` is no more than a guess about an hour.
 */
export function verdictOf(slope: Slope | undefined, spanMs: number, tolerated: Tolerance, leastMs = 5 * 60_000): Verdict {
  if (slope === undefined || spanMs < leastMs) return 'too short to tell';
  const inAll = (slope.perHour * spanMs) / hourMs;
  return slope.low > 0 && slope.perHour > tolerated.perHour && inAll > tolerated.inAll ? 'GROWS' : 'steady';
}

export function median(values: readonly number[]): number {
  return medianOfSorted([...values].sort(ascending));
}

/** The value below which this part of the values lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort(ascending);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function medianOfSorted(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

function thin(points: readonly Point[]): Point[] {
  return grouped(points, mostPoints).map((group) => ({ atMs: median(group.map(({ atMs }) => atMs)), value: median(group.map(({ value }) => value)) }));
}

/** Neighbours together, in so many groups of one size at most; what is left over at the end is left out. */
function grouped(points: readonly Point[], most: number): Point[][] {
  const size = Math.max(1, Math.ceil(points.length / most));
  return Array.from({ length: Math.floor(points.length / size) }, (_none, index) => points.slice(index * size, (index + 1) * size));
}

function ascending(a: number, b: number): number {
  return a - b;
}
