// One measurement: a fresh system, workers and a load, each a process, the peers in C.
import type { BenchmarkOptions } from './benchmark.ts';
import type { CPrograms } from './c-programs.ts';
import { readLoadResult, type LoadResult } from './load-result.ts';
import { programOutput, startProgram, type RunningProgram } from './program.ts';
import type { RunningSystem, System } from './systems.ts';

export interface Load {
  readonly clients: number;
  /** Requests that each client has open. */
  readonly window: number;
  readonly workers: number;
  /** Requests that a worker takes at once (rule R14); a plain worker takes one. */
  readonly capacity: 1 | 64;
  readonly bodyBytes?: number;
}

const defaultBodyBytes = 100;
/** Beside the two parts of a load: to connect, and to give up what is lost. */
const spareMs = 30_000;

type Options = Pick<BenchmarkOptions, 'folder' | 'seconds' | 'coldRequests'>;

/** @throws BenchFailure when one of the programs fails */
export async function exchange(system: System, load: Load, programs: CPrograms, options: Options): Promise<LoadResult> {
  await using broker = await system.start(options.folder, programs);
  await using _workers = await startWorkers(system, broker, load, programs);
  return await sendLoad(broker, load, programs, options);
}

export async function startWorkers({ isBroker }: System, { workers: endpoint }: RunningSystem, { workers, capacity }: Load, { echo }: CPrograms): Promise<RunningProgram> {
  return await startProgram([echo, '--endpoint', endpoint, '--workers', String(workers), ...(isBroker ? [] : ['--raw']), ...(capacity > 1 ? ['--capacity', String(capacity)] : [])]);
}

export async function sendLoad({ clients: endpoint, pid }: RunningSystem, { clients, window, bodyBytes = defaultBodyBytes }: Load, { load }: CPrograms, { seconds, coldRequests }: Options): Promise<LoadResult> {
  const args = { endpoint, broker: pid, clients, window, 'body-bytes': bodyBytes, 'cold-requests': coldRequests, seconds };
  return readLoadResult(await programOutput([load, ...Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)])], 2 * seconds * 1000 + spareMs));
}
