// What crosses between the main thread and the database's thread: operations one way, their outcomes the other. Both cross as JSON
// text, since a structured clone fails on values that are nested less deeply than a contract accepts.
import type { StartErrorCode } from '@majordomus/runtime';
import type { HistoryLimits } from '../configuration/history.ts';
import type { Renewal } from '../database/guarded-database.ts';

/** What a thread is started with. */
export interface ThreadData {
  /** Absolute path of the database file. */
  readonly path: string;
  readonly keyFile?: string | undefined;
  readonly history?: HistoryLimits | undefined;
  /** The folder of the daily backups, from which a recovery takes what is missing. */
  readonly backups: string;
  /** Writes are refused while less is free on the disk. */
  readonly minFreeBytes: number;
  /** How long nobody may have written into the file past SQLite before it is opened anew (default 2000). */
  readonly settleMs?: number | undefined;
  /** Whether an earlier thread has found the database damaged or overwritten. */
  readonly isSuspect: boolean;
  /** What a person is told of why an earlier thread has ended. */
  readonly notice?: string | undefined;
  /** Whether the disk has failed under an earlier thread. */
  readonly hasDiskFailed: boolean;
}

export type ToThread =
  /** Each text is an Operation. */
  | { readonly kind: 'run'; readonly operations: readonly string[] }
  /** Close the database and end. */
  | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'opened' }
  /** The database cannot be opened, and why, as a StartError says it; the thread ends. */
  | { readonly kind: 'refused'; readonly code: StartErrorCode; readonly message: string }
  /** What could not be done beside the operations, for the log. */
  | { readonly kind: 'trouble'; readonly text: string }
  /** What harms the house until somebody sees to it, for the log. */
  | { readonly kind: 'failure'; readonly text: string }
  /** Each text is an Outcome. `committed`: whether the batch committed a write, and so was synced to disk. */
  | { readonly kind: 'done'; readonly outcomes: readonly string[]; readonly committed: boolean }
  /** The connection is not to be trusted any more, and why: it is closed, and the thread ends, so that another one begins anew. */
  | ({ readonly kind: 'renew' } & Renewal);
