// How many writes per second are kept for good (docs/architecture.md, "Durability"): in the store of dbmanager, and over
// the bus, by one caller and by many, beside what the disk can do. Many callers share a sync; one waits for one each time.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configSet } from '@majordomus/contracts';
import { Client } from '@majordomus/mq';
import type { Benchmark, BenchmarkOptions } from './benchmark.ts';
import { writing } from './callers.ts';
import { syncsPerSecond } from './disk.ts';
import { BenchFailure } from './failure.ts';
import { decimal, whole } from './numbers.ts';
import { startPart } from './part.ts';
import type { Table } from './table.ts';

const callerCounts = [1, 16, 256] as const;
type Callers = (typeof callerCounts)[number];

/** One measurement. */
interface Measured {
  readonly perSecond: number;
  /** Batches that were committed, or syncs of the disk, for each write that was acknowledged. */
  readonly perWrite?: number;
  readonly medianMs?: number;
  readonly p99Ms?: number;
}

/** The store is measured by a program of dbmanager's own tests: nobody else imports from an app. */
const storeWrites = fileURLToPath(new URL('../../apps/dbmanager/test/store-writes.ts', import.meta.url));

export const durableWrites: Benchmark = {
  summary: 'acknowledged writes per second by 1, 16 and 256 callers, in the store and over the bus, beside the syncs of the disk',
  rounds: 3,
  seconds: 2,
  async run(options) {
    const best = new Map<string, Measured>();
    const note = (name: string, measured: Measured): void => {
      if (measured.perSecond > (best.get(name)?.perSecond ?? 0)) best.set(name, measured);
    };
    for (let round = 1; round <= options.rounds; round++) {
      options.tell(`round ${round} of ${options.rounds}`);
      for (const [name, perSecond] of disk(options)) note(name, { perSecond });
      for (const callers of callerCounts) note(`store, ${callers}`, store(options, callers));
      for (const callers of callerCounts) note(`bus, ${callers}`, await bus(options, callers, round));
    }
    const syncs = await syncsOverTheBus(options);
    return { tables: [diskTable(best), writesTable(best, syncs)] };
  },
};

function disk({ folder, seconds }: BenchmarkOptions): [string, number][] {
  return (['appended', 'preallocated'] as const).flatMap((place) =>
    (['fdatasync', 'fsync'] as const).map((sync): [string, number] => [`${place}, ${sync}`, syncsPerSecond(join(folder, 'pages'), place, sync, seconds / 2)]));
}

function store({ folder, seconds }: BenchmarkOptions, callers: Callers): Measured {
  const { stdout, stderr, status } = spawnSync(process.execPath, [storeWrites, join(folder, `store-${callers}.sqlite`), String(callers), String(seconds)], { encoding: 'utf8' });
  if (status !== 0) throw new BenchFailure('PROGRAM_FAILED', `the store could not be measured: ${stderr}`);
  const { writes, commits, ms } = JSON.parse(stdout) as { writes: number; commits: number; ms: number };
  return { perSecond: (writes * 1000) / ms, perWrite: commits / writes };
}

/** A broker, a dbmanager and a client, each a process of its own. */
async function bus({ folder, seconds }: BenchmarkOptions, callers: Callers, round: number, wrapper: readonly string[] = []): Promise<Measured & { readonly writes: number; readonly sinceMs: number }> {
  const home = join(folder, `home-${callers}-${round}`);
  mkdirSync(home);
  await using broker = await startPart('broker', ['--home', home, '--bind', 'tcp://127.0.0.1:*']);
  const endpoint = broker.facts['endpoint'] ?? '';
  await using _dbmanager = await startPart('dbmanager', ['--home', home, '--broker', endpoint], { wrapper });
  await using client = new Client({ endpoint });
  const write = (caller: number, value: number): Promise<unknown> => client.call(configSet, { host: 'bench', plugin: `plugin${caller % 16}`, key: `value${caller}`, value });
  await Promise.all(Array.from({ length: callers }, (_, caller) => write(caller, -1)));
  const sinceMs = Date.now();
  return { ...(await writing(callers, seconds, write)), sinceMs };
}

/** Syncs of the disk by dbmanager for each acknowledged write, of the log and of the database, counted by strace in runs of their own. */
async function syncsOverTheBus(options: BenchmarkOptions): Promise<ReadonlyMap<Callers, number>> {
  const counted = new Map<Callers, number>();
  if (spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status !== 0) {
    options.tell('no strace, or it may not trace: syncs are not counted');
    return counted;
  }
  for (const callers of callerCounts) {
    options.tell(`syncs by ${callers} callers`);
    const file = join(options.folder, `syncs-${callers}`);
    const { writes, sinceMs } = await bus(options, callers, 0, ['strace', '-D', '-f', '--seccomp-bpf', '-ttt', '-y', '-e', 'trace=fsync,fdatasync', '-o', file, '--']);
    counted.set(callers, syncsIn(readFileSync(file, 'utf8'), sinceMs) / writes);
  }
  return counted;
}

/** The syncs of a trace that began when it was written, and not before. */
function syncsIn(trace: string, sinceMs: number): number {
  const times = trace.split('\n').flatMap((line) => /^\d+ +([\d.]+) f(?:data)?sync\(\d+<[^>]*sqlite(?:-wal)?>/.exec(line)?.[1] ?? []);
  return times.filter((seconds) => Number(seconds) * 1000 >= sinceMs).length;
}

function diskTable(best: ReadonlyMap<string, Measured>): Table {
  const rate = (name: string): string => whole(best.get(name)?.perSecond);
  return {
    heads: ['the disk: 4 KiB written and synced, one after the other', 'fdatasync, per second', 'fsync, per second'],
    rows: ['appended', 'preallocated'].map((place) => [place, rate(`${place}, fdatasync`), rate(`${place}, fsync`)]),
  };
}

function writesTable(best: ReadonlyMap<string, Measured>, syncs: ReadonlyMap<Callers, number>): Table {
  return {
    heads: ['acknowledged writes', 'callers', 'per second', 'of one caller', 'commits per write', 'syncs per write', 'p50 ms', 'p99 ms'],
    rows: ['store', 'bus'].flatMap((where) => callerCounts.map((callers) => {
      const measured = best.get(`${where}, ${callers}`);
      const one = best.get(`${where}, 1`)?.perSecond ?? 0;
      return [
        where, String(callers), whole(measured?.perSecond), `${((measured?.perSecond ?? 0) / one).toFixed(1)} ×`,
        share(measured?.perWrite), where === 'bus' ? share(syncs.get(callers)) : '–', decimal(measured?.medianMs), decimal(measured?.p99Ms),
      ];
    })),
  };
}

/** As a fraction of one, which says at a glance how many share. */
const share = (value: number | undefined): string => (value === undefined || value === 0 ? '–' : `1/${(1 / value).toFixed(1)}`);
