// The database's thread, kept alive: one that dies is replaced, and so is one whose connection is not to be trusted any more. One
// that dies again and again is given up. It knows nothing of what the thread is asked.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StartError, type Clock, type Log } from '@majordomus/runtime';
import type { Renewal } from '../database/guarded-database.ts';
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts';

/** More deaths of the thread than this within the window, and it is given up. */
const deathLimit = 5;
const deathWindowMs = 60_000;
/** A file that is written to on and on is read anew less and less often: `settleMs` doubles with each time within the window, so often at most. */
const overwritingWindowMs = 3_600_000;
const mostDoublings = 6;

export interface KeptThreadOptions {
  /** What each thread is started with, beside what is known from those before it. */
  readonly data: Omit<ThreadData, 'isSuspect' | 'notice' | 'hasDiskFailed' | 'settleMs'> & { readonly settleMs: number };
  readonly log: Log;
  readonly clock: Clock;
  readonly startThread?: ((data: ThreadData) => Worker) | undefined;
  /** A thread has the database open. */
  readonly onReady: () => void;
  readonly onDone: (outcomes: readonly string[], committed: boolean) => void;
  /** The thread is dead: whether what it had under way is done cannot be known. Another one follows, or `onLost`. */
  readonly onDeath: (reason: string) => void;
  /** No thread follows any more. */
  readonly onLost: (reason: string) => void;
}

/** No thread has the database open any more: the process is better started anew. */
class StoreLost extends Error {
  override readonly name = 'StoreLost';
  readonly code = 'STORE_LOST';
}

export class KeptThread {
  readonly #options: KeptThreadOptions;
  readonly #opened = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #thread: Worker | undefined;
  #isReady = false;
  /** Whether any thread ever had the database open. */
  #wasOpen = false;
  #isClosing = false;
  #deaths: readonly number[] = [];
  #overwritings: readonly number[] = [];
  /** Why the thread ends by itself, to be replaced. */
  #renewal: Renewal | undefined;
  /** Whether the disk has failed under any thread: whether a later sync did what it said cannot be known then. */
  #hasDiskFailed = false;

  constructor(options: KeptThreadOptions) {
    this.#options = options;
    // Whoever does not wait for the end must not be ended by it.
    this.#ended.promise.catch(() => undefined);
    this.#start();
  }

  /** Whether the thread has the database open. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when the database is open for the first time. @throws StartError DATABASE_TOO_NEW, HOME_NOT_WRITABLE, CANNOT_START; StoreLost */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Resolves when the last thread has ended as it was told to; rejects with StoreLost if none can be kept alive, or the database cannot be opened any more. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Each text is an Operation. */
  run(operations: readonly string[]): void {
    this.#tell({ kind: 'run', operations });
  }

  /** Lets it close the database and end. */
  close(): void {
    this.#isClosing = true;
    this.#tell({ kind: 'close' });
  }

  #tell(message: ToThread): void {
    this.#thread?.postMessage(message);
  }

  #start(): void {
    const { data, log, clock, onReady, onDone, startThread = startStoreThread } = this.#options;
    leaveDeletedFolder(dirname(data.path));
    const { why: cause, notice } = this.#renewal ?? {};
    const settleMs = data.settleMs * 2 ** Math.min(this.#overwritings.length, mostDoublings);
    const thread = startThread({ ...data, settleMs, isSuspect: cause === 'damage' || cause === 'overwritten', notice, hasDiskFailed: this.#hasDiskFailed });
    this.#renewal = undefined;
    let why: Error | undefined;
    thread.on('message', (message: FromThread) => {
      switch (message.kind) {
        case 'opened':
          this.#isReady = true;
          this.#wasOpen = true;
          this.#opened.resolve();
          return onReady();
        case 'trouble':
          return log.warn(message.text);
        case 'failure':
          return log.error(message.text);
        case 'done':
          return onDone(message.outcomes, message.committed);
        case 'renew':
          this.#isReady = false;
          this.#renewal = message;
          this.#hasDiskFailed ||= message.why === 'failed disk';
          if (message.why === 'overwritten') this.#overwritings = recent(this.#overwritings, clock.monotonicMs(), overwritingWindowMs);
          return;
        case 'refused':
          why = new StartError(message.code, message.message);
          return;
        default:
          return message satisfies never;
      }
    });
    thread.on('error', (error) => (why = error));
    thread.on('exit', (exitCode) => this.#threadEnded(why, exitCode));
    this.#thread = thread;
  }

  #threadEnded(why: Error | undefined, exitCode: number): void {
    const { log, clock, onDeath } = this.#options;
    this.#isReady = false;
    this.#thread = undefined;
    if (this.#isClosing) {
      if (why !== undefined) log.error({ err: why }, 'the database was not closed in order');
      this.#ended.resolve();
      return;
    }
    if (why instanceof StartError) {
      // It is no wrong setting, which would be the end for the supervisor: a process that is started anew may well open it, or says itself why not.
      if (this.#wasOpen) this.#giveUp(why.message, new StoreLost(`the database cannot be opened any more: ${why.message}`, { cause: why }));
      else {
        this.#opened.reject(why);
        this.#ended.resolve();
      }
      return;
    }
    if (this.#renewal !== undefined) {
      log.error(`${this.#renewal.text}: it is closed, and opened anew`);
      this.#start();
      return;
    }
    const reason = why?.message ?? `exit code ${exitCode}`;
    onDeath(reason);
    const now = clock.monotonicMs();
    this.#deaths = recent(this.#deaths, now, deathWindowMs);
    log.error({ err: why, deaths: this.#deaths.length }, "the database's thread ended unexpectedly");
    if (this.#deaths.length <= deathLimit) this.#start();
    else this.#giveUp(reason, new StoreLost(`the database's thread ended ${this.#deaths.length} times within ${deathWindowMs / 1000} s, last because: ${reason}; start dbmanager again, and see its log`, { cause: why }));
  }

  #giveUp(reason: string, lost: StoreLost): void {
    this.#options.onLost(reason);
    this.#opened.reject(lost);
    this.#ended.reject(lost);
  }
}

/** Those within the window, and one now. */
function recent(times: readonly number[], nowMs: number, windowMs: number): number[] {
  return [...times.filter((time) => nowMs - time < windowMs), nowMs];
}

/** A thread cannot start in a folder that was deleted; what a process does after its start, it does by absolute paths. */
function leaveDeletedFolder(otherwise: string): void {
  if (statSync('.').nlink === 0) process.chdir(otherwise);
}

function startStoreThread(data: ThreadData): Worker {
  return new Worker(new URL('./store-thread.ts', import.meta.url), { name: 'store', workerData: data });
}
