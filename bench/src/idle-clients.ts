// What a crowd costs that does nothing: connected clients, and registered services that nobody asks.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { BusError, Client, type BrokerStatus } from '@majordomus/mq';
import type { Benchmark, BenchmarkOptions } from './benchmark.ts';
import { compilePeers, type CPrograms } from './c-programs.ts';
import { sendLoad, startWorkers, type Load } from './exchange.ts';
import { BenchFailure } from './failure.ts';
import { inspectable, openCollector, type Collector } from './garbage.ts';
import { summaryOf, type LoadResult } from './load-result.ts';
import { decimal, ratio, whole } from './numbers.ts';
import { startPart } from './part.ts';
import { startProgram, type RunningProgram } from './program.ts';
import { settledResident } from './resident.ts';
import { onZmtp, type RunningSystem } from './systems.ts';

const clientCount = 10_000;
const serviceCount = 1000;
/** Each has two open files for each client. */
const crowdProcesses = 4;
const load: Load = { clients: 16, window: 16, workers: 4, capacity: 64 };
const lookMs = 20;

const crowds = [
  { name: 'clients on plain libzmq', flags: [] },
  { name: 'clients with ZMTP heartbeats each second, as ours', flags: ['--heartbeats'] },
] as const;

interface Crowded {
  readonly connectedSeconds: number;
  readonly registeredSeconds: number;
  readonly bytesPerClient: number;
  /** Of clients and services together. */
  readonly bytesEach: number;
  readonly result: LoadResult;
}

export const idleClients: Benchmark = {
  summary: `${whole(clientCount)} idle clients and ${whole(serviceCount)} idle services: time to connect, memory of each, and the load beside them`,
  rounds: 2,
  seconds: 1,
  async run(options) {
    const programs = compilePeers(options.folder);
    const alone: LoadResult[] = [];
    const crowded = new Map<string, Crowded[]>(crowds.map(({ name }) => [name, []]));
    for (let round = 1; round <= options.rounds; round++) {
      alone.push(await loadAlone(programs, options));
      for (const { name, flags } of crowds) {
        const one = await loadInCrowd(flags, programs, options).catch(refusedCrowd);
        if (one instanceof Error) {
          options.tell(`${round}/${options.rounds} ${name}: ${one.message}`);
          continue;
        }
        crowded.get(name)?.push(one);
        options.tell(`${round}/${options.rounds} ${name}: ${decimal(one.connectedSeconds)} s, ${whole(one.bytesPerClient)} bytes each, ${whole(one.result.warm.requests / one.result.warm.seconds)} requests/s`);
      }
    }
    const before = summaryOf(alone);
    return {
      tables: [{
        heads: ['idle', 's until all are connected', 's until all are registered', 'bytes/client', 'bytes each, with services', 'requests/s', 'of without them', 'lost'],
        rows: [
          ['nobody', '–', '–', '–', '–', whole(before?.perSecond), ratio(before?.perSecond, before?.perSecond), whole(before?.lost)],
          ...[...crowded].map(([name, all]) => {
            if (all.length === 0) return [name, 'never all', '–', '–', '–', '–', '–', '–'];
            const least = (of: (one: Crowded) => number): number => Math.min(...all.map(of));
            const summary = summaryOf(all.map(({ result }) => result));
            return [
              name, decimal(least((one) => one.connectedSeconds)), decimal(least((one) => one.registeredSeconds)), whole(least((one) => one.bytesPerClient)), whole(least((one) => one.bytesEach)),
              whole(summary?.perSecond), ratio(summary?.perSecond, before?.perSecond), whole(summary?.lost),
            ];
          }),
        ],
      }],
    };
  },
};

/** A crowd that cannot connect within its time is a result, too. */
function refusedCrowd(error: unknown): Error {
  if (error instanceof BenchFailure || error instanceof BusError) return error;
  throw error;
}

async function loadAlone(programs: CPrograms, options: BenchmarkOptions): Promise<LoadResult> {
  await using broker = await startBroker(options.folder);
  return await measureLoad(systemOf(broker), programs, options);
}

async function loadInCrowd(flags: readonly string[], programs: CPrograms, options: BenchmarkOptions): Promise<Crowded> {
  await using broker = await startBroker(options.folder);
  using collector = await openCollector(broker);
  const system = systemOf(broker);
  const empty = await heldBy(broker, collector);
  const connecting = performance.now();
  await using _clients = await startCrowd(programs, system, ['--clients', String(clientCount / crowdProcesses), ...flags]);
  const connectedSeconds = (performance.now() - connecting) / 1000;
  const withClients = await heldBy(broker, collector);
  const registering = performance.now();
  await using _services = await startCrowd(programs, system, ['--services', String(serviceCount / crowdProcesses), ...flags]);
  await registered(system);
  const registeredSeconds = (performance.now() - registering) / 1000;
  const withServices = await heldBy(broker, collector);
  const result = await measureLoad(system, programs, options);
  return { connectedSeconds, registeredSeconds, bytesPerClient: (withClients - empty) / clientCount, bytesEach: (withServices - empty) / (clientCount + serviceCount), result };
}

async function measureLoad(system: RunningSystem, programs: CPrograms, options: BenchmarkOptions): Promise<LoadResult> {
  await using _workers = await startWorkers(onZmtp, system, load, programs);
  return await sendLoad(system, load, programs, options);
}

async function startBroker(folder: string): Promise<RunningProgram> {
  const args = ['--home', mkdtempSync(join(folder, 'home-')), '--bind', 'tcp://127.0.0.1:*'];
  return await startPart('broker', args, { env: { DOMUS_TRANSPORT: 'zmtp', ...inspectable }, errors: 'pipe' });
}

function systemOf(broker: RunningProgram): RunningSystem {
  const endpoint = broker.facts['endpoint'] ?? '';
  return { pid: broker.pid, clients: endpoint, workers: endpoint, [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose]() };
}

/** All at the same time, in several processes, so that none has too many open files. */
async function startCrowd({ crowd }: CPrograms, { clients: endpoint }: RunningSystem, flags: readonly string[]): Promise<AsyncDisposable> {
  const all = new AsyncDisposableStack();
  const started = await Promise.allSettled(Array.from({ length: crowdProcesses }, async (_, number) =>
    all.use(await startProgram([crowd, '--endpoint', endpoint, '--number', String(number), ...flags]))));
  const failed = started.find((one) => one.status === 'rejected');
  if (failed === undefined) return all;
  await all.disposeAsync();
  throw failed.reason;
}

async function registered({ clients: endpoint }: RunningSystem): Promise<void> {
  await using client = new Client({ endpoint });
  for (;;) {
    const { workers } = JSON.parse(await client.manage('mmi.majordomus')) as BrokerStatus;
    if (workers >= serviceCount) return;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Resident memory once the garbage is collected and nothing changes any more. */
async function heldBy({ pid }: RunningProgram, collector: Collector): Promise<number> {
  await collector.collect();
  return (await settledResident(pid)).bytes;
}
