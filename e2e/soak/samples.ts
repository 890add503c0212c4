// What each process of a house takes, once a second, and how long calls take: kept for the slopes, and written as CSV as it comes.
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measure } from '../fuzz/memory.ts';
import { houseProcesses } from '../src/house-processes.ts';
import { percentile, type Point } from './slope.ts';

export interface ProcessSample {
  readonly rssMiB: number;
  /** Of it what no file stands behind: heaps, buffers and stacks. */
  readonly anonymousMiB: number;
  readonly handles: number;
  readonly threads: number;
}

/** Undefined of a process that has ended. */
function sampleOf(pid: number): ProcessSample | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return { rssMiB: number('VmRSS') / 1024, anonymousMiB: number('RssAnon') / 1024, threads: number('Threads'), handles: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

export interface Series {
  /** Resident, all of it. */
  readonly resident: Point[];
  /** Resident, and no file stands behind it: all threads and native modules are in it. */
  readonly anonymous: Point[];
  /** Objects and buffers of the main thread after a collection of garbage; empty of what is no Node. */
  readonly heap: Point[];
  readonly handles: Point[];
  readonly threads: Point[];
}

/** Calls are put together for so long: a percentile needs some of them. */
const windowMs = 10_000;

export class Samples {
  /** By process; one that was started again begins anew. */
  readonly processes = new Map<string, Series & { readonly identity: string }>();
  readonly p50 = new Map<string, Point[]>();
  readonly p99 = new Map<string, Point[]>();
  /** How often a process was another one than in the sample before. */
  readonly restarts = new Map<string, number>();
  readonly #home: string;
  readonly #processFile: string;
  readonly #latencyFile: string;
  readonly #startMs = performance.now();
  #open = new Map<string, number[]>();
  #windowEndMs = windowMs;

  constructor(home: string, folder: string) {
    this.#home = home;
    this.#processFile = join(folder, 'processes.csv');
    this.#latencyFile = join(folder, 'latency.csv');
    writeFileSync(this.#processFile, 'seconds,process,pid,rss_mib,anonymous_mib,handles,threads\n');
    writeFileSync(this.#latencyFile, 'seconds,kind,calls,p50_ms,p99_ms\n');
  }

  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  /** A call of this kind ended well. */
  called(kind: string, tookMs: number): void {
    const times = this.#open.get(kind);
    if (times === undefined) this.#open.set(kind, [tookMs]);
    else times.push(tookMs);
  }

  take(): void {
    const atMs = this.elapsedMs;
    const rows = houseProcesses(this.#home).flatMap(({ name, pid, identity }) => {
      const sample = sampleOf(pid);
      if (sample === undefined) return [];
      const known = this.processes.get(name);
      if (known !== undefined && known.identity !== identity) this.restarts.set(name, (this.restarts.get(name) ?? 0) + 1);
      const series = known?.identity === identity ? known : { identity, resident: [], anonymous: [], heap: [], handles: [], threads: [] };
      this.processes.set(name, series);
      series.resident.push({ atMs, value: sample.rssMiB });
      series.anonymous.push({ atMs, value: sample.anonymousMiB });
      series.handles.push({ atMs, value: sample.handles });
      series.threads.push({ atMs, value: sample.threads });
      return [[(atMs / 1000).toFixed(1), name, pid, sample.rssMiB.toFixed(2), sample.anonymousMiB.toFixed(2), sample.handles, sample.threads].join(',')];
    });
    appendFileSync(this.#processFile, rows.map((row) => `${row}\n`).join(''));
    if (atMs >= this.#windowEndMs) this.#closeWindow(atMs);
  }

  /** Has each process collect its garbage, and keeps what is left. */
  async settle(folder: string): Promise<void> {
    const pids = Object.fromEntries(houseProcesses(this.#home).map(({ name, pid }) => [name, pid]));
    for (const { name, heldBytes } of await measure(pids, folder)) {
      if (heldBytes !== undefined) this.processes.get(name)?.heap.push({ atMs: this.elapsedMs, value: heldBytes / 2 ** 20 });
    }
  }

  /** Who was there, and is not now. */
  absent(): string[] {
    const present = new Set(houseProcesses(this.#home).map(({ name }) => name));
    return [...this.processes.keys()].filter((name) => !present.has(name));
  }

  /** The last sample, and what the last window has. */
  end(): void {
    this.take();
    this.#closeWindow(this.elapsedMs);
  }

  #closeWindow(atMs: number): void {
    this.#windowEndMs = atMs + windowMs;
    const rows = [...this.#open].map(([kind, times]) => {
      const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
      push(this.p50, kind, { atMs, value: p50 });
      push(this.p99, kind, { atMs, value: p99 });
      return `${(atMs / 1000).toFixed(1)},${kind},${times.length},${p50.toFixed(3)},${p99.toFixed(3)}\n`;
    });
    this.#open = new Map();
    appendFileSync(this.#latencyFile, rows.join(''));
  }
}

function push(series: Map<string, Point[]>, kind: string, point: Point): void {
  const known = series.get(kind);
  if (known === undefined) series.set(kind, [point]);
  else known.push(point);
}
