// A consistent copy of the database while others read and write it. `VACUUM INTO` reads one state of it in a transaction of its
// own, which holds no writer up; the other way, SQLite's online backup, begins anew at each write of another connection.
// The copy gets its name only when it is on the disk and was read whole.
import { closeSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { syncPath } from '@majordomus/runtime';
import { applicationId } from '../file/connection.ts';

/** What was copied is not what it should be. */
class CopyDamaged extends Error {
  override readonly name = 'CopyDamaged';
  readonly code = 'COPY_DAMAGED';
}

/**
 * Copies a database, readable by its owner alone. There is a whole copy or none.
 * @param target a name in a folder that is there, on a disk with room for it; what has that name is replaced
 * @returns its size in bytes
 * @throws SqliteError, CopyDamaged, or a system error
 */
export function copyDatabase(path: string, target: string): number {
  const unfinished = `${target}.unfinished`;
  try {
    removeUnfinished(target);
    closeSync(openSync(unfinished, 'wx', 0o600));
    const source = new Sqlite(path, { readonly: true, fileMustExist: true });
    try {
      source.prepare('VACUUM INTO ?').run(unfinished);
    } finally {
      source.close();
    }
    syncPath(unfinished);
    checkCopy(unfinished);
    const { size } = statSync(unfinished);
    renameSync(unfinished, target);
    syncPath(dirname(target));
    return size;
  } catch (error) {
    removeUnfinished(target);
    throw error;
  }
}

/** Removes what a copy that came to no end has left: the file, and the journal that SQLite keeps beside it. */
export function removeUnfinished(target: string): void {
  for (const part of ['', '-journal']) rmSync(`${target}.unfinished${part}`, { force: true });
}

function checkCopy(file: string): void {
  const copy = new Sqlite(file, { readonly: true, fileMustExist: true });
  try {
    const problem = copy.pragma('application_id', { simple: true }) === applicationId ? String(copy.pragma('quick_check(1)', { simple: true })) : 'it is no database of a house';
    if (problem !== 'ok') throw new CopyDamaged(`the copy is not whole: ${problem}`);
  } finally {
    copy.close();
  }
}
