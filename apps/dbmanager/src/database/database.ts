// Does the operations, each as its action says, and all writes of a batch in one transaction. Synchronous, for the database's own
// thread; it opens no file and starts no transaction that outlives a call.
import { dirname, join } from 'node:path';
import type { Database, Statement, Transaction } from 'better-sqlite3';
import { ActionFailure } from '@majordomus/contracts';
import { reasonOf, systemClock, type Clock } from '@majordomus/runtime';
import { actionOf, writes, type Operation, type ActionContext } from '../actions.ts';
import { Configuration } from '../configuration/configuration.ts';
import { History, type HistoryLimits } from '../configuration/history.ts';
import { Schemas } from '../configuration/schemas.ts';
import { StoredValues } from '../configuration/stored-values.ts';
import { sqliteCode } from '../file/sqlite-code.ts';
import { addNotice } from '../recovery/notices.ts';
import { lostKeyText } from '../secrets/lost-key.ts';
import { Scrub } from '../secrets/scrub.ts';
import { Secrets } from '../secrets/secrets.ts';
import { refused, type Outcome } from './outcome.ts';
import { storageFailure } from './storage-failure.ts';

/** What a batch came to. */
export interface BatchResult {
  readonly outcomes: readonly Outcome[];
  /** Whether a write was committed, and so synced to disk. */
  readonly committed: boolean;
  /** What could not be done after it, for the log. */
  readonly trouble?: string;
}

export interface DatabaseOptions {
  readonly clock?: Clock | undefined;
  /** The key of the secrets; without it `secrets.key` beside the database. It is made when the first secret is stored. */
  readonly keyFile?: string | undefined;
  /** What is kept of the history. */
  readonly history?: HistoryLimits | undefined;
}

/** The configuration of a house over an open connection, which stays its caller's. */
export class ConfigurationDatabase {
  readonly #connection: Database;
  readonly #clock: Clock;
  readonly #history: History;
  readonly #scrub: Scrub;
  readonly #secrets: Secrets;
  readonly #context: ActionContext;
  readonly #changes: Statement<[], number>;
  readonly #failures: string[] = [];
  readonly #savepoint: Transaction<(operation: Operation) => unknown>;
  readonly #transaction: Transaction<(operations: readonly Operation[]) => Outcome[]>;

  constructor(connection: Database, { clock = systemClock, keyFile = besideDatabase(connection.name), history }: DatabaseOptions = {}) {
    this.#connection = connection;
    this.#clock = clock;
    this.#history = new History(connection, history);
    this.#scrub = new Scrub(connection);
    this.#secrets = new Secrets(keyFile, () => void this.#tellLostKey());
    const values = new StoredValues(connection, this.#secrets, this.#history);
    const schemas = new Schemas(connection, values, this.#scrub, clock);
    this.#context = { connection, schemas, configuration: new Configuration(connection, values, schemas, this.#history, clock) };
    this.#changes = connection.prepare<[], number>('SELECT total_changes()').pluck();
    // Inside the other one, a transaction of the binding is a savepoint.
    this.#savepoint = connection.transaction((operation) => this.#do(operation));
    this.#transaction = connection.transaction((operations) => operations.map((operation) => this.#attempt(operation)));
  }

  /**
   * Does a batch in order. All that it writes is one transaction, on disk when this returns; an operation that is
   * refused undoes only itself. If the commit fails, every write is refused and what was read is read again.
   */
  run(operations: readonly Operation[]): BatchResult {
    const isWrite = operations.map(writes);
    if (!isWrite.includes(true)) return { outcomes: operations.map((operation) => this.#attempt(operation)), committed: false };
    try {
      const before = this.#changes.get();
      const outcomes = this.#transaction.immediate(operations);
      // A write that changes nothing, such as one that was tried again, needs no sync.
      const committed = before !== this.#changes.get() && outcomes.some(({ done }, index) => done && isWrite[index] === true);
      const trouble = operations.some((operation) => actionOf(operation).scrubs === true) ? this.#scrubIfDue() : undefined;
      return { outcomes, committed, ...(trouble !== undefined && { trouble }) };
    } catch (error) {
      // Inside a transaction that cannot be rolled back nothing would ever be committed again.
      if (this.#connection.inTransaction) throw error;
      return { outcomes: operations.map((operation) => (writes(operation) ? this.#failed(operation, error) : this.#attempt(operation))), committed: false };
    }
  }

  /** After opening: tells of secrets whose key is not there, in a notice; gives what was told, for the log. */
  checkKey(): readonly string[] {
    try {
      return this.#tellLostKey();
    } catch (error) {
      return [`whether secrets are without their key was not told: ${reasonOf(error)}; the next start looks again`];
    }
  }

  /**
   * What is due from time to time, and after opening: lets old history go, encrypts what an older version kept as plain
   * text, and clears the file of it. What cannot be done now is done the next time; gives why it could not.
   */
  maintain(): readonly string[] {
    return [
      troubleOf('old history was not deleted', () => this.#inTransaction(() => this.#history.pruneAged(this.#clock.wallMs()))),
      troubleOf('secrets are not encrypted yet', () => this.#inTransaction(() => this.#context.schemas.sealMarked())),
      this.#scrubIfDue(),
    ].flatMap((trouble) => trouble ?? []);
  }

  #tellLostKey(): readonly string[] {
    const text = lostKeyText(this.#connection, this.#secrets);
    if (text === undefined) return [];
    addNotice(this.#connection, this.#clock.wallMs(), text);
    return [text];
  }

  #scrubIfDue(): string | undefined {
    return troubleOf('plain text of what is a secret now may still be in the database file', () => this.#scrub.doIfDue());
  }

  #inTransaction(work: () => void): void {
    this.#connection.transaction(work).immediate();
  }

  /** What SQLite failed with since it was last asked, by its codes. */
  takeFailures(): string[] {
    return this.#failures.splice(0);
  }

  #failed(operation: Operation, error: unknown): Outcome {
    const code = sqliteCode(error);
    if (code !== undefined) this.#failures.push(code);
    return storageFailure(operation, error);
  }

  #attempt(operation: Operation): Outcome {
    const inBatch = this.#connection.inTransaction;
    const isSaved = inBatch && writes(operation) && actionOf(operation).isOneStep?.(operation.data) !== true;
    try {
      return { done: true, result: isSaved ? this.#savepoint(operation) : this.#do(operation) };
    } catch (error) {
      // SQLite ended the whole transaction by itself (a full disk, say): nothing of the batch stands.
      if (inBatch && !this.#connection.inTransaction) throw error;
      // What SQLite failed with halfway can only be undone with the whole batch.
      if (inBatch && !isSaved && writes(operation) && sqliteCode(error) !== undefined) throw error;
      return error instanceof ActionFailure ? refused(error) : this.#failed(operation, error);
    }
  }

  #do(operation: Operation): unknown {
    return actionOf(operation).perform(this.#context, operation.data);
  }
}

/** What could not be done, and why; undefined if it was. */
function troubleOf(what: string, work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return `${what}: ${reasonOf(error)}; it is tried again within the hour`;
  }
}

function besideDatabase(path: string): string {
  return join(dirname(path), 'secrets.key');
}
