// The database as the main thread sees it: asynchronous operations, answered when they are on disk. What arrives while
// the database's thread works is gathered and sent as one batch, so that concurrent writes share one commit.
// It knows no SQL, and never leaves an operation without an answer: a thread that dies is replaced.
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ActionFailure, refuse } from '@majordomus/contracts';
import { StartError, systemClock, type Clock, type Log } from '@majordomus/runtime';
import type { HistoryLimits } from './history.ts';
import { actions, type ActionName, type FromThread, type Operation, type OperationData, type OperationResult, type Outcome, type Renewal, type ToThread } from './operation.ts';
import type { ThreadData } from './store-thread.ts';

/** How many operations share a commit at most: while it is made, the answers of the one before are given out. */
const batchLimit = 128;
/** More deaths of the thread than this within the window, and the store gives up. */
const deathLimit = 5;
const deathWindowMs = 60_000;

export interface StoreOptions {
  /** Absolute path of the database file; its folder must be there. */
  readonly path: string;
  /** Absolute path of the key of the secrets, made with the first of them; without it `secrets.key` beside the database. */
  readonly keyFile?: string;
  /** What is kept of the history. */
  readonly history?: HistoryLimits;
  /** The folder of the daily backups; without it `backups` beside the database's folder. */
  readonly backups?: string;
  /** Writes are refused with STORAGE_FULL while less is free on the disk; without it nothing is left alone. */
  readonly minFreeBytes?: number;
  readonly log: Log;
  readonly clock?: Clock;
  /** Starts the database's thread; tests keep hold of it, to end it. */
  readonly startThread?: (data: ThreadData) => Worker;
}

/** What the store has done since it was opened. */
export interface StoreStats {
  /** Operations answered. */
  readonly operations: number;
  readonly batches: number;
  /** Batches that committed writes, each with one sync of the disk. */
  readonly commits: number;
}

/** The database's thread ended again and again: the process is better started anew. */
class StoreLost extends Error {
  override readonly name = 'StoreLost';
  readonly code = 'STORE_LOST';
}

interface Pending {
  readonly action: ActionName;
  /** The operation as JSON. */
  readonly text: string;
  readonly resolve: (result: OperationResult<ActionName>) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * Operations are done in the order of the calls, so a read sees every earlier write. Each rejects with an
 * ActionFailure that has a code of its contract; STORAGE_FULL without room on the disk, STORAGE_ERROR if the database fails otherwise.
 */
export class Store implements AsyncDisposable {
  readonly #options: StoreOptions;
  readonly #opened = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #stats = { operations: 0, batches: 0, commits: 0 };
  #thread: Worker | undefined;
  /** Whether the thread has the database open. */
  #ready = false;
  /** Whether any thread ever had. */
  #wasOpen = false;
  #waiting: Pending[] = [];
  #underWay: Pending[] = [];
  #sendSoon = false;
  #deaths: number[] = [];
  /** Why the thread ends by itself, to be replaced. */
  #renewal: Renewal | undefined;
  /** Whether the disk has failed under any thread: whether a later sync did what it said cannot be known then. */
  #hasDiskFailed = false;
  #state: 'open' | 'closing' | 'closed' = 'open';

  /**
   * Opens the database, and creates or migrates it where needed.
   * @throws StartError DATABASE_TOO_NEW, HOME_NOT_WRITABLE, CANNOT_START
   */
  static async open(options: StoreOptions): Promise<Store> {
    const store = new Store(options);
    await store.#opened.promise;
    return store;
  }

  private constructor(options: StoreOptions) {
    this.#options = options;
    // Whoever does not wait for the end must not be ended by it.
    this.#ended.promise.catch(() => undefined);
    this.#startThread();
  }

  /** One value, or all of a plugin on a host, defaults of the schema included. Values are as they were set, even if a later schema refuses them. */
  get(data: OperationData<'config.get'>): Promise<OperationResult<'config.get'>> {
    return this.#run({ action: 'config.get', data });
  }

  /** Sets one value or several, all or none; refused with CONFIG_INVALID where the schema of the plugin does. */
  set(data: OperationData<'config.set'>): Promise<OperationResult<'config.set'>> {
    return this.#run({ action: 'config.set', data });
  }

  delete(data: OperationData<'config.delete'>): Promise<OperationResult<'config.delete'>> {
    return this.#run({ action: 'config.delete', data });
  }

  list(): Promise<OperationResult<'config.list'>> {
    return this.#run({ action: 'config.list', data: {} });
  }

  history(data: OperationData<'config.history'>): Promise<OperationResult<'config.history'>> {
    return this.#run({ action: 'config.history', data });
  }

  /** Puts values back as they were after a change, all or none; it is a change itself. */
  revert(data: OperationData<'config.revert'>): Promise<OperationResult<'config.revert'>> {
    return this.#run({ action: 'config.revert', data });
  }

  /** From now on these items type the plugin's values; what is stored stays, fitting or not, and what they mark as secret is encrypted. */
  schemaSet(data: OperationData<'schema.set'>): Promise<OperationResult<'schema.set'>> {
    return this.#run({ action: 'schema.set', data });
  }

  schemaGet(data: OperationData<'schema.get'>): Promise<OperationResult<'schema.get'>> {
    return this.#run({ action: 'schema.get', data });
  }

  /** Reads the whole file; what else is asked waits for it. */
  check(): Promise<OperationResult<'database.check'>> {
    return this.#run({ action: 'database.check', data: {} });
  }

  /** What a person has to be told until they have seen it. */
  notices(): Promise<OperationResult<'notice.list'>> {
    return this.#run({ action: 'notice.list', data: {} });
  }

  acknowledge(data: OperationData<'notice.acknowledge'>): Promise<OperationResult<'notice.acknowledge'>> {
    return this.#run({ action: 'notice.acknowledge', data });
  }

