// One dbmanager per home: a lock that the operating system frees however its holder ends, kill -9 included. It is
// SQLite's own lock, held by a transaction that stays open; nothing is ever written to the file.
import Sqlite, { type Database } from 'better-sqlite3';
import { StartError } from '@majordomus/runtime';

/** A holder that was just killed may take a moment to be gone. */
const patienceMs = 1000;

/**
 * Takes the lock until it is disposed of.
 * @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE
 */
export function takeLock(path: string): Disposable {
  let connection: Database | undefined;
  try {
    connection = new Sqlite(path, { timeout: patienceMs });
    connection.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    connection?.close();
    if (cause instanceof Sqlite.SqliteError && cause.code.startsWith('SQLITE_BUSY')) {
      throw new StartError('HOME_IN_USE', `another dbmanager runs on this home (it holds ${path}); stop it, or choose another home with --home or DOMUS_HOME`, { cause });
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StartError('HOME_NOT_WRITABLE', `cannot lock ${path} (${why}); move the file away, make its folder writable, or choose another home with --home or DOMUS_HOME`, { cause });
  }
  const held = connection;
  return { [Symbol.dispose]: () => void held.close() };
}
