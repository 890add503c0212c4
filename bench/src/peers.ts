// What a program in Node gets from the bus: our client and worker on our broker, beside client and worker on zeromq.js as fast as
// they can be made, on a broker on zeromq.js. And what checking the data of a typed call costs.
import type { Benchmark, BenchmarkOptions } from './benchmark.ts';
import { compilePeers, type CPrograms } from './c-programs.ts';
import { readLoadResult, summaryOf, type LoadResult } from './load-result.ts';
import { ratio, whole } from './numbers.ts';
import { nodeProgram, programOutput, startProgram } from './program.ts';
import { inRounds } from './rounds.ts';
import { onZmtp, zeromqJs, type System } from './systems.ts';
import type { Table } from './table.ts';

interface Load {
  readonly name: string;
  readonly window: number;
  readonly workers: number;
  readonly capacity: 1 | 64;
}

const lockStep: Load = { name: 'lock-step: 1 client, 1 worker, capacity 1', window: 1, workers: 1, capacity: 1 };
const inFlight: Load = { name: '1 client, 1000 in flight, 4 workers, capacity 64', window: 1000, workers: 4, capacity: 64 };

interface Contender {
  readonly name: string;
  readonly system: System;
  readonly kind: 'bus' | 'zeromq';
  readonly way: 'request' | 'call';
}

const base: Contender = { name: 'zeromq.js peers and broker', system: zeromqJs, kind: 'zeromq', way: 'request' };
const raw: Contender = { name: 'ours: client.request', system: onZmtp, kind: 'bus', way: 'request' };
const contenders: readonly Contender[] = [
  base,
  raw,
  { name: 'ours: client.call, schemas at both ends', system: onZmtp, kind: 'bus', way: 'call' },
];

const spareMs = 60_000;
const caseName = (load: Load, { name }: Contender): string => `${load.name}: ${name}`;

export const peers: Benchmark = {
  summary: 'our client and worker on our broker, beside those of zeromq.js; a typed call beside an unchecked request',
  rounds: 3,
  seconds: 0.8,
  async run(options) {
    const programs = compilePeers(options.folder);
    const cases = [lockStep, inFlight].flatMap((load) => contenders.map((contender) => ({
      name: caseName(load, contender),
      measure: () => measure(contender, load, programs, options),
      show: ({ warm, lost }: LoadResult) => `${whole(warm.requests / warm.seconds)} requests/s, p50 ${whole(warm.p50Us)} µs, ${lost} lost`,
    })));
    const results = await inRounds(options, cases);
    return { tables: [lockStep, inFlight].map((load) => tableOf(load, results)) };
  },
};

async function measure({ system, kind, way }: Contender, { window, workers, capacity }: Load, programs: CPrograms, { folder, seconds, coldRequests }: BenchmarkOptions): Promise<LoadResult> {
  await using broker = await system.start(folder, programs);
  const program = (name: string, args: Readonly<Record<string, number>>): string[] =>
    nodeProgram(`../peers/${kind}-${name}.ts`, '--endpoint', broker.clients, '--way', way, ...Object.entries(args).flatMap(([flag, value]) => [`--${flag}`, String(value)]));
  await using _workers = await startProgram(program('worker', { workers, capacity }));
  return readLoadResult(await programOutput(program('client', { window, seconds, 'cold-requests': coldRequests }), 2 * seconds * 1000 + spareMs));
}

function tableOf(load: Load, results: ReadonlyMap<string, readonly LoadResult[]>): Table {
  const of = (contender: Contender): ReturnType<typeof summaryOf> => summaryOf(results.get(caseName(load, contender)) ?? []);
  const [zeromq, request] = [of(base), of(raw)];
  return {
    heads: [load.name, 'requests/s', 'of zeromq.js', 'cold, of zeromq.js', 'of client.request', 'p50 µs', 'p50 of zeromq.js', 'p99 µs', 'lost'],
    rows: contenders.map((contender) => {
      const one = of(contender);
      return [
        contender.name, whole(one?.perSecond), ratio(one?.perSecond, zeromq?.perSecond), ratio(one?.coldPerSecond, zeromq?.coldPerSecond),
        contender === base ? '–' : ratio(one?.perSecond, request?.perSecond), whole(one?.p50Us), ratio(one?.p50Us, zeromq?.p50Us), whole(one?.p99Us), whole(one?.lost),
      ];
    }),
  };
}
