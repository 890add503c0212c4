// What is best of several rounds, and what must not be lost in it.
import { describe, expect, it } from 'vitest';
import { readLoadResult, summaryOf, type LoadResult } from './load-result.ts';

function result(coldRequests: number, warmRequests: number, p50Us: number, faults: Partial<LoadResult> = {}): LoadResult {
  const part = { seconds: 2, p50Us, p99Us: 10 * p50Us, brokerUs: 4000 };
  return { sent: coldRequests + warmRequests, lost: 0, repeated: 0, foreign: 0, wrong: 0, cold: { ...part, requests: coldRequests }, warm: { ...part, requests: warmRequests }, ...faults };
}

describe('the summary of several rounds', () => {
  it('takes the warm numbers from the round of the highest rate, also where another one had a better time', () => {
    expect(summaryOf([result(10, 100, 5), result(30, 400, 7), result(20, 200, 3)])).toEqual({ perSecond: 200, coldPerSecond: 15, p50Us: 7, p99Us: 70, brokerUs: 10, lost: 0 });
  });

  it('counts what was lost, repeated, foreign or wrong in every round', () => {
    expect(summaryOf([result(1, 1, 1, { lost: 1, repeated: 2 }), result(1, 9, 1, { foreign: 4, wrong: 8 })])?.lost).toBe(15);
  });

  it('is none where nothing was measured', () => {
    expect(summaryOf([])).toBeUndefined();
  });
});

describe('what a generator prints', () => {
  it('is read as it is', () => {
    expect(readLoadResult(`${JSON.stringify(result(1, 2, 3))}\n`)).toEqual(result(1, 2, 3));
  });

  it.each(['', '{}', JSON.stringify({ ...result(1, 2, 3), lost: -1 }), JSON.stringify({ ...result(1, 2, 3), warm: { ...result(1, 2, 3).warm, seconds: 0 } })])('is refused where it is no result: %s', (text) => {
    expect(() => readLoadResult(text)).toThrow(/^what the generator printed is no result/);
  });
});
