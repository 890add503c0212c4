// Opens the database for a house that has to go on: what is damaged is recovered, a disk without room is only read from, and what
// was interrupted is finished. What is not ours, or newer, is refused and untouched.
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { isSystemError, StartError, syncPath } from '@majordomus/runtime';
import { backupsIn, newestFirst } from '../backup/backup-files.ts';
import { DatabaseDamaged, openConnection, openWithoutRoom } from '../file/connection.ts';
import { integrityOfFile } from '../file/integrity.ts';
import { leastBytes, type Room } from '../file/room.ts';
import { isFull, sqliteCode } from '../file/sqlite-code.ts';
import { addNotice, lostValuesTodo } from './notices.ts';
import { recover } from './recovery.ts';
import { finishRescue } from './rescue.ts';
import { finishReplacement } from './set-aside.ts';

export interface OpeningOptions {
  /** The folder of the daily backups. */
  readonly backups: string;
  readonly room: Room;
  readonly wallMs: number;
  /** Whether it was found damaged or overwritten by whoever had it open before: every index is looked at, too. */
  readonly isSuspect: boolean;
  /** What a person is told besides, in a notice. */
  readonly notice?: string | undefined;
}

export interface Opened {
  readonly connection: Database;
  /** What happened that a person should know. */
  readonly told: readonly string[];
  /** Whether the disk had no room even to open it as usual: it is better opened anew when there is. */
  readonly isWithoutRoom: boolean;
}

/** @throws StartError DATABASE_TOO_NEW, HOME_NOT_WRITABLE, CANNOT_START */
export function openDatabase(path: string, options: OpeningOptions): Opened {
  finishReplacement(path);
  const rescued = finishRescue(path, options.wallMs);
  const mark = `${path}.known`;
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  const isKnown = existsSync(mark);
  const left = leftByLastEnd(path);
  const found = size === 0 && isKnown ? 'it is empty, and was not' : options.isSuspect || left !== undefined ? damageOf(path) : undefined;
  const usable = found === undefined ? openOrRecover(path, options) : recovered(path, found, options);
  const opened = { ...usable, told: [...rescued, ...usable.told] };
  if (!isKnown) setMark(mark);
  for (const notice of [left, options.notice]) if (notice !== undefined) tryNotice(opened.connection, options.wallMs, notice);
  rmSync(leftFile(path), { force: true });
  const [newest] = newestFirst(backupsIn(options.backups), options.wallMs);
  if (size === undefined && (isKnown || newest !== undefined)) {
    const restore = newest === undefined ? 'domus restore' : `the newest: domus restore --force ${join(options.backups, newest.file)}`;
    const text = `the database ${path} was not there any more, and is a new and empty one now; if nobody took it away on purpose, put a backup back (${restore}); without one, ${lostValuesTodo}`;
    addNotice(opened.connection, options.wallMs, text);
    return { ...opened, told: [...opened.told, text] };
  }
  return opened;
}

function openOrRecover(path: string, options: OpeningOptions): Opened {
  try {
    return { connection: openConnection(path), told: [], isWithoutRoom: false };
  } catch (error) {
    if (error instanceof DatabaseDamaged) return recovered(path, error.damage, options);
    const code = error instanceof StartError ? (sqliteCode(error.cause) ?? '') : '';
    if (isFull(code) || (code !== '' && options.room.freeBytes() < leastBytes)) return { connection: openWithoutRoom(path), told: [`the disk of ${path} has no room (${code}): it is only read`], isWithoutRoom: true };
    throw error;
  }
}

function recovered(path: string, damage: string, { backups, wallMs }: OpeningOptions): Opened {
  const { text } = recover(path, damage, { backups, wallMs });
  return { connection: openConnection(path), told: [text], isWithoutRoom: false };
}

function damageOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  return integrityOfFile(path).problems[0];
}

/** Without room for it the log alone has it. */
function tryNotice(connection: Database, wallMs: number, text: string): void {
  try {
    addNotice(connection, wallMs, text);
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
  }
}

/** Says that there was a database, so that an empty file is known for what it is: no new one, but one that was lost. */
function setMark(mark: string): void {
  try {
    closeSync(openSync(mark, 'a', 0o600));
    syncPath(dirname(mark));
  } catch (error) {
    // Without room for it, the next start sets it.
    if (!isSystemError(error)) throw error;
  }
}

function leftFile(path: string): string {
  return `${path}.overwritten`;
}

/** Keeps what a person has to be told until the next start, where the database itself is not to be written to any more. */
export function leaveForNextStart(path: string, text: string): void {
  try {
    writeFileSync(leftFile(path), text, { mode: 0o600 });
  } catch (error) {
    // The log has it.
    if (!isSystemError(error)) throw error;
  }
}

function leftByLastEnd(path: string): string | undefined {
  try {
    return readFileSync(leftFile(path), 'utf8');
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** Closes a connection and leaves the file and its log as they are: the last one to close would copy the log into the file. */
export function closeUntouched(connection: Database): void {
  let reader: Database | undefined;
  try {
    reader = new Sqlite(connection.name, { readonly: true });
    reader.pragma('schema_version');
  } catch (error) {
    // It has the file open all the same.
    if (sqliteCode(error) === undefined) throw error;
  }
  connection.close();
  reader?.close();
}
