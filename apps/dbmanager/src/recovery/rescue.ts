// Files of the database were deleted under the house, which still has them open: what is in them is written anew before they are closed
// and gone. Its commit is one rename; another file that has the name by now stays as it is.
import { renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { ensureFolder, syncPath } from '@majordomus/runtime';
import type { Loss } from '../file/open-files.ts';
import { addNotice } from './notices.ts';
import { freePlace, workingFile } from './set-aside.ts';

/**
 * Closes the database, of which there is another file then with all that was in it.
 * @returns what a person is told; it is a notice in that file, too
 * @throws SqliteError, StartError, a system error; the database is closed all the same
 */
export function rescue(connection: Database, { text: what, isReplaced, isLogStale }: Loss, wallMs: number): string {
  const path = connection.name;
  const working = workingFile(path);
  const target = isReplaced ? freePlace(path, wallMs, 'replaced') : path;
  const text = isReplaced
    ? `see what replaces files of the house: ${what}; that other file is used now, and what was in the old one is kept as ${target}`
    : `see what deletes files of the house: ${what}; the database was written anew from what was still open, and nothing is missing`;
  try {
    // SQLite would bring what it holds into a file that it does not belong to. It is read all the same: it is open.
    if (isLogStale) for (const part of ['-wal', '-shm', '-journal']) rmSync(path + part, { force: true });
    ensureFolder(dirname(path));
    rmSync(working, { force: true });
    connection.prepare('VACUUM INTO ?').run(working);
    const copy = new Sqlite(working);
    addNotice(copy, wallMs, text);
    copy.close();
  } finally {
    connection.close();
  }
  syncPath(working);
  renameSync(working, target);
  syncPath(dirname(path));
  return text;
}
