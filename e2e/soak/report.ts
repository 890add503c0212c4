// What a soak found, as tables for a person. Pure: samples in, text out.
import type { Series } from './samples.ts';
import { afterWarmUp, floorsOf, slopeOf, verdictOf, type Point, type Tolerance, type Verdict } from './slope.ts';

/** What a garbage collector, or a machine that is busy with other things, leaves to chance. */
const tolerated = {
  memoryMiB: { perHour: 5, inAll: 3 },
  /** The pages of Node, which gives them back when it likes, and takes some for longer than the warm-up. */
  pagesMiB: { perHour: 40, inAll: 30 },
  heapMiB: { perHour: 3, inAll: 0.5 },
  handles: { perHour: 2, inAll: 1 },
  latencyPercent: { perHour: 25, inAll: 25 },
} as const;

export interface Report {
  readonly text: string;
  /** Whether memory or handles of any process grow. */
  readonly leaks: boolean;
}

export function reportOf(processes: ReadonlyMap<string, Series>, p50: ReadonlyMap<string, readonly Point[]>, p99: ReadonlyMap<string, readonly Point[]>): Report {
  let leaks = false;
  const judged = (points: readonly Point[], limit: Tolerance, thinned = (all: readonly Point[]) => all) => {
    const used = afterWarmUp(points);
    const slope = slopeOf(thinned(used));
    return { slope, verdict: verdictOf(slope, (used.at(-1)?.atMs ?? 0) - (used[0]?.atMs ?? 0), limit) };
  };
  const processRows = [...processes].map(([name, { resident, anonymous, heap, handles, threads }]) => {
    const isNode = heap.length > 0;
    const [ofMemory, ofHeap, ofHandles] = [judged(anonymous, isNode ? tolerated.pagesMiB : tolerated.memoryMiB, floorsOf), judged(heap, tolerated.heapMiB), judged(handles, tolerated.handles)];
    // The heap is that of the main thread; other threads, buffers and native memory are seen by the pages alone.
    const verdict = worst(ofMemory.verdict, ...(isNode ? [ofHeap.verdict] : []), ofHandles.verdict);
    leaks ||= verdict === 'GROWS';
    return [
      name, number(resident.at(-1)?.value, 1), number(anonymous.at(-1)?.value, 1), number(ofMemory.slope?.perHour, 1), range(ofMemory.slope),
      number(heap.at(-1)?.value, 1), number(ofHeap.slope?.perHour, 1), number(handles.at(-1)?.value, 0),
      number(ofHandles.slope?.perHour, 1), number(threads.at(-1)?.value, 0), verdict,
    ];
  });
  const latencyRows = [...p50].map(([kind, points]) => {
    const percent = (series: readonly Point[]) => {
      const base = slopeOf(afterWarmUp(series))?.median ?? 0;
      return judged(base === 0 ? [] : series.map(({ atMs, value }) => ({ atMs, value: (100 * value) / base })), tolerated.latencyPercent);
    };
    const [ofP50, ofP99] = [percent(points), percent(p99.get(kind) ?? [])];
    return [kind, number(points.at(-1)?.value, 2), number(ofP50.slope?.perHour, 0), number(p99.get(kind)?.at(-1)?.value, 2), number(ofP99.slope?.perHour, 0), ofP50.verdict];
  });
  return {
    leaks,
    text: [
      table(['PROCESS', 'RSS MiB', 'ANON MiB', 'MiB/h', '95 %', 'HEAP MiB', 'MiB/h', 'HANDLES', '/h', 'THREADS', 'VERDICT'], processRows),
      table(['CALLS', 'p50 ms', '%/h', 'p99 ms', '%/h', 'VERDICT (p50)'], latencyRows),
    ].join('\n\n'),
  };
}

function worst(...verdicts: readonly Verdict[]): Verdict {
  return verdicts.find((verdict) => verdict === 'GROWS') ?? verdicts.find((verdict) => verdict !== 'steady') ?? 'steady';
}

function range(slope: { readonly low: number; readonly high: number } | undefined): string {
  return slope === undefined ? '–' : `${slope.low.toFixed(1)} … ${slope.high.toFixed(1)}`;
}

function number(value: number | undefined, digits: number): string {
  return value === undefined ? '–' : value.toFixed(digits);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_name, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')).join('\n');
}
