// What SQLite fails with, and what that means for the file and for the connection that has met it.
import Sqlite from 'better-sqlite3';

/** SQLite's name of the error, such as SQLITE_FULL, if it is one of SQLite's. */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Sqlite.SqliteError ? error.code : undefined;
}

/** Whether it says that the disk has no room; the index of the log is a file, too. */
export function isFull(code: string): boolean {
  return code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE';
}

/** Whether a connection that has met it must not be used for anything else: a damaged file, a sync or a read that failed. */
export function spoils(code: string): boolean {
  return isDamage(code) || (code.startsWith('SQLITE_IOERR') && !isFull(code));
}

/** Whether the file itself is damaged. */
export function isDamage(code: string): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(code);
}
