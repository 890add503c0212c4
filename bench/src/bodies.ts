// What large bodies cost: the broker on our transport beside the same broker on libzmq, from a hundred bytes to a megabyte.
import type { Benchmark, Measured } from './benchmark.ts';
import { compilePeers } from './c-programs.ts';
import { exchange } from './exchange.ts';
import { summaryOf, type LoadResult } from './load-result.ts';
import { bytesText, decimal, ratio, whole } from './numbers.ts';
import { inRounds } from './rounds.ts';
import { onZeromq, onZmtp, zmqProxy, type System } from './systems.ts';

const bodySizes = [100, 1000, 10_000, 100_000, 1_000_000] as const;
const systems = [onZmtp, onZeromq, zmqProxy] as const;
const load = { clients: 1, window: 16, workers: 4, capacity: 64 } as const;

const caseName = (system: System, bodyBytes: number): string => `${bytesText(bodyBytes)}: ${system.name}`;

export const bodies: Benchmark = {
  summary: 'bodies from 100 B to 1 MB: our broker on its own transport beside the same on libzmq',
  rounds: 3,
  seconds: 0.5,
  async run(options) {
    const programs = compilePeers(options.folder);
    const results = await inRounds(options, bodySizes.flatMap((bodyBytes) => systems.map((system) => ({
      name: caseName(system, bodyBytes),
      measure: () => exchange(system, { ...load, bodyBytes }, programs, options),
      show: ({ warm, lost }: LoadResult) => `${whole(warm.requests / warm.seconds)} requests/s, ${lost} lost`,
    }))));
    return shown((system, bodyBytes) => summaryOf(results.get(caseName(system, bodyBytes)) ?? []));
  },
};

function shown(of: (system: System, bodyBytes: number) => ReturnType<typeof summaryOf>): Measured {
  /** Of the bodies, one way. */
  const megabytes = (system: System, bodyBytes: number): number => ((of(system, bodyBytes)?.perSecond ?? 0) * bodyBytes) / 1e6;
  return {
    tables: [{
      heads: ['body', 'zmtp, requests/s', 'MB/s', 'zeromq, requests/s', 'MB/s', 'zmtp of zeromq', 'zmtp of zmq_proxy', 'lost'],
      rows: bodySizes.map((bodyBytes) => {
        const [zmtp, zeromq, proxy] = [of(onZmtp, bodyBytes), of(onZeromq, bodyBytes), of(zmqProxy, bodyBytes)];
        return [
          bytesText(bodyBytes), whole(zmtp?.perSecond), decimal(megabytes(onZmtp, bodyBytes), 1), whole(zeromq?.perSecond), decimal(megabytes(onZeromq, bodyBytes), 1),
          ratio(zmtp?.perSecond, zeromq?.perSecond), ratio(zmtp?.perSecond, proxy?.perSecond), whole((zmtp?.lost ?? 0) + (zeromq?.lost ?? 0)),
        ];
      }),
    }],
    plots: [{
      name: 'bodies',
      title: `Bodies through the broker (1 client, ${load.window} in flight, ${load.workers} workers)`,
      x: { label: 'body', scale: 'log', ticks: bodySizes, format: bytesText },
      y: { label: 'MB/s of bodies, one way', scale: 'log', format: (value) => value.toLocaleString('en') },
      series: systems.map((system) => ({ name: system.name, points: bodySizes.map((bodyBytes) => [bodyBytes, megabytes(system, bodyBytes)] as const) })),
    }],
  };
}
