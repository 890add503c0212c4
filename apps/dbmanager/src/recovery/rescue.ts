// Files of the database were deleted under the house, which still has them open: what is in them is written anew before they are closed
// and gone. The copy is whole once it is called `.rescued-<time>`: from then on the next start finishes what is interrupted. A file
// that has the database's name by now stays as it is.
import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { ensureFolder, syncPath } from '@majordomus/runtime';
import { giveFreeName } from '../file/free-name.ts';
import { integrityOfFile } from '../file/integrity.ts';
import { identityOf, type Loss, type OpenFiles } from '../file/open-files.ts';
import { addNotice } from './notices.ts';
import { freePlace, workingFile } from './set-aside.ts';

/** So many databases that were replaced are kept. */
const keptAtMost = 3;

/** The database is replaced again and again. */
class ReplacedTooOften extends Error {
  override readonly name = 'ReplacedTooOften';
  readonly code = 'REPLACED_TOO_OFTEN';
}

export interface RescueOptions {
  readonly wallMs: number;
  /** Whether the database is closed after this, come what may. */
  readonly isLast: boolean;
}

/**
 * Closes the database when there is another file with all that is in it; until then, also when this throws, it stays open.
 * @returns what a person is told, which is a notice in that file, too; undefined if its files are there again, or that is not known
 * @throws SqliteError, StartError, ReplacedTooOften, a system error
 */
export function rescue(connection: Database, files: OpenFiles, { wallMs, isLast }: RescueOptions): string | undefined {
  const found = files.look().loss;
  if (found === undefined) return undefined;
  const path = connection.name;
  ensureFolder(dirname(path));
  if (found.kind.startsWith('replaced') && !isLast) checkKept(path);
  const copy = freePlace(path, wallMs, 'rescued');
  copyOpen(connection, copy, wallMs, found);
  for (const older of rescuedOf(path)) if (older !== copy) rmSync(older);
  // It took its time.
  const { loss } = files.look();
  if (loss === undefined) {
    rmSync(copy);
    return undefined;
  }
  const text = place(path, copy, wallMs, loss);
  connection.close();
  return text;
}

/**
 * Takes what a rescue has left that was interrupted, before the database is opened.
 * @returns what happened, for the log
 * @throws a system error
 */
export function finishRescue(path: string, wallMs: number): readonly string[] {
  return rescuedOf(path).map((copy) => {
    if (integrityOfFile(copy).problems.length > 0) {
      const kept = freePlace(path, wallMs);
      renameSync(copy, kept);
      return `${copy} is damaged, and kept as ${kept}`;
    }
    if (identityOf(copy) === identityOf(path)) {
      rmSync(copy);
      return `${path} was written anew from what was open when it was deleted`;
    }
    return place(path, copy, wallMs, { text: `${path} was deleted or replaced while the house ran`, kind: existsSync(path) ? 'replaced with its log' : 'deleted' });
  });
}

/** The last first. */
function rescuedOf(path: string): readonly string[] {
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.rescued-`)).sort().toReversed().map((name) => join(folder, name));
}

function checkKept(path: string): void {
  const kept = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.replaced-`));
  if (kept.length < keptAtMost) return;
  throw new ReplacedTooOften(`it was replaced ${kept.length} times already, and what replaces it is not used any more: see what does that, then look through ${path}.replaced-* and move them away`);
}

/** Writes what is open into a file with the name `copy`, readable by its owner alone: it is whole, or not there. */
function copyOpen(connection: Database, copy: string, wallMs: number, loss: Loss): void {
  const working = workingFile(connection.name);
  const removeWorking = (): void => {
    for (const part of ['', '-journal']) rmSync(working + part, { force: true });
  };
  try {
    removeWorking();
    closeSync(openSync(working, 'wx', 0o600));
    connection.prepare('VACUUM INTO ?').run(working);
    const target = new Sqlite(working);
    try {
      addNotice(target, wallMs, loss.kind.startsWith('replaced') ? replacedText(loss) : deletedText(loss));
    } finally {
      target.close();
    }
    syncPath(working);
    renameSync(working, copy);
    syncPath(dirname(copy));
  } catch (error) {
    removeWorking();
    throw error;
  }
}

/** Gives a whole copy the name of the database, if no other file has that; gives what a person is told. */
function place(path: string, copy: string, wallMs: number, loss: Loss): string {
  // SQLite would bring what the old log holds into a file that it does not belong to. It is read all the same where it is open.
  if (loss.kind !== 'replaced with its log') for (const part of ['-wal', '-shm', '-journal']) rmSync(path + part, { force: true });
  // The file that stands there is the old one, without its log.
  if (loss.kind === 'log deleted') renameSync(copy, path);
  else if (loss.kind !== 'deleted' || !giveFreeName(copy, path)) {
    const kept = freePlace(path, wallMs, 'replaced');
    renameSync(copy, kept);
    syncPath(dirname(path));
    return `${replacedText(loss)} as ${kept}`;
  }
  syncPath(dirname(path));
  return deletedText(loss);
}

function replacedText({ text }: Loss): string {
  return `see what replaces files of the house: ${text}; that other file is used now, and what was in the old one is kept`;
}

function deletedText({ text }: Loss): string {
  return `see what deletes files of the house: ${text}; the database was written anew from what was still open, and nothing is missing`;
}