  get stats(): StoreStats {
    return { ...this.#stats };
  }

  /** Resolves when the store is closed; rejects with StoreLost if its thread cannot be kept alive. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Finishes what was asked before, then closes the database. Never rejects; again is the same as once. */
  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing';
    this.#send();
    await this.#ended.promise.catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run<Name extends ActionName>(operation: Operation & { readonly action: Name }): Promise<OperationResult<Name>> {
    if (this.#state !== 'open') {
      return Promise.reject(new ActionFailure('STOPPING', `${operation.action} was refused: the database is closed`));
    }
    return new Promise((resolve, reject) => {
      // The thread answers each operation with that action's own result.
      this.#waiting.push({ action: operation.action, text: JSON.stringify(operation), resolve: resolve as Pending['resolve'], reject });
      this.#sendAtEndOfTurn();
    });
  }

  /** Lets everything that arrives in one turn of the event loop be one batch. */
  #sendAtEndOfTurn(): void {
    if (this.#sendSoon) return;
    this.#sendSoon = true;
    setImmediate(() => {
      this.#sendSoon = false;
      this.#send();
    });
  }

  #send(): void {
    if (!this.#ready || this.#underWay.length > 0) return;
    this.#underWay = this.#waiting.splice(0, batchLimit);
    if (this.#underWay.length > 0) {
      this.#tell({ kind: 'run', operations: this.#underWay.map(({ text }) => text) });
    } else if (this.#state === 'closing') {
      this.#state = 'closed';
      this.#tell({ kind: 'close' });
    }
  }

  #tell(message: ToThread): void {
    this.#thread?.postMessage(message);
  }

  #startThread(): void {
    const { path, keyFile, history, backups = join(dirname(path), '..', 'backups'), minFreeBytes = 0 } = this.#options;
    const thread = (this.#options.startThread ?? startStoreThread)({ path, keyFile, history, backups, minFreeBytes, isSuspect: this.#renewal?.why === 'damage', hasDiskFailed: this.#hasDiskFailed });
    this.#renewal = undefined;
    let why: Error | undefined;
    thread.on('message', (message: FromThread) => {
      if (message.kind === 'opened') {
        this.#ready = true;
        this.#wasOpen = true;
        this.#opened.resolve();
        this.#sendAtEndOfTurn();
      } else if (message.kind === 'trouble') this.#options.log.warn(message.text);
      else if (message.kind === 'renew') {
        this.#ready = false;
        this.#renewal = message;
        this.#hasDiskFailed ||= message.why === 'failed disk';
      } else if (message.kind === 'refused') why = new StartError(message.code, message.message);
      else this.#settle(message.outcomes, message.committed);
    });
    thread.on('error', (error) => (why = error));
    thread.on('exit', (exitCode) => this.#threadEnded(why, exitCode));
    this.#thread = thread;
  }

  #settle(outcomes: readonly string[], committed: boolean): void {
    const batch = this.#underWay;
    this.#underWay = [];
    this.#stats.batches++;
    this.#stats.operations += batch.length;
    if (committed) this.#stats.commits++;
    // The thread goes on at once.
    this.#send();
    for (const [index, { action, resolve, reject }] of batch.entries()) {
      const text = outcomes[index];
      const outcome: Outcome | undefined = text === undefined ? undefined : JSON.parse(text);
      if (outcome === undefined) reject(refuse(actions[action], 'STORAGE_ERROR', `${action} was not answered by the database's thread`));
      else if (outcome.done) resolve(outcome.result);
      else reject(new ActionFailure(outcome.refusal.code, outcome.refusal.reason, outcome.refusal.details));
    }
    this.#sendAtEndOfTurn();
  }

  #threadEnded(why: Error | undefined, exitCode: number): void {
    this.#ready = false;
    this.#thread = undefined;
    if (this.#state === 'closed') {
      if (why !== undefined) this.#options.log.error({ err: why }, 'the database was not closed in order');
      this.#ended.resolve();
      return;
    }
    if (why instanceof StartError && !this.#wasOpen) {
      this.#state = 'closed';
      this.#opened.reject(why);
      this.#ended.resolve();
      return;
    }
    if (this.#renewal !== undefined) {
      this.#options.log.error(`${this.#renewal.text}: it is closed, and opened anew`);
      this.#startThread();
      return;
    }
    const reason = why?.message ?? `exit code ${exitCode}`;
    for (const { action, reject } of this.#underWay.splice(0)) {
      reject(refuse(actions[action], 'STORAGE_ERROR', `${action} may or may not be done: the database's thread ended (${reason}); read it, or do it again`));
    }
    const now = (this.#options.clock ?? systemClock).monotonicMs();
    this.#deaths = [...this.#deaths.filter((time) => now - time < deathWindowMs), now];
    this.#options.log.error({ err: why, deaths: this.#deaths.length }, "the database's thread ended unexpectedly");
    if (this.#deaths.length <= deathLimit) this.#startThread();
    else this.#giveUp(reason, why);
  }

  #giveUp(reason: string, cause: Error | undefined): void {
    this.#state = 'closed';
    for (const { action, reject } of this.#waiting.splice(0)) {
      reject(refuse(actions[action], 'STORAGE_ERROR', `${action} was not done: the database's thread cannot be kept alive (${reason})`));
    }
    const lost = new StoreLost(`the database's thread ended ${this.#deaths.length} times within ${deathWindowMs / 1000} s, last because: ${reason}; start dbmanager again, and see its log`, { cause });
    this.#opened.reject(lost);
    this.#ended.reject(lost);
  }
}

function startStoreThread(data: ThreadData): Worker {
  return new Worker(new URL('./store-thread.ts', import.meta.url), { name: 'store', workerData: data });
}
