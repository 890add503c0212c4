// How the number of workers of one service changes what goes through the broker.
import type { Benchmark, Measured } from './benchmark.ts';
import { compilePeers } from './c-programs.ts';
import { exchange, type Load } from './exchange.ts';
import { summaryOf, type LoadResult } from './load-result.ts';
import { whole } from './numbers.ts';
import { inRounds } from './rounds.ts';
import { onZeromq, onZmtp, zmqProxy, type System } from './systems.ts';

const workerCounts = [1, 2, 4, 8, 16, 32, 64, 128] as const;
const load = { clients: 16, window: 16 } as const;

interface Curve {
  readonly name: string;
  readonly system: System;
  readonly capacity: Load['capacity'];
}

const curves: readonly Curve[] = [
  { name: 'zmtp, capacity 64', system: onZmtp, capacity: 64 },
  { name: 'zmtp, capacity 1', system: onZmtp, capacity: 1 },
  { name: 'zeromq, capacity 64', system: onZeromq, capacity: 64 },
  { name: 'zmq_proxy', system: zmqProxy, capacity: 1 },
];

const caseName = ({ name }: Curve, workers: number): string => `${workers} workers: ${name}`;

export const workers: Benchmark = {
  summary: 'throughput over the number of workers, from 1 to 128',
  rounds: 2,
  seconds: 0.4,
  async run(options) {
    const programs = compilePeers(options.folder);
    const results = await inRounds(options, workerCounts.flatMap((count) => curves.map((curve) => ({
      name: caseName(curve, count),
      measure: () => exchange(curve.system, { ...load, workers: count, capacity: curve.capacity }, programs, options),
      show: ({ warm, lost }: LoadResult) => `${whole(warm.requests / warm.seconds)} requests/s, ${lost} lost`,
    }))));
    return shown((curve, count) => summaryOf(results.get(caseName(curve, count)) ?? []));
  },
};

function shown(of: (curve: Curve, workers: number) => ReturnType<typeof summaryOf>): Measured {
  return {
    tables: [{
      heads: ['workers', ...curves.map(({ name }) => `${name}, requests/s`), 'lost'],
      rows: workerCounts.map((count) => [
        String(count), ...curves.map((curve) => whole(of(curve, count)?.perSecond)), whole(curves.reduce((sum, curve) => sum + (of(curve, count)?.lost ?? 0), 0)),
      ]),
    }],
    plots: [{
      name: 'workers',
      title: `Requests through the broker (${load.clients} clients × ${load.window} in flight, bodies of 100 B)`,
      x: { label: 'workers', scale: 'log', ticks: workerCounts, format: String },
      y: { label: 'requests/s', scale: 'log', format: whole },
      series: curves.map((curve) => ({ name: curve.name, points: workerCounts.map((count) => [count, of(curve, count)?.perSecond ?? 0] as const) })),
    }],
  };
}
