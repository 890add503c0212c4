// Where a house keeps its files. Each part gets the home and touches only what is its own.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

export interface HomePaths {
  readonly home: string;
  /** What a person may set: majordomus.toml. */
  readonly settingsFile: string;
  readonly database: string;
  readonly packages: string;
  readonly logs: string;
  readonly keys: string;
  readonly run: string;
  readonly cache: string;
}

export function homePaths(home: string): HomePaths {
  return {
    home,
    settingsFile: join(home, 'majordomus.toml'),
    database: join(home, 'db', 'majordomus.sqlite'),
    packages: join(home, 'packages'),
    logs: join(home, 'logs'),
    keys: join(home, 'keys'),
    run: join(home, 'run'),
    cache: join(home, 'cache'),
  };
}

/**
 * Makes a folder of the home, readable by its owner alone, if it is not there.
 * @throws StartError HOME_NOT_WRITABLE
 */
export function ensureFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new StartError('HOME_NOT_WRITABLE', `cannot make the folder ${folder} (${why}); choose another home with --home or DOMUS_HOME, or make it writable`, { cause });
  }
  return folder;
}
