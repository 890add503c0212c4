// Opens the database file: refuses what is not ours, damaged or newer before anything is written to it, sets what
// durability rests on (docs/architecture.md, "Durability"), and brings it to the version of this program.
import Sqlite, { type Database } from 'better-sqlite3';
import { reasonOf, StartError } from '@majordomus/runtime';
import { migrate, MigrationFailure, migrations, versionOf, type Migration } from './migrations.ts';

/** "MJDM" in the file's header, so that another program's database is not taken for a new one. */
const applicationId = 0x4d4a444d;

/** How long to wait for someone who looks into the file with another program. */
const busyTimeoutMs = 5000;

/**
 * Opens the database, new or old, ready for use. Nothing is written to a file that is refused.
 * @throws StartError DATABASE_TOO_NEW, HOME_NOT_WRITABLE, CANNOT_START
 */
export function openConnection(path: string, steps: readonly Migration[] = migrations): Database {
  let connection: Database | undefined;
  try {
    connection = new Sqlite(path, { timeout: busyTimeoutMs });
    check(connection, path, steps.length);
    configure(connection, path);
    migrate(connection, steps);
    return connection;
  } catch (cause) {
    connection?.close();
    throw cause instanceof StartError ? cause : refusal(path, cause);
  }
}

function check(connection: Database, path: string, known: number): void {
  const version = versionOf(connection);
  const tables = Number(connection.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  const isOurs = connection.pragma('application_id', { simple: true }) === applicationId;
  if (!isOurs && (version > 0 || tables > 0)) {
    throw new StartError('CANNOT_START', `${path} is a database of another program; move it away, or choose another home with --home or DOMUS_HOME`);
  }
  if (version > known) {
    throw new StartError('DATABASE_TOO_NEW', `${path} has version ${version}, and this program knows versions up to ${known}: it was written by a newer Majordomus; upgrade this one, or put back a backup from before (nothing was changed)`);
  }
  const damage = connection.pragma('quick_check(1)', { simple: true });
  if (damage !== 'ok') throw damaged(path, String(damage));
}

function configure(connection: Database, path: string): void {
  const mode = connection.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') {
    throw new StartError('CANNOT_START', `${path} cannot use a write-ahead log (its journal mode is ${String(mode)}): the file system does not support it; choose a home on a local disk with --home or DOMUS_HOME`);
  }
  // FULL, for a commit to be on the disk when it returns: in WAL mode the binding's own default is NORMAL.
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  // Locking stays normal, so that a person or a backup can read while the house runs; a second dbmanager has the lock of the home against it.
  if (connection.pragma('application_id', { simple: true }) !== applicationId) connection.pragma(`application_id = ${applicationId}`);
}

function refusal(path: string, cause: unknown): StartError {
  const why = reasonOf(cause);
  const code = sqliteCode(cause) ?? (cause instanceof MigrationFailure ? sqliteCode(cause.cause) : undefined) ?? '';
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return damaged(path, why, cause);
  if (/^SQLITE_(CANTOPEN|READONLY|PERM)/.test(code)) {
    return new StartError('HOME_NOT_WRITABLE', `cannot open ${path} for writing (${why}); make it a file that this user can write, or choose another home with --home or DOMUS_HOME`, { cause });
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new StartError('CANNOT_START', `${path} is locked by another program; close what has it open, and start again`, { cause });
  }
  if (code.startsWith('SQLITE_FULL')) {
    return new StartError('CANNOT_START', `no room on the disk of ${path} (${why}); free some, and start again`, { cause });
  }
  return new StartError('CANNOT_START', `cannot open the database ${path}: ${why}`, { cause });
}

function damaged(path: string, why: string, cause?: unknown): StartError {
  return new StartError('CANNOT_START', `${path} is damaged or not a database (${why}); nothing was changed: put a backup in its place, or move it away together with its -wal and -shm files to start with an empty one`, { cause });
}

/** SQLite's name of the error, such as SQLITE_FULL, if it is one of SQLite's. */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Sqlite.SqliteError ? error.code : undefined;
}
