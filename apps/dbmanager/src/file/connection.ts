// Opens the database file: refuses what is not ours or newer, and tells what is damaged, before anything is written to it;
// sets what durability rests on (docs/architecture.md, "Durability"), and brings it to the version of this program.
import { statSync } from 'node:fs';
import Sqlite, { type Database } from 'better-sqlite3';
import { reasonOf, StartError } from '@majordomus/runtime';
import { migrate, MigrationFailure, migrations, versionOf, type Migration } from './migrations.ts';
import { isDamage, sqliteCode } from './sqlite-code.ts';

/** "MJDM" in the file's header, so that another program's database is not taken for a new one. */
export const applicationId = 0x4d4a444d;

/** How long to wait for someone who looks into the file with another program. */
const busyTimeoutMs = 5000;
/** The same for what can be done later: requests wait meanwhile. */
const shortBusyTimeoutMs = 100;

/** The file is ours and damaged, or so damaged that nobody can tell whose it is. */
export class DatabaseDamaged extends StartError {
  /** What is damaged, in SQLite's words. */
  readonly damage: string;

  constructor(path: string, damage: string, options?: ErrorOptions) {
    super('CANNOT_START', `${path} is damaged or not a database (${damage}); nothing was changed`, options);
    this.damage = damage;
  }
}

/**
 * Opens the database, new or old, ready for use. Nothing is written to a file that is refused or damaged.
 * @throws DatabaseDamaged; StartError DATABASE_TOO_NEW, HOME_NOT_WRITABLE, CANNOT_START
 */
export function openConnection(path: string, steps: readonly Migration[] = migrations): Database {
  return opened(path, steps, () => {
    inspect(path, steps.length);
    return new Sqlite(path, { timeout: busyTimeoutMs });
  });
}

/**
 * For a disk that has no room even for the index of the write-ahead log, which then is kept in memory: reads go on. Until it is
 * closed nobody else can open the file.
 * @throws as openConnection
 */
export function openWithoutRoom(path: string, steps: readonly Migration[] = migrations): Database {
  return opened(path, steps, () => new Sqlite(path, { timeout: busyTimeoutMs, fileMustExist: true }), (connection) => {
    connection.pragma('locking_mode = EXCLUSIVE');
    check(connection, path, steps.length);
  });
}

/** What `open` opens, made ready for use; closed again if that fails. */
function opened(path: string, steps: readonly Migration[], open: () => Database, prepare: (connection: Database) => void = () => {}): Database {
  let connection: Database | undefined;
  try {
    connection = open();
    prepare(connection);
    configure(connection, path);
    tryLog(connection, path);
    migrate(connection, steps);
    return connection;
  } catch (cause) {
    connection?.close();
    throw cause instanceof StartError ? cause : refusal(path, cause);
  }
}

/**
 * Looks at the file by a connection that cannot write: one that can would, when it closes, copy the write-ahead log into
 * the file and remove it, damaged or not. A new file, or an empty one, has nothing to be looked at.
 */
function inspect(path: string, known: number): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() !== true || status.size === 0) return;
  try {
    checkFile(path, known);
  } catch (error) {
    if (sqliteCode(error) !== 'SQLITE_READONLY_ROLLBACK') throw error;
    // A kill in the first moments of the file left a rollback journal, which has to be played back by one that can write.
    const connection = new Sqlite(path, { timeout: busyTimeoutMs });
    try {
      connection.prepare('SELECT count(*) FROM sqlite_schema').get();
    } finally {
      connection.close();
    }
    checkFile(path, known);
  }
}

function checkFile(path: string, known: number): void {
  const connection = new Sqlite(path, { readonly: true, timeout: busyTimeoutMs });
  try {
    check(connection, path, known);
  } finally {
    connection.close();
  }
}

function check(connection: Database, path: string, known: number): void {
  const version = versionOf(connection);
  const tables = connection.prepare<[], string>('SELECT name FROM sqlite_schema').pluck().all();
  const isOurs = connection.pragma('application_id', { simple: true }) === applicationId;
  if (!isOurs && (version > 0 || tables.length > 0)) {
    // Nobody else has both tables: it is the mark that is damaged.
    if (tables.includes('config') && tables.includes('plugin_schema')) throw new DatabaseDamaged(path, 'its header does not say whose it is');
    throw new StartError('CANNOT_START', `${path} is a database of another program; move it away, or choose another home with --home or DOMUS_HOME`);
  }
  if (version > known) {
    throw new StartError('DATABASE_TOO_NEW', `${path} has version ${version}, and this program knows versions up to ${known}: it was written by a newer Majordomus; upgrade this one, or put back a backup from before (nothing was changed)`);
  }
  const damage = connection.pragma('quick_check(1)', { simple: true });
  if (damage !== 'ok') throw new DatabaseDamaged(path, String(damage));
}

function configure(connection: Database, path: string): void {
  const mode = connection.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') {
    throw new StartError('CANNOT_START', `${path} cannot use a write-ahead log (its journal mode is ${String(mode)}): the file system does not support it; choose a home on a local disk with --home or DOMUS_HOME`);
  }
  // FULL, for a commit to be on the disk when it returns: in WAL mode the binding's own default is NORMAL.
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  // What is deleted is overwritten, so that no plain text stays behind of what is encrypted later.
  connection.pragma('secure_delete = ON');
  // Locking stays normal, so that a person or a backup can read while the house runs; a second dbmanager has the lock of the home against it.
  if (connection.pragma('application_id', { simple: true }) !== applicationId) connection.pragma(`application_id = ${applicationId}`);
}

/**
 * Brings what is in the log into the file, as far as nobody reads it. A log that is not of this file, which was copied over, say, may show
 * a database of which every page is whole, and yet never come into it. Any other hindrance is for who writes.
 */
function tryLog(connection: Database, path: string): void {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  try {
    connection.pragma('wal_checkpoint(PASSIVE)');
  } catch (cause) {
    if (isDamage(sqliteCode(cause) ?? '')) throw new DatabaseDamaged(path, `its log cannot be brought into it: ${reasonOf(cause)}`, { cause });
  }
}

function refusal(path: string, cause: unknown): StartError {
  const why = reasonOf(cause);
  const code = sqliteCode(cause) ?? (cause instanceof MigrationFailure ? sqliteCode(cause.cause) : undefined) ?? '';
  if (isDamage(code)) return new DatabaseDamaged(path, why, { cause });
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

/**
 * What changes when any program uses the database through SQLite: the commits of others, the frames in the log, and how many of them are
 * in the file. Asking changes nothing and opens no file: to close the index of the log would take SQLite's locks on it.
 * @returns what gives it; undefined where SQLite does not say it
 */
export function useOf(connection: Database): () => string | undefined {
  const commits = connection.prepare<[], number>('PRAGMA data_version').pluck();
  const log = connection.prepare<[], number[]>('PRAGMA wal_checkpoint(NOOP)').raw();
  return () => {
    try {
      return [commits.get(), ...(log.get() ?? [])].join(' ');
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
      return undefined;
    }
  };
}

/**
 * Brings everything in the log into the file, durably, and empties the log. False if it was not emptied, because another program
 * reads the file: it is not waited for.
 * @throws SqliteError
 */
export function emptyLog(connection: Database): boolean {
  connection.pragma(`busy_timeout = ${shortBusyTimeoutMs}`);
  try {
    const [outcome] = connection.pragma('wal_checkpoint(TRUNCATE)') as { readonly busy: number }[];
    return outcome?.busy === 0;
  } finally {
    connection.pragma(`busy_timeout = ${busyTimeoutMs}`);
  }
}
