// What a caller, or a person, is told when the database fails: no room, or anything else.
import { refuse } from '@majordomus/contracts';
import { reasonOf } from '@majordomus/runtime';
import { actionOf, writes, type Operation } from '../actions.ts';
import { isFull, sqliteCode } from '../file/sqlite-code.ts';
import { refused, type Outcome } from './outcome.ts';

export function storageFailure(operation: Operation, error: unknown): Outcome {
  const code = sqliteCode(error);
  if (code !== undefined && isFull(code)) return storageFull(operation, `${reasonOf(error)} (${code})`);
  const { action } = operation;
  // When a sync fails nobody knows what of it has reached the disk.
  const outcome = writes(operation) && code?.startsWith('SQLITE_IOERR') === true ? 'whether it was done is not certain: read it, or do it again' : 'nothing was changed';
  const reason = `${action}${about(operation)} failed, and ${outcome}: ${reasonOf(error)}${code === undefined ? '' : ` (${code})`}`;
  return refused(refuse(actionOf(operation).contract, 'STORAGE_ERROR', reason));
}

/** @param why how it is known */
export function storageFull(operation: Operation, why: string): Outcome {
  const { action } = operation;
  return refused(refuse(actionOf(operation).contract, 'STORAGE_FULL', `${action}${about(operation)} was refused, and nothing was changed: there is no room on the disk of the house: ${why}; free some, and do it again`));
}

/** For a write that is not tried, since what was written before cannot be made safe first. */
export function storageBlocked(operation: Operation, { cause }: { readonly cause: unknown }): Outcome {
  const code = sqliteCode(cause);
  const why = `what was written before cannot be brought into the database file (${reasonOf(cause)}${code === undefined ? '' : `, ${code}`})`;
  if (code !== undefined && isFull(code)) return storageFull(operation, why);
  const { action } = operation;
  return refused(refuse(actionOf(operation).contract, 'STORAGE_ERROR', `${action}${about(operation)} was refused, and nothing was changed: ${why}; look at the disk of the house`));
}

/** For a write that nobody would find any more. @param why what became of the database's files */
export function storageLost(operation: Operation, why: string): Outcome {
  return refused(refuse(actionOf(operation).contract, 'STORAGE_ERROR', `${operation.action}${about(operation)} was refused, and nothing was changed: ${why}; it is written anew: do it again, and see the log of dbmanager if that fails, too`));
}

/** For what would be done with a mixture. @param why what became of the database */
export function storageOverwritten(operation: Operation, why: string): Outcome {
  return refused(refuse(actionOf(operation).contract, 'STORAGE_ERROR', `${operation.action}${about(operation)} was refused, and nothing was changed: ${why}; it is looked through and opened anew when that is over: do it again`));
}

/** What a person is told then. It has its time, since what happens twice is told twice. @param why what became of the database */
export function overwrittenNotice(why: string, wallMs: number): string {
  return `see what writes to files of the house: ${why} (${new Date(wallMs).toISOString().slice(0, 16)}Z); what is in it now may be a mixture of old and new: look through the configuration (domus config list), or put a backup back (domus restore)`;
}

function about({ data }: Operation): string {
  return 'host' in data ? ` of ${data.plugin} on ${data.host}` : 'plugin' in data ? ` of ${data.plugin}` : '';
}
