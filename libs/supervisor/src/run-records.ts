// What this supervisor started, on disk: `<home>/run/<name>.json`. So that whoever supervises after a kill -9 ends first what is
// left of the run before; nothing runs twice and nothing is orphaned (docs/architecture.md, "Supervision").
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runMarkerVariable } from '@majordomus/runtime';
import { identityOf, isRunning, pidsWithVariable } from './process-table.ts';

interface RunRecord {
  /** Which supervisor started it: two of them share the folder, and neither ends what is the other's. */
  readonly owner: string;
  readonly pid: number;
  /** When it started, as far as this machine can tell: a pid alone may be an innocent's by now. */
  readonly identity: string;
  readonly marker: string;
}

/** A process of an earlier run that still ran. */
export interface Leftover {
  readonly name: string;
  readonly pid: number;
}

const endLimitMs = 3000;
const endCheckMs = 10;

export class RunRecords {
  readonly #folder: string;
  readonly #owner: string;
  readonly #marker: string;

  constructor(folder: string, owner: string, marker: string) {
    this.#folder = folder;
    this.#owner = owner;
    this.#marker = marker;
  }

  /** @throws the file system's error */
  write(name: string, pid: number): void {
    const identity = identityOf(pid);
    // It ended already.
    if (identity === undefined) return;
    const record: RunRecord = { owner: this.#owner, pid, identity, marker: this.#marker };
    const path = this.#path(name);
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** @throws the file system's error */
  remove(name: string): void {
    rmSync(this.#path(name), { force: true });
  }

  /**
   * Kills what still runs of this owner's earlier run, with its group and with whatever carries its marker, and
   * awaits its end, at most 3 s.
   */
  async endLeftovers(): Promise<readonly Leftover[]> {
    const records = this.#read();
    const markers = new Set(records.map(({ record }) => record.marker));
    const killed = new Map<number, Leftover>();
    for (let waitedMs = 0; waitedMs <= endLimitMs; waitedMs += endCheckMs) {
      const alive = records.filter(({ record }) => isRunning(record.pid, record.identity));
      const others = pidsWithVariable(runMarkerVariable, markers).filter((pid) => pid !== process.pid);
      if (alive.length === 0 && others.length === 0) break;
      for (const { name, record } of alive) {
        kill(-record.pid);
        killed.set(record.pid, { name, pid: record.pid });
      }
      for (const pid of others) {
        kill(pid);
        if (!killed.has(pid)) killed.set(pid, { name: 'a child of an earlier run', pid });
      }
      await delay(endCheckMs);
    }
    for (const { name } of records) this.remove(name);
    return [...killed.values()];
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }

  #read(): { readonly name: string; readonly record: RunRecord }[] {
    return readdirSync(this.#folder).filter((file) => file.endsWith('.json')).flatMap((file) => {
      const record = parseRecord(join(this.#folder, file));
      return record?.owner === this.#owner ? [{ name: file.slice(0, -'.json'.length), record }] : [];
    });
  }
}

/** The record in a file, or undefined if it is none of ours. */
function parseRecord(path: string): RunRecord | undefined {
  try {
    const { owner, pid, identity, marker } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof RunRecord, unknown>>;
    const valid = typeof owner === 'string' && typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 1 && typeof identity === 'string' && typeof marker === 'string' && marker !== '';
    return valid ? { owner, pid, identity, marker } : undefined;
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
