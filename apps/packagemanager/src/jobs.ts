// The installations that run and those that ended, by id. A job outlives the request that started it, so whoever asked can
// follow it; the number that is remembered is bounded.
import { randomUUID } from 'node:crypto';
import { ActionFailure, jobGet, refuse, type FieldProblems, type Job } from '@majordomus/contracts';
import { orAborted, type Log } from '@majordomus/runtime';
import type { Progress } from './installer.ts';
import { shownSource } from './source.ts';

/** What a job is given to do its work. */
export interface JobContext {
  readonly id: string;
  /** Fires when packagemanager stops. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export interface JobsOptions {
  readonly log: Log;
  /** How many are remembered; the oldest that ended is forgotten first. */
  readonly remembered?: number;
  /** How many run at once; beyond it a new one is refused. */
  readonly atOnce?: number;
}

interface Entry {
  job: Job;
  failure: ActionFailure | undefined;
  ended: Promise<void>;
}

export class Jobs {
  readonly #log: Log;
  readonly #remembered: number;
  readonly #atOnce: number;
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new AbortController();
  #running = 0;

  constructor({ log, remembered = 100, atOnce = 16 }: JobsOptions) {
    this.#log = log;
    this.#remembered = remembered;
    this.#atOnce = atOnce;
  }

  /** Starts a job, or goes on with one of an earlier run by its id, and returns at once. @throws ActionFailure STOPPING, OVERLOADED */
  start(givenSource: string, work: (context: JobContext) => Promise<void>, id: string = randomUUID()): Job {
    if (this.#stopping.signal.aborted) throw new ActionFailure('STOPPING', 'packagemanager is stopping; try again when it runs');
    if (this.#running >= this.#atOnce) {
      throw new ActionFailure('OVERLOADED', `${this.#running} installations are running; try again when one has ended`);
    }
    const job: Job = { id, state: 'running', source: shownSource(givenSource), step: 'resolve', percent: 0 };
    const entry: Entry = { job, failure: undefined, ended: Promise.resolve() };
    this.#entries.set(job.id, entry);
    this.#running += 1;
    entry.ended = this.#run(entry, work);
    this.#forget();
    return entry.job;
  }

  /** How a job is. @throws ActionFailure JOB_NOT_FOUND */
  get(id: string): Job {
    return this.#entry(id).job;
  }

  /**
   * How a job is when it has ended, or after `waitMs`, or when the signal fires.
   * @throws ActionFailure JOB_NOT_FOUND; the job's own when it failed
   */
  async settled(id: string, waitMs: number, signal: AbortSignal): Promise<Job> {
    const entry = this.#entry(id);
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), waitMs);
    try {
      await orAborted(entry.ended, AbortSignal.any([signal, waiting.signal]));
    } catch {
      // Whoever waits is told how far it is.
    } finally {
      clearTimeout(timer);
    }
    if (entry.failure !== undefined) throw entry.failure;
    return entry.job;
  }

  /** Interrupts every job that runs; fulfilled when all have ended. No job starts after that. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#entries.values()].map(({ ended }) => ended));
  }

  async #run(entry: Entry, work: (context: JobContext) => Promise<void>): Promise<void> {
    const { id, source } = entry.job;
    const progress = (progress: Progress): void => {
      entry.job = { ...entry.job, ...progress };
    };
    try {
      await work({ id, signal: this.#stopping.signal, progress });
      entry.job = { ...entry.job, state: 'done', percent: 100 };
      const { plugin, version, cached } = entry.job;
      this.#log.info({ job: id, source, plugin, version }, cached === true ? 'installed; the network did not answer, and the cache did' : 'installed');
    } catch (error) {
      entry.failure = this.#failureOf(error, entry.job);
      entry.job = { ...entry.job, state: 'failed', error: errorOf(entry.failure) };
      this.#log.warn({ job: id, source, code: entry.failure.code }, `not installed: ${entry.failure.message}`);
    } finally {
      this.#running -= 1;
    }
  }

  #failureOf(error: unknown, { id, source }: Job): ActionFailure {
    if (error instanceof ActionFailure) return error;
    this.#log.error({ err: error, job: id }, 'an installation failed unexpectedly');
    return new ActionFailure('INTERNAL', `the installation of ${source} failed unexpectedly; the log of packagemanager has the details`, {}, { cause: error });
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      throw refuse(jobGet, 'JOB_NOT_FOUND', `there is no job ${JSON.stringify(id)}; jobs are forgotten when packagemanager restarts, so see what is installed`);
    }
    return entry;
  }

  #forget(): void {
    for (const [id, { job }] of this.#entries) {
      if (this.#entries.size <= this.#remembered) return;
      if (job.state !== 'running') this.#entries.delete(id);
    }
  }
}

function errorOf({ code, message, details }: ActionFailure): NonNullable<Job['error']> {
  const { fields, log } = details as { readonly fields?: FieldProblems; readonly log?: string[] };
  return { code, reason: message, ...(fields !== undefined && { fields }), ...(log !== undefined && { log }) };
}
