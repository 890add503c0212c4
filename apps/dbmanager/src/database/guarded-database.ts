// The database behind a guard: writes wait until the disk has room and the log of an earlier life is emptied; what SQLite fails
// with decides whether its connection may be used on. Reads always pass.
import { existsSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { syncPath, systemClock, type Clock } from '@majordomus/runtime';
import { writes, type Operation } from '../actions.ts';
import { emptyLog, useOf } from '../file/connection.ts';
import { OpenFiles, type Look, type Overwritten } from '../file/open-files.ts';
import { leastBytes, type Room } from '../file/room.ts';
import { isDamage, spoils } from '../file/sqlite-code.ts';
import { rescue, type RescueOptions } from '../recovery/rescue.ts';
import type { BatchResult, ConfigurationDatabase } from './database.ts';
import type { Outcome } from './outcome.ts';
import { overwrittenNotice, storageBlocked, storageFull, storageLost, storageOverwritten } from './storage-failure.ts';

/** Why a connection has to be closed, and another one opened. */
export interface Renewal {
  /** For the log. */
  readonly text: string;
  /** What a person is told when another one is open. */
  readonly notice?: string;
  readonly why: 'damage' | 'overwritten' | 'failed disk' | 'room again' | 'lost files';
}

export interface GuardedResult extends BatchResult {
  /** Why the connection has to be closed and another one opened; undefined if all is well. */
  readonly renew?: Renewal;
}

export interface GuardOptions {
  readonly room: Room;
  /** Whether the file was opened for reading only, for want of room. */
  readonly isWithoutRoom: boolean;
  /** Whether the disk has failed under this process: what stands in the log may be in the memory of the machine only. */
  readonly hasDiskFailed: boolean;
  /** As OpenFilesOptions has it. */
  readonly settleMs?: number | undefined;
  /** A checkpoint of another program writes into the file first, and says so at its end: how long a request waits for that (default 250). */
  readonly checkpointMs?: number;
  readonly clock?: Clock | undefined;
}

const checkpointPauseMs = 25;

/** Somebody reads the file, and needs what is in the write-ahead log. */
class LogInUse extends Error {
  override readonly name = 'LogInUse';
  readonly code = 'LOG_IN_USE';
}

export class GuardedDatabase {
  readonly #database: ConfigurationDatabase;
  readonly #connection: Database;
  readonly #room: Room;
  readonly #isWithoutRoom: boolean;
  readonly #hasDiskFailed: boolean;
  readonly #files: OpenFiles;
  readonly #clock: Clock;
  readonly #checkpointMs: number;
  /** Whether a request has waited for what may be a checkpoint: one for all. */
  #hasWaited = false;
  /** Whether what was in the log when the file was opened is on the disk. */
  #isFresh = false;

  constructor(database: ConfigurationDatabase, connection: Database, { room, isWithoutRoom, hasDiskFailed, settleMs, checkpointMs = 250, clock = systemClock }: GuardOptions) {
    this.#database = database;
    this.#connection = connection;
    this.#room = room;
    this.#isWithoutRoom = isWithoutRoom;
    this.#hasDiskFailed = hasDiskFailed;
    this.#clock = clock;
    this.#checkpointMs = checkpointMs;
    this.#files = new OpenFiles(connection.name, { use: useOf(connection), clock, ...(settleMs !== undefined && { settleMs }) });
    if (this.#room.shortage() === undefined) this.#makeFresh();
    this.#files.leave();
  }

  run(operations: readonly Operation[]): GuardedResult {
    const { loss, overwritten, trouble } = this.#look(operations.length > 0);
    if (overwritten !== undefined) {
      const outcomes = operations.map((operation) => storageOverwritten(operation, overwritten.text));
      // Who opens half a copy takes it for damaged.
      return { outcomes, committed: false, ...(overwritten.isOver && { renew: this.#overwrittenRenewal(overwritten) }) };
    }
    if (loss !== undefined) return { ...this.#readOnly(operations, (operation) => storageLost(operation, loss.text)), renew: { text: loss.text, why: 'lost files' } };
    const refusal = operations.some(writes) ? this.#refusal() : undefined;
    const result = refusal === undefined ? this.#database.run(operations) : this.#readOnly(operations, refusal);
    if (operations.some(writes)) this.#files.leave();
    return { ...result, ...(trouble !== undefined && { trouble }), ...this.#afterwards() };
  }

  /** What has become of the files, before the connection is closed for good; a copy into them may still be under way. */
  lastLook(): Renewal | undefined {
    const { loss, overwritten } = this.#look(true);
    if (overwritten !== undefined) return this.#overwrittenRenewal(overwritten);
    return loss === undefined ? undefined : { text: loss.text, why: 'lost files' };
  }

  /** As ConfigurationDatabase.maintain. */
  maintain(): readonly string[] {
    const { loss, overwritten } = this.#files.look();
    if (loss !== undefined || overwritten !== undefined) return [];
    const troubles = this.#database.maintain();
    this.#files.leave();
    return troubles;
  }

  /** Writes the database anew whose files are lost, as rescue.ts says, and closes it. */
  rescue(options: RescueOptions): string | undefined {
    return rescue(this.#connection, this.#files, options);
  }

  /** @param isAwaited whether somebody would be refused for what may be a checkpoint */
  #look(isAwaited: boolean): Look {
    let look = this.#files.look();
    this.#hasWaited &&= look.overwritten !== undefined;
    if (!isAwaited || this.#hasWaited || look.overwritten === undefined) return look;
    for (let leftMs = this.#checkpointMs; leftMs > 0 && look.overwritten !== undefined; leftMs -= checkpointPauseMs) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, checkpointPauseMs);
      look = this.#files.look();
    }
    this.#hasWaited = look.overwritten !== undefined;
    return look;
  }

  #overwrittenRenewal({ text }: Overwritten): Renewal {
    return { text, notice: overwrittenNotice(text, this.#clock.wallMs()), why: 'overwritten' };
  }

  #readOnly(operations: readonly Operation[], refusal: (operation: Operation) => Outcome): BatchResult {
    const reads = this.#database.run(operations.filter((operation) => !writes(operation))).outcomes.values();
    const outcomes = operations.flatMap((operation): Outcome[] => {
      if (writes(operation)) return [refusal(operation)];
      const { value } = reads.next();
      return value === undefined ? [] : [value];
    });
    return { outcomes, committed: false };
  }

  /** What a write is told that cannot even be tried; undefined if it can. */
  #refusal(): ((operation: Operation) => Outcome) | undefined {
    const shortage = this.#room.shortage();
    if (shortage !== undefined) return (operation) => storageFull(operation, shortage);
    const error = this.#makeFresh();
    return error === undefined ? undefined : (operation) => storageBlocked(operation, error);
  }

  /**
   * Before the first write everything in the log is brought into the file, durably. Where somebody reads the file, and so needs the
   * log, it stays, and is synced (SQLite has no lock on it that closing it would take): a kill has left it in the memory of the machine at worst. After a failed sync that would prove
   * nothing, since the system tells of such a failure once and takes what it could not write for written. Gives the error if it could not.
   */
  #makeFresh(): { readonly cause: unknown } | undefined {
    if (this.#isFresh || this.#isWithoutRoom) return undefined;
    try {
      if (!emptyLog(this.#connection)) {
        if (this.#hasDiskFailed) throw new LogInUse('another program reads it; close that one');
        const log = `${this.#connection.name}-wal`;
        if (existsSync(log)) syncPath(log);
      }
      this.#isFresh = true;
      return undefined;
    } catch (cause) {
      return { cause };
    }
  }

  #afterwards(): Pick<GuardedResult, 'renew'> {
    const spoiling = this.#database.takeFailures().filter(spoils);
    const damage = spoiling.find(isDamage);
    if (damage !== undefined) return { renew: { text: `the database was found damaged while it was used (${damage})`, why: 'damage' } };
    const [failure] = spoiling;
    if (failure !== undefined) return { renew: { text: `the disk failed under the database (${failure})`, why: 'failed disk' } };
    // It was opened in a makeshift way; with room it is opened as usual.
    if (this.#isWithoutRoom && this.#room.shortage() === undefined && this.#room.freeBytes() >= leastBytes) return { renew: { text: 'the disk of the database has room again', why: 'room again' } };
    return {};
  }
}
