// What this supervisor started, on disk: `<home>/run/<name>.json`. So that whoever supervises after a kill -9 ends first what is
// left of the run before; nothing runs twice and nothing is orphaned (docs/architecture.md, "Supervision").
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runMarkerVariable, systemClock, type Clock } from '@majordomus/runtime';
import { identityOf, isRunning, pidsWithVariable } from './process-table.ts';

interface RunRecord {
  /** Which supervisor started it: two of them share the folder, and neither ends what is the other's. */
  readonly owner: string;
  readonly pid: number;
  /** When it started, as far as this machine can tell: a pid alone may be an innocent's by now. */
  readonly identity: string;
  readonly marker: string;
  /** The process that supervises it, and that process's identity. */
  readonly by?: { readonly pid: number; readonly identity: string } | undefined;
}

/** A process of an earlier run that still ran. */
export interface Leftover {
  readonly name: string;
  readonly pid: number;
  /** Whether it is gone: what waits in the kernel for a device stays until that answers, whatever it is sent. */
  readonly ended: boolean;
}

export interface RunRecordsOptions {
  readonly clock?: Clock;
  /** Sends SIGKILL to a process, or to the group of the negative number. */
  readonly kill?: (pid: number) => void;
}

interface Entry {
  readonly name: string;
  readonly record: RunRecord;
}

/** Between the marker of a run of the supervisor and the name of one of its processes. */
const markerSeparator = ':';
const strayName = 'a child of an earlier run';
const endLimitMs = 3000;
const endCheckMs = 10;

export class RunRecords {
  readonly #folder: string;
  readonly #owner: string;
  readonly #marker: string;
  readonly #clock: Clock;
  readonly #kill: (pid: number) => void;

  constructor(folder: string, owner: string, marker: string, { clock = systemClock, kill = sendKill }: RunRecordsOptions = {}) {
    this.#folder = folder;
    this.#owner = owner;
    this.#marker = marker;
    this.#clock = clock;
    this.#kill = kill;
  }

  /** @throws the file system's error */
  write(name: string, pid: number): void {
    const identity = identityOf(pid);
    // It ended already.
    if (identity === undefined) return;
    const record: RunRecord = { owner: this.#owner, pid, identity, marker: this.#marker, by: ownIdentity() };
    const path = this.#path(name);
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** @throws the file system's error */
  remove(name: string): void {
    rmSync(this.#path(name), { force: true });
  }

  /** Another process that is this owner too and still runs, as after its lock file was deleted: what it supervises is no leftover. */
  livingOwner(): number | undefined {
    return this.#read().map(({ record }) => record.by).find((by) => by !== undefined && by.pid !== process.pid && isRunning(by.pid, by.identity))?.pid;
  }

  /**
   * Kills what still runs of this owner's earlier run, with its group and with whatever carries its marker, and
   * awaits its end for 3 s; what has not ended by then keeps its record.
   */
  async endLeftovers(): Promise<readonly Leftover[]> {
    const records = this.#read();
    const killed = new Map<number, string>();
    const untilMs = this.#clock.monotonicMs() + endLimitMs;
    let left = whatRunsOf(records);
    while (left.length > 0) {
      for (const { name, pid, target } of left) {
        this.#kill(target);
        killed.set(pid, name);
      }
      await delay(endCheckMs);
      left = whatRunsOf(records);
      // By the clock: on a busy machine the looking takes longer than the delay.
      if (this.#clock.monotonicMs() >= untilMs) break;
    }
    const hasStray = left.some(({ name }) => name === strayName);
    const stays = new Set(left.map(({ pid }) => pid));
    for (const { name, record } of records) if (!hasStray && !stays.has(record.pid)) this.remove(name);
    return [...killed].map(([pid, name]) => ({ name, pid, ended: !stays.has(pid) }));
  }

  /** What the process of this name carries in its environment, and whatever it starts. */
  markerOf(name: string): string {
    return `${this.#marker}${markerSeparator}${name}`;
  }

  /**
   * Kills what carries the marker of a process that has ended, or without a name that of any; once they were stopped, that is
   * what they let go of.
   */
  endStrays(name?: string): readonly number[] {
    const isMeant = (value: string): boolean => (name === undefined ? runOf(value) === this.#marker : value === this.markerOf(name));
    const pids = pidsWithVariable(runMarkerVariable, isMeant).filter((pid) => pid !== process.pid);
    for (const pid of pids) this.#kill(pid);
    return pids;
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }

  #read(): Entry[] {
    return readdirSync(this.#folder).filter((file) => file.endsWith('.json')).flatMap((file) => {
      const record = parseRecord(join(this.#folder, file));
      return record?.owner === this.#owner ? [{ name: file.slice(0, -'.json'.length), record }] : [];
    });
  }
}

/** Their processes, each to be killed with its group, and what else carries their markers. */
function whatRunsOf(entries: readonly Entry[]): { readonly name: string; readonly pid: number; readonly target: number }[] {
  const recorded = entries.filter(({ record }) => isRunning(record.pid, record.identity)).map(({ name, record: { pid } }) => ({ name, pid, target: -pid }));
  const known = new Set([process.pid, ...recorded.map(({ pid }) => pid)]);
  const markers = new Set(entries.map(({ record }) => record.marker));
  const strays = markers.size === 0 ? [] : pidsWithVariable(runMarkerVariable, (value) => markers.has(runOf(value))).filter((pid) => !known.has(pid));
  return [...recorded, ...strays.map((pid) => ({ name: strayName, pid, target: pid }))];
}

/** The run that a process belongs to, of the marker that it carries. */
function runOf(marker: string): string {
  return marker.split(markerSeparator, 1)[0] ?? marker;
}

/** The record in a file, or undefined if it is none of ours. */
function parseRecord(path: string): RunRecord | undefined {
  try {
    const { owner, pid, identity, marker, by } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof RunRecord, unknown>>;
    const valid = typeof owner === 'string' && typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 1 && typeof identity === 'string' && typeof marker === 'string' && marker !== '';
    return valid ? { owner, pid, identity, marker, by: parseSupervisor(by) } : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined in the record of an older version. */
function parseSupervisor(by: unknown): RunRecord['by'] {
  if (typeof by !== 'object' || by === null) return undefined;
  const { pid, identity } = by as Partial<Record<'pid' | 'identity', unknown>>;
  return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 1 && typeof identity === 'string' ? { pid, identity } : undefined;
}

function ownIdentity(): RunRecord['by'] {
  const identity = identityOf(process.pid);
  return identity === undefined ? undefined : { pid: process.pid, identity };
}

function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
