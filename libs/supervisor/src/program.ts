// Finding what is to be run before it is run: under setpriv a missing program would be an exit code like any other, and
// Node reports a missing folder as a missing program.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** The program `name` as a shell would find it, as an absolute path; undefined if there is none that can be run. */
export function findProgram(name: string, cwd: string, path: string): string | undefined {
  if (name.includes('/') || isAbsolute(name)) return executable(resolve(cwd, name));
  for (const folder of path.split(delimiter)) {
    const found = folder === '' || name === '' ? undefined : executable(resolve(cwd, join(folder, name)));
    if (found !== undefined) return found;
  }
  return undefined;
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

let prefix: readonly string[] | undefined;

/**
 * What to put before a command so that the kernel kills it when this process ends, however it ends: util-linux'
 * setpriv, which becomes the program and so keeps its pid. Empty where there is none; tried once, as others have fewer flags.
 * The kernel looks at the thread that spawned it: a supervisor belongs on the main one.
 */
export function deathSignalPrefix(): readonly string[] {
  prefix ??= findDeathSignalPrefix();
  return prefix;
}

function findDeathSignalPrefix(): readonly string[] {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv', '/', process.env['PATH'] ?? '') : undefined;
  if (setpriv === undefined) return [];
  const found = [setpriv, '--pdeathsig', 'KILL', '--'];
  return spawnSync(setpriv, [...found.slice(1), 'true'], { stdio: 'ignore', timeout: 2000 }).status === 0 ? found : [];
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}
