// How fast requests go through the broker, beside libzmq's own proxy and small brokers in C and on zeromq.js. All peers are in C,
// so that the broker is what is measured.
import type { Benchmark } from './benchmark.ts';
import { compilePeers } from './c-programs.ts';
import { exchange, type Load } from './exchange.ts';
import { summaryOf, type LoadResult } from './load-result.ts';
import { decimal, ratio, whole } from './numbers.ts';
import { inRounds, type Case } from './rounds.ts';
import { inC, onZeromq, onZmtp, zeromqJs, zmqProxy, type System } from './systems.ts';
import type { Table } from './table.ts';

interface Scenario extends Omit<Load, 'capacity'> {
  readonly name: string;
  readonly capacities: readonly Load['capacity'][];
}

const scenarios: readonly Scenario[] = [
  { name: 'lock-step: 1 client, 1 worker', clients: 1, window: 1, workers: 1, capacities: [1] },
  { name: '1 client, 100 in flight, 4 workers', clients: 1, window: 100, workers: 4, capacities: [1, 64] },
  { name: '1 client, 1000 in flight, 4 workers', clients: 1, window: 1000, workers: 4, capacities: [1, 64] },
  { name: '16 clients × 16 in flight, 4 workers', clients: 16, window: 16, workers: 4, capacities: [1, 64] },
  { name: '16 clients × 16 in flight, 32 workers', clients: 16, window: 16, workers: 32, capacities: [1, 64] },
];

/** A system with workers of a capacity, which the proxy knows nothing of. */
interface Contender {
  readonly name: string;
  readonly system: System;
  readonly capacity: Load['capacity'];
}

const contendersOf = ({ capacities }: Scenario): Contender[] => [
  { name: zmqProxy.name, system: zmqProxy, capacity: 1 },
  ...capacities.flatMap((capacity) => [onZmtp, onZeromq, inC, zeromqJs].map((system) => ({ name: `${system.name}, capacity ${capacity}`, system, capacity }))),
];

const caseName = (scenario: Scenario, contender: Contender): string => `${scenario.name}: ${contender.name}`;

export const broker: Benchmark = {
  summary: 'requests through the broker from peers in C, beside zmq_proxy and small brokers in C and on zeromq.js',
  rounds: 3,
  seconds: 1,
  async run(options) {
    const programs = compilePeers(options.folder);
    const cases = scenarios.flatMap((scenario) => contendersOf(scenario).map((contender): Case<LoadResult> => ({
      name: caseName(scenario, contender),
      measure: () => exchange(contender.system, { ...scenario, capacity: contender.capacity }, programs, options),
      show: ({ cold, warm, lost }) => `${whole(cold.requests / cold.seconds)} cold, ${whole(warm.requests / warm.seconds)} requests/s, p50 ${whole(warm.p50Us)} µs, ${lost} lost`,
    })));
    const results = await inRounds(options, cases);
    return { tables: scenarios.map((scenario) => tableOf(scenario, results)) };
  },
};

function tableOf(scenario: Scenario, results: ReadonlyMap<string, readonly LoadResult[]>): Table {
  const of = (contender: Contender): ReturnType<typeof summaryOf> => summaryOf(results.get(caseName(scenario, contender)) ?? []);
  const contenders = contendersOf(scenario);
  const [base] = contenders.map(of);
  return {
    heads: [scenario.name, 'requests/s', 'of zmq_proxy', 'cold, of zmq_proxy', 'p50 µs', 'p50 of zmq_proxy', 'p99 µs', 'broker µs/request', 'lost'],
    rows: contenders.map((contender) => {
      const one = of(contender);
      return [
        contender.name, whole(one?.perSecond), ratio(one?.perSecond, base?.perSecond), ratio(one?.coldPerSecond, base?.coldPerSecond),
        whole(one?.p50Us), ratio(one?.p50Us, base?.p50Us), whole(one?.p99Us), decimal(one?.brokerUs, 1), whole(one?.lost),
      ];
    }),
  };
}
