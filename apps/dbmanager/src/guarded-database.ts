// The database behind a guard: writes wait until the disk has room and the log of an earlier life is emptied; what SQLite fails
// with decides whether its connection may be used on. Reads always pass.
import type { Database } from 'better-sqlite3';
import type { BatchResult, ConfigurationDatabase } from './database.ts';
import { writes, type Operation, type Outcome } from './operation.ts';
import type { Room } from './room.ts';
import { isDamage, spoils, storageBlocked, storageFull } from './storage-failure.ts';

export interface GuardedResult extends BatchResult {
  /** Why the connection has to be closed and another one opened; undefined if all is well. */
  readonly renew?: { readonly text: string; readonly isDamage: boolean };
}

export class GuardedDatabase {
  readonly #database: ConfigurationDatabase;
  readonly #connection: Database;
  readonly #room: Room;
  readonly #isWithoutRoom: boolean;
  /** Whether the log was emptied since the file was opened. */
  #isFresh = false;

  /** @param isWithoutRoom whether the file was opened for reading only, for want of room */
  constructor(database: ConfigurationDatabase, connection: Database, room: Room, isWithoutRoom: boolean) {
    this.#database = database;
    this.#connection = connection;
    this.#room = room;
    this.#isWithoutRoom = isWithoutRoom;
    if (this.#room.shortage() === undefined) this.#emptyLog();
  }

  run(operations: readonly Operation[]): GuardedResult {
    const refusal = operations.some(writes) ? this.#refusal() : undefined;
    if (refusal === undefined) return { ...this.#database.run(operations), ...this.#afterwards() };
    const reads = this.#database.run(operations.filter((operation) => !writes(operation))).outcomes.values();
    const outcomes = operations.flatMap((operation): Outcome[] => {
      if (writes(operation)) return [refusal(operation)];
      const { value } = reads.next();
      return value === undefined ? [] : [value];
    });
    return { outcomes, committed: false, ...this.#afterwards() };
  }

  /** What a write is told that cannot even be tried; undefined if it can. */
  #refusal(): ((operation: Operation) => Outcome) | undefined {
    const shortage = this.#room.shortage();
    if (shortage !== undefined) return (operation) => storageFull(operation, shortage);
    const error = this.#emptyLog();
    return error === undefined ? undefined : (operation) => storageBlocked(operation, error);
  }

  /**
   * Before the first write everything in the log is brought into the file, durably: if an earlier sync failed, what stands in
   * the log may be in the memory of the machine only, and nothing may be built on that. Gives the error if it could not.
   */
  #emptyLog(): { readonly cause: unknown } | undefined {
    if (this.#isFresh || this.#isWithoutRoom) return undefined;
    try {
      this.#connection.pragma('wal_checkpoint(TRUNCATE)');
      this.#isFresh = true;
      return undefined;
    } catch (cause) {
      return { cause };
    }
  }

  #afterwards(): Pick<GuardedResult, 'renew'> {
    const spoiling = this.#database.takeFailures().filter(spoils);
    const damage = spoiling.find(isDamage);
    const code = damage ?? spoiling[0];
    if (code !== undefined) return { renew: { text: damage === undefined ? `the disk failed under the database (${code})` : `the database was found damaged while it was used (${code})`, isDamage: damage !== undefined } };
    // It was opened in a makeshift way; with room it is opened as usual.
    if (this.#isWithoutRoom && this.#room.shortage() === undefined) return { renew: { text: 'the disk of the database has room again', isDamage: false } };
    return {};
  }
}
