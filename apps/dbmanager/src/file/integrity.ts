// Whether a database is whole: SQLite's own check of every page, index and constraint. It writes nothing. Who asks the database's
// thread waits for what it has under way: a check takes 3 ms for each MiB, and the database of a house has one or a few.
import Sqlite, { type Database } from 'better-sqlite3';
import { reasonOf } from '@majordomus/runtime';

export interface Integrity {
  /** What is damaged; empty if all is well. */
  readonly problems: string[];
  /** The size of the database. */
  readonly bytes: number;
}

/** How many problems are told of at most. */
const maxProblems = 20;

/** Checks an open database. @throws SqliteError if it cannot even be read */
export function integrityOf(connection: Database): Integrity {
  const rows = connection.pragma(`integrity_check(${maxProblems})`) as { readonly integrity_check: string }[];
  const bytes = Number(connection.pragma('page_count', { simple: true })) * Number(connection.pragma('page_size', { simple: true }));
  return { problems: rows.map((row) => row.integrity_check).filter((text) => text !== 'ok'), bytes };
}

/** Checks a file that no dbmanager has open, or that one has: readers disturb nobody. */
export function integrityOfFile(path: string): Integrity {
  let connection: Database | undefined;
  try {
    connection = new Sqlite(path, { readonly: true, fileMustExist: true });
    return integrityOf(connection);
  } catch (error) {
    return { problems: [reasonOf(error)], bytes: 0 };
  } finally {
    connection?.close();
  }
}
