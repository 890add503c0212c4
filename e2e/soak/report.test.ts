import { expect, it } from 'vitest';
import { reportOf } from './report.ts';
import type { Series } from './samples.ts';
import type { Point } from './slope.ts';

const line = (from: number, perHour: number): Point[] => Array.from({ length: 1800 }, (_none, second) => ({ atMs: second * 1000, value: from + (perHour * second) / 3600 }));
const steady: Series = { resident: line(100, 0), anonymous: line(50, 0), heap: line(20, 0), handles: line(30, 0), threads: line(7, 0) };

it.each<[string, Partial<Series>, boolean]>([
  ['what stays as it is', {}, false],
  ['a heap that grows', { heap: line(20, 4) }, true],
  ['handles that grow', { handles: line(30, 6) }, true],
  ['a thread of Node, or native memory, that grows beside the heap', { anonymous: line(50, 120) }, true],
  ['pages that Node takes its time with', { anonymous: line(50, 20) }, false],
  ['files that are read into memory', { resident: line(100, 200) }, false],
  ['one that is no Node and grows', { heap: [], anonymous: line(9, 20) }, true],
])('of %s the report says so', (_what, series, leaks) => {
  const report = reportOf(new Map([['dbmanager', { ...steady, ...series }]]), new Map(), new Map());
  expect(report.leaks).toBe(leaks);
  expect(report.text).toMatch(leaks ? /GROWS/ : /steady/);
});
