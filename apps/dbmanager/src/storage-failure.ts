// What a caller is told when the database fails: no room, or anything else. And what SQLite's codes mean for the connection.
import { type ActionFailure, refuse } from '@majordomus/contracts';
import { reasonOf } from '@majordomus/runtime';
import { sqliteCode } from './connection.ts';
import { actions, writes, type Operation, type Outcome } from './operation.ts';

export function storageFailure(operation: Operation, error: unknown): Outcome {
  const code = sqliteCode(error);
  if (code !== undefined && isFull(code)) return storageFull(operation, `${reasonOf(error)} (${code})`);
  const { action } = operation;
  // When a sync fails nobody knows what of it has reached the disk.
  const outcome = writes(operation) && code?.startsWith('SQLITE_IOERR') === true ? 'whether it was done is not certain: read it, or do it again' : 'nothing was changed';
  const reason = `${action}${about(operation)} failed, and ${outcome}: ${reasonOf(error)}${code === undefined ? '' : ` (${code})`}`;
  return refused(refuse(actions[action], 'STORAGE_ERROR', reason));
}

/** @param why how it is known */
export function storageFull(operation: Operation, why: string): Outcome {
  const { action } = operation;
  return refused(refuse(actions[action], 'STORAGE_FULL', `${action}${about(operation)} was refused, and nothing was changed: there is no room on the disk of the house: ${why}; free some, and do it again`));
}

/** For a write that is not tried, since what was written before cannot be made safe first. */
export function storageBlocked(operation: Operation, { cause }: { readonly cause: unknown }): Outcome {
  const code = sqliteCode(cause);
  const why = `what was written before cannot be brought into the database file (${reasonOf(cause)}${code === undefined ? '' : `, ${code}`})`;
  if (code !== undefined && isFull(code)) return storageFull(operation, why);
  const { action } = operation;
  return refused(refuse(actions[action], 'STORAGE_ERROR', `${action}${about(operation)} was refused, and nothing was changed: ${why}; look at the disk of the house`));
}

export function refused({ code, message, details }: ActionFailure): Outcome {
  return { done: false, refusal: { code, reason: message, details } };
}

/** Whether it says that the disk has no room; the index of the log is a file, too. */
export function isFull(code: string): boolean {
  return code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE';
}

/** Whether a connection that has met it must not be used for anything else: a damaged file, a sync or a read that failed. */
export function spoils(code: string): boolean {
  return /^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(code) && !isFull(code);
}

/** Whether the file itself is damaged. */
export function isDamage(code: string): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(code);
}

function about({ data }: Operation): string {
  return 'host' in data ? ` of ${data.plugin} on ${data.host}` : 'plugin' in data ? ` of ${data.plugin}` : '';
}
