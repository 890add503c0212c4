// Whether the files of an open database are still where they were, and as the house has left them: who deletes or replaces one leaves
// SQLite with what nobody finds any more, who writes into one, with a mixture, and it goes on without a word. Where the system does not
// say it, nothing is lost yet.
import { statSync } from 'node:fs';
import { isSystemError, systemReason } from '@majordomus/runtime';

/** What became of the files of an open database. */
export interface Loss {
  /** In words for a person. */
  readonly text: string;
  /** Where another file has the name of the database, the log that stands there may still be that of the old one. */
  readonly kind: 'deleted' | 'log deleted' | 'replaced' | 'replaced with its log';
}

export interface Look {
  /** Undefined if all is well, or nothing is known. */
  readonly loss?: Loss;
  /** That somebody else has written into the database, in words for a person: what is open of it is a mixture. */
  readonly overwritten?: string;
  /** Why nothing is known, for the log; told once. */
  readonly trouble?: string;
}

export class OpenFiles {
  readonly #path: string;
  /** Which file stood under each name, as the file system tells them apart. */
  readonly #seen = new Map<string, string>();
  /** When the database was last written to, and its size then; undefined where that is not known. */
  #left: string | undefined;
  #told: string | undefined;

  /** @param path of a database that is open */
  constructor(path: string) {
    this.#path = path;
    this.look();
    this.leave();
  }

  /** Says that what was written into the database up to now was written by the house: with a log, only its checkpoints do. */
  leave(): void {
    this.#left = this.#stamp();
  }

  look(): Look {
    try {
      const loss = this.#loss();
      this.#told = undefined;
      if (loss !== undefined) return { loss };
      const stamp = this.#stamp();
      if (stamp === this.#left || stamp === undefined || this.#left === undefined) return {};
      return { overwritten: `${this.#path} was written to by another program while the house ran` };
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const trouble = `whether ${this.#path} is still there is not known (${systemReason(error)}): it is used on; see to its folder and its disk`;
      if (trouble === this.#told) return {};
      this.#told = trouble;
      return { trouble };
    }
  }

  #stamp(): string | undefined {
    try {
      const { mtimeNs, size } = statSync(this.#path, { bigint: true });
      return `${mtimeNs}:${size}`;
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
