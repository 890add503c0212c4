// Whether the files of an open database are still where they were: who deletes or replaces one leaves SQLite with what nobody finds
// any more, and it goes on without a word.
import { statSync } from 'node:fs';

/** What became of the files of an open database. */
export interface Loss {
  /** In words for a person. */
  readonly text: string;
  /** Whether another file has the name of the database. */
  readonly isReplaced: boolean;
  /** Whether the log that stands there, if any, is not that of the database which stands there. */
  readonly isLogStale: boolean;
}

export class OpenFiles {
  readonly #path: string;
  /** Which file stood under each name, as the file system tells them apart. */
  readonly #seen = new Map<string, string>();

  /** @param path of a database that is open */
  constructor(path: string) {
    this.#path = path;
    this.loss();
  }

  /** Undefined if all is well. */
  loss(): Loss | undefined {
    // The log comes with the first use, and then stays as long as the database is open.
    const log = `${this.#path}-wal`;
    for (const name of [this.#path, log]) {
      const now = identityOf(name);
      const seen = this.#seen.get(name);
      if (seen === undefined && now !== undefined) this.#seen.set(name, now);
      else if (seen !== now) {
        const isReplaced = name === this.#path && now !== undefined;
        return { text: `${name} was ${now === undefined ? 'deleted' : 'replaced by another file'} while the house ran`, isReplaced, isLogStale: !isReplaced || identityOf(log) === this.#seen.get(log) };
      }
    }
    return undefined;
  }
}

function identityOf(name: string): string | undefined {
  const status = statSync(name, { bigint: true, throwIfNoEntry: false });
  return status === undefined ? undefined : `${status.dev}:${status.ino}`;
}
