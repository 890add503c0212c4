// Whether the files of an open database are still where they were, and as the house has left them: who deletes or replaces one leaves
// SQLite with what nobody finds any more, who writes into one past SQLite, with a mixture, and it goes on without a word. Where the system does not
// say it, nothing is lost yet.
import { statSync } from 'node:fs';
import { isSystemError, systemClock, systemReason, type Clock } from '@majordomus/runtime';

/** What became of the files of an open database. */
export interface Loss {
  /** In words for a person. */
  readonly text: string;
  /** Where another file has the name of the database, the log that stands there may still be that of the old one. */
  readonly kind: 'deleted' | 'log deleted' | 'replaced' | 'replaced with its log';
}

export interface Overwritten {
  /** In words for a person. */
  readonly text: string;
  /** Whether it has come to its end: a copy may take its time. */
  readonly isOver: boolean;
}

export interface OpenFilesOptions {
  /** What changes when any program uses the database through SQLite, which harms nothing; undefined where that is not known. */
  readonly use?: () => string | undefined;
  /** How long nobody may have written into the database for what is written to be over (default 2000). */
  readonly settleMs?: number;
  readonly clock?: Clock;
}

/** What only changes the time, and not the size, is taken for over after so many times `settleMs`, though it goes on. */
const sameSizeFactor = 5;

export interface Look {
  /** Undefined if all is well, or nothing is known. */
  readonly loss?: Loss;
  /** Somebody else has written into the database, and not through SQLite: what is open of it is a mixture. */
  readonly overwritten?: Overwritten;
  /** Why nothing is known, for the log; told once. */
  readonly trouble?: string;
}

/** When the database and its log were last written to, and their sizes together. */
interface Stamp {
  readonly times: string;
  readonly size: bigint;
}

export class OpenFiles {
  readonly #path: string;
  /** Which file stood under each name, as the file system tells them apart. */
  readonly #seen = new Map<string, string>();
  /** Of both files, as the house has left them; undefined where that is not known. */
  #left: Stamp | undefined;
  /** What SQLite said of its use before that. */
  #use: string | undefined;
  /** What somebody else has made of it, and since when. */
  #change: { readonly stamp: Stamp; readonly sinceMs: number; readonly sameSizeSinceMs: number } | undefined;
  #told: string | undefined;
  readonly #options: Required<OpenFilesOptions>;

  /** @param path of a database that is open */
  constructor(path: string, { use = () => undefined, settleMs = 2000, clock = systemClock }: OpenFilesOptions = {}) {
    this.#path = path;
    this.#options = { use, settleMs, clock };
    this.look();
    this.leave();
  }

  /** Says that what was written into the database and its log up to now was written through SQLite. */
  leave(): void {
    // In this order, so that what is written in between is known for what it is.
    this.#use = this.#options.use();
    this.#left = this.#stamp();
    this.#change = undefined;
  }

  look(): Look {
    try {
      const loss = this.#loss();
      this.#told = undefined;
      if (loss !== undefined) return { loss };
      const stamp = this.#stamp();
      if (stamp === undefined || this.#left === undefined || isSame(stamp, this.#left)) return {};
      if (this.#isUsed()) {
        this.leave();
        return {};
      }
      return { overwritten: this.#overwritten(stamp) };
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const trouble = `whether ${this.#path} is still there is not known (${systemReason(error)}): it is used on; see to its folder and its disk`;
      if (trouble === this.#told) return {};
      this.#told = trouble;
      return { trouble };
    }
  }

  /** Whether somebody has used the database through SQLite since it was left. */
  #isUsed(): boolean {
    const use = this.#options.use();
    return use !== undefined && this.#use !== undefined && use !== this.#use;
  }

  #overwritten(stamp: Stamp): Overwritten {
    const { settleMs, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const before = this.#change;
    const sinceMs = before !== undefined && isSame(stamp, before.stamp) ? before.sinceMs : nowMs;
    const sameSizeSinceMs = stamp.size === before?.stamp.size ? before.sameSizeSinceMs : nowMs;
    this.#change = { stamp, sinceMs, sameSizeSinceMs };
    return {
      text: `${this.#path} was written to by another program while the house ran`,
      isOver: before !== undefined && (nowMs - sinceMs >= settleMs || nowMs - sameSizeSinceMs >= settleMs * sameSizeFactor),
    };
  }

  #stamp(): Stamp | undefined {
    try {
      const database = statSync(this.#path, { bigint: true });
      const log = statSync(`${this.#path}-wal`, { bigint: true, throwIfNoEntry: false });
      return { times: `${database.mtimeNs} ${log?.mtimeNs ?? ''}`, size: database.size + (log?.size ?? 0n) };
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return undefined;
    }
  }

  #loss(): Loss | undefined {
    // The log comes with the first use, and then stays as long as the database is open.
    const log = `${this.#path}-wal`;
    for (const name of [this.#path, log]) {
      const now = identityOf(name);
      const seen = this.#seen.get(name);
      if (seen === undefined && now !== undefined) this.#seen.set(name, now);
      else if (seen !== now) {
        const text = `${name} was ${now === undefined ? 'deleted' : 'replaced by another file'} while the house ran`;
        if (name === log) return { text, kind: 'log deleted' };
        if (now === undefined) return { text, kind: 'deleted' };
        return { text, kind: identityOf(log) === this.#seen.get(log) ? 'replaced' : 'replaced with its log' };
      }
    }
    return undefined;
  }
}

function isSame(one: Stamp, other: Stamp): boolean {
  return one.times === other.times && one.size === other.size;
}

/** Undefined if nothing is there. @throws a system error, if that cannot be known */
export function identityOf(name: string): string | undefined {
  try {
    const { dev, ino } = statSync(name, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
