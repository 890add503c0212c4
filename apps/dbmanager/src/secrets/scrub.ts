// Clears the file of what was deleted in it. When a schema marks a value as secret, its plain text is overwritten where it
// stood; copies of it that SQLite left behind when it moved rows, and those in the write-ahead log, go with this. That
// it is due stands in the database, in the same transaction, so that a kill does not make it forgotten.
import type { Database } from 'better-sqlite3';
import { emptyLog } from '../file/connection.ts';

/** Somebody reads the file, and needs what is in the write-ahead log. */
class StillRead extends Error {
  override readonly name = 'StillRead';
  readonly code = 'STILL_READ';
}

export class Scrub {
  readonly #connection: Database;

  constructor(connection: Database) {
    this.#connection = connection;
  }

  /** Inside the transaction that made plain text obsolete. */
  demand(nowMs: number): void {
    this.#connection.prepare('INSERT INTO scrub_due (since_ms) VALUES (?)').run(nowMs);
  }

  /**
   * Outside any transaction: writes the whole file anew, and empties the log. If it throws, it stays due.
   * @throws StillRead; SqliteError where there is no room for it, say
   */
  doIfDue(): void {
    const isDue = Number(this.#connection.prepare('SELECT count(*) FROM scrub_due').pluck().get()) > 0;
    if (!isDue) return;
    this.#connection.exec('VACUUM');
    if (!emptyLog(this.#connection)) throw new StillRead('another program reads the file');
    this.#connection.exec('DELETE FROM scrub_due');
  }
}
