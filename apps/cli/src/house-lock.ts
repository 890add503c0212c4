// One house on a home: an exclusive SQLite lock, which the kernel gives back however the process ends, kill -9 included.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ensureFolder, homePaths, StartError } from '@majordomus/runtime';

/** Held until it is disposed of, or the process ends. @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE */
export function lockHome(home: string): Disposable {
  const file = join(ensureFolder(homePaths(home).run), 'lock');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    const busy = cause instanceof Error && 'errcode' in cause && cause.errcode === 5;
    throw busy
      ? new StartError('HOME_IN_USE', `a house already runs on ${home}; stop it first, or choose another home with --home`, { cause })
      : new StartError('HOME_NOT_WRITABLE', `cannot lock ${file} (${cause instanceof Error ? cause.message : String(cause)}); choose another home with --home, or make it writable`, { cause });
  }
  const held = database;
  return { [Symbol.dispose]: () => held.close() };
}
