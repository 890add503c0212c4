// The database as the main thread sees it: asynchronous actions, answered when they are on disk. What arrives while
// the database's thread works is gathered and sent as one batch, so that concurrent writes share one commit.
// It knows no SQL, and never leaves an action without an answer.
import { dirname, join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { ActionFailure, refuse, type RequestOf, type ResultOf } from '@majordomus/contracts';
import { systemClock, type Clock, type Log } from '@majordomus/runtime';
import type { ActionContract } from '../actions.ts';
import type { HistoryLimits } from '../configuration/history.ts';
import type { Outcome } from '../database/outcome.ts';
import { KeptThread } from './kept-thread.ts';
import type { ThreadData } from './thread-messages.ts';

/** How many operations share a commit at most: while it is made, the answers of the one before are given out. */
const batchLimit = 128;

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
  /** How often it is looked whether somebody has deleted the database, while nobody asks anything (default 1000). */
  readonly lookMs?: number;
  /** How long nobody may have written into the file past SQLite before it is opened anew (default 2000). */
  readonly settleMs?: number;
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

interface Pending {
  readonly contract: ActionContract;
  /** The operation as JSON. */
  readonly text: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: Error) => void;
}

export class Store implements AsyncDisposable {
  readonly #thread: KeptThread;
  readonly #stats = { operations: 0, batches: 0, commits: 0 };
  #waiting: Pending[] = [];
  #underWay: Pending[] = [];
  #sendSoon = false;
  /** Whether the thread works at a batch. */
  #isBusy = false;
  #state: 'open' | 'closing' | 'closed' = 'open';

  /**
   * Opens the database, and creates or migrates it where needed.
   * @throws StartError DATABASE_TOO_NEW, HOME_NOT_WRITABLE, CANNOT_START; StoreLost
   */
  static async open(options: StoreOptions): Promise<Store> {
    const store = new Store(options);
    await store.#thread.opened;
    return store;
  }

  private constructor({ path, keyFile, history, backups = join(dirname(path), '..', 'backups'), minFreeBytes = 0, log, clock = systemClock, lookMs = 1000, settleMs = 2000, startThread }: StoreOptions) {
    this.#thread = new KeptThread({
      data: { path, keyFile, history, backups, minFreeBytes, settleMs },
      log,
      clock,
      startThread,
      onReady: () => this.#sendAtEndOfTurn(),
      onDone: (outcomes, committed) => this.#settle(outcomes, committed),
      onDeath: (reason) => {
        this.#isBusy = false;
        this.#refuse(this.#underWay.splice(0), (action) => `${action} may or may not be done: the database's thread ended (${reason}); read it, or do it again`);
      },
      onLost: (reason) => {
        this.#state = 'closed';
        this.#refuse(this.#waiting.splice(0), (action) => `${action} was not done: the database's thread cannot be kept alive (${reason})`);
      },
    });
    // An empty batch: with each the thread looks whether the files of the database are still there.
    const looking = setInterval(() => {
      if (this.#thread.isReady && !this.#isBusy) this.#run();
    }, lookMs).unref();
    void this.ended.catch(() => undefined).then(() => clearInterval(looking));
  }

  /**
   * Does an action of the contract. All are done in the order of the calls, so a read sees every earlier write. Resolves when what
   * it has written is on disk; rejects with an ActionFailure that has a code of the contract: STORAGE_FULL without room on the
   * disk, STORAGE_ERROR if the database fails otherwise; STOPPING once the store is closed.
   */
  do<C extends ActionContract>(contract: C, data: RequestOf<C>): Promise<ResultOf<C>> {
    const { action } = contract;
    if (this.#state !== 'open') return Promise.reject(new ActionFailure('STOPPING', `${action} was refused: the database is closed`));
    return new Promise((resolve, reject) => {
      // The thread answers each operation with that action's own result.
      this.#waiting.push({ contract, text: JSON.stringify({ action, data }), resolve: resolve as Pending['resolve'], reject });
      this.#sendAtEndOfTurn();
    });
  }

  get stats(): StoreStats {
    return { ...this.#stats };
  }

  /** Resolves when the store is closed; rejects with StoreLost if its thread cannot be kept alive, or the database cannot be opened any more. */
  get ended(): Promise<void> {
    return this.#thread.ended;
  }

  /** Finishes what was asked before, then closes the database. Never rejects; again is the same as once. */
  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing';
    this.#send();
    await this.ended.catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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
    if (!this.#thread.isReady || this.#isBusy) return;
    this.#underWay = this.#waiting.splice(0, batchLimit);
    if (this.#underWay.length > 0) {
      this.#run();
    } else if (this.#state === 'closing') {
      this.#state = 'closed';
      this.#thread.close();
    }
  }

  #run(): void {
    this.#isBusy = true;
    this.#thread.run(this.#underWay.map(({ text }) => text));
  }

  #settle(outcomes: readonly string[], committed: boolean): void {
    const batch = this.#underWay;
    this.#underWay = [];
    this.#isBusy = false;
    if (batch.length > 0) this.#stats.batches++;
    this.#stats.operations += batch.length;
    if (committed) this.#stats.commits++;
    // The thread goes on at once.
    this.#send();
    for (const [index, pending] of batch.entries()) {
      const text = outcomes[index];
      const outcome: Outcome | undefined = text === undefined ? undefined : JSON.parse(text);
      if (outcome === undefined) this.#refuse([pending], (action) => `${action} was not answered by the database's thread`);
      else if (outcome.done) pending.resolve(outcome.result);
      else pending.reject(new ActionFailure(outcome.refusal.code, outcome.refusal.reason, outcome.refusal.details));
    }
    this.#sendAtEndOfTurn();
  }

  #refuse(those: readonly Pending[], reasonFor: (action: string) => string): void {
    for (const { contract, reject } of those) reject(refuse(contract, 'STORAGE_ERROR', reasonFor(contract.action)));
  }
}
