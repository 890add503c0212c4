// Makes a backup of the database each day the house runs, and copies on demand, one at a time, in a thread of their own. A copy
// has its name only when it is whole; an older one goes only after that. Copying never takes the room that writes need.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ActionFailure, backupMake, refuse, type ResultOf } from '@majordomus/contracts';
import { ensureFolder, isSystemError, reasonOf, systemClock, type Clock, type Log } from '@majordomus/runtime';
import { roomOf } from '../file/room.ts';
import { backupName, backupsIn, isDue, surplus } from './backup-files.ts';
import { removeUnfinished } from './copy.ts';
import type { CopyData } from './copy-thread.ts';

export interface BackupsOptions {
  /** Absolute path of the database. */
  readonly path: string;
  /** The folder of the backups; it is made with the first. */
  readonly folder: string;
  /** How many daily backups are kept; with 0 none is made. */
  readonly keep: number;
  /** What stays free on the disk. */
  readonly minFreeBytes: number;
  /** When each of the notices was made that nobody has acknowledged; without it there are none. */
  readonly noticesMs?: () => Promise<readonly number[]> | readonly number[];
  readonly log: Log;
  readonly clock?: Clock;
}

/** After the start, when the house has other things to do. */
const firstLookMs = 30_000;
const lookMs = 10 * 60_000;
/** What failed is not tried again before, and a clock that jumps to and fro does not make a backup at each jump. */
const pauseMs = 60 * 60_000;
/** A copy that nobody took away. */
const leftoverMs = 24 * 60 * 60_000;
const copyName = /^\.copy-[0-9a-f-]+\.sqlite$/;
/** A copy that was not finished, and what SQLite keeps beside it meanwhile. */
const unfinishedName = /\.sqlite\.unfinished(-journal)?$/;

export class Backups implements AsyncDisposable {
  readonly #options: BackupsOptions;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** Resolves when the copy that is being made has ended, whichever way. */
  #copying: Promise<void> | undefined;
  #lastTryMs = -Infinity;

  constructor(options: BackupsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Looks from now on whether a backup is due. */
  start(): this {
    const lookAfter = (ms: number): void => {
      if (this.#ending.signal.aborted) return;
      this.#timer = setTimeout(() => void this.look().finally(() => lookAfter(lookMs)), ms).unref();
    };
    lookAfter(firstLookMs);
    return this;
  }

  /** Ends a copy that is being made; resolves when nothing of it is left. Twice is the same as once. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#ending.abort();
    await this.#copying;
  }

  /** Makes a backup if one is due; gives its name. Never rejects: what fails is logged, and tried again in an hour. */
  async look(): Promise<string | undefined> {
    const { folder, keep, log } = this.#options;
    try {
      this.#removeLeftovers();
      const nowMs = this.#clock.wallMs();
      if (keep === 0 || this.#ending.signal.aborted || this.#copying !== undefined || this.#clock.monotonicMs() < this.#lastTryMs + pauseMs || !isDue(backupsIn(folder), nowMs)) return undefined;
      this.#lastTryMs = this.#clock.monotonicMs();
      const name = backupName(nowMs);
      await this.#copy(join(folder, name));
      log.info({ file: name }, 'made the daily backup of the database');
      await this.#prune(nowMs);
      return name;
    } catch (error) {
      if (this.#ending.signal.aborted) return undefined;
      log.warn({ err: error }, `the daily backup of the database was not made: ${reasonOf(error)}; it is tried again within the hour`);
      return undefined;
    }
  }

  /** Never rejects: a backup is made, and those that are too many go with the next. */
  async #prune(nowMs: number): Promise<void> {
    const { folder, keep, noticesMs = () => [], log } = this.#options;
    try {
      const told = await noticesMs();
      if (this.#ending.signal.aborted) return;
      for (const { file } of surplus(backupsIn(folder), nowMs, keep, told)) rmSync(join(folder, file), { force: true });
    } catch (error) {
      if (!this.#ending.signal.aborted) log.warn({ err: error }, `older backups of the database stay until the next one is made: ${reasonOf(error)}`);
    }
  }

  /** A copy for whoever asks, who takes it away. @throws ActionFailure BACKUP_RUNNING, STORAGE_FULL, STORAGE_ERROR */
  async make(): Promise<ResultOf<typeof backupMake>> {
    if (this.#copying !== undefined) throw refuse(backupMake, 'BACKUP_RUNNING', 'another copy of the database is being made; ask again when it is done');
    const file = join(this.#options.folder, `.copy-${randomUUID()}.sqlite`);
    try {
      return { file, bytes: await this.#copy(file) };
    } catch (error) {
      if (this.#ending.signal.aborted) throw new ActionFailure('STOPPING', 'no copy of the database was made: dbmanager stops');
      const isFull = error instanceof NoRoom || isSystemError(error, 'ENOSPC', 'EDQUOT') || /database or disk is full/.test(reasonOf(error));
      throw refuse(backupMake, isFull ? 'STORAGE_FULL' : 'STORAGE_ERROR', `no copy of the database was made: ${reasonOf(error)}`);
    }
  }

  async #copy(target: string): Promise<number> {
    const { path, folder } = this.#options;
    const { signal } = this.#ending;
    signal.throwIfAborted();
    const ended = Promise.withResolvers<void>();
    this.#copying = ended.promise;
    try {
      ensureFolder(folder);
      // It may be older than this program, or unpacked by hand.
      chmodSync(folder, 0o700);
      this.#checkRoom();
      const thread = new Worker(new URL('./copy-thread.ts', import.meta.url), { name: 'copy', workerData: { path, target } satisfies CopyData });
      // An error that comes when it is not waited for any more is nobody's.
      thread.on('error', () => {});
      try {
        const [bytes] = (await once(thread, 'message', { signal })) as [number];
        return bytes;
      } finally {
        // SQLite itself goes on to the end of its statement, and then the thread does nothing more.
        await thread.terminate();
        if (signal.aborted) removeUnfinished(target);
      }
    } finally {
      this.#copying = undefined;
      ended.resolve();
    }
  }

  #checkRoom(): void {
    const { path, folder, minFreeBytes } = this.#options;
    const needed = sizeOf(path) + sizeOf(`${path}-wal`) + minFreeBytes;
    const free = roomOf(folder, minFreeBytes).freeBytes();
    if (free < needed) throw new NoRoom(`it needs ${Math.ceil(needed / 1024)} KiB on the disk of ${folder}, and ${Math.floor(free / 1024)} KiB are free`);
  }

  /** What a kill, or whoever asked for a copy, has left. */
  #removeLeftovers(): void {
    const { folder } = this.#options;
    if (this.#copying !== undefined) return;
    for (const name of namesIn(folder)) {
      const isLeft = unfinishedName.test(name) || (copyName.test(name) && this.#clock.wallMs() - (statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > leftoverMs);
      if (isLeft) rmSync(join(folder, name), { force: true });
    }
  }
}

/** The disk has no room for a copy beside what is left alone. */
class NoRoom extends Error {
  override readonly name = 'NoRoom';
  readonly code = 'NO_ROOM';
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
