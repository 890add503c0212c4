// Where a house keeps its files. Each part gets the home and touches only what is its own.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError, reasonOf } from './error-reason.ts';
import { StartError } from './start-error.ts';

export interface HomePaths {
  /** What a person may set: majordomus.toml. */
  readonly settingsFile: string;
  readonly database: string;
  /** Copies of the database, one a day. */
  readonly backups: string;
  readonly packages: string;
  readonly logs: string;
  readonly run: string;
  /** What nobody else may see. */
  readonly keys: string;
  readonly cache: string;
}

export function homePaths(home: string): HomePaths {
  return {
    settingsFile: join(home, 'majordomus.toml'),
    database: join(home, 'db', 'majordomus.sqlite'),
    backups: join(home, 'backups'),
    packages: join(home, 'packages'),
    logs: join(home, 'logs'),
    run: join(home, 'run'),
    keys: join(home, 'keys'),
    cache: join(home, 'cache'),
  };
}

/**
 * Makes a folder of the home, readable by its owner alone, if it is not there.
 * @throws StartError HOME_NOT_WRITABLE
 */
export function ensureFolder(folder: string): string {
  try {
    makeFolders(folder);
  } catch (cause) {
    const why = isSystemError(cause) ? cause.code : reasonOf(cause);
    throw new StartError('HOME_NOT_WRITABLE', `cannot make the folder ${folder} (${why}); choose another home with --home or DOMUS_HOME, or make it writable`, { cause });
  }
  return folder;
}

/** Not by mkdirSync's `recursive`, which never returns where nothing can be made, as in /proc. */
function makeFolders(folder: string): void {
  const parent = dirname(folder);
  if (parent !== folder && !existsSync(parent)) makeFolders(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // It is there: since long, or made by another part meanwhile.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
