// Puts what was restored into its place in a home, and what was there aside. Its commit is one rename; whoever comes next, a
// start or another restore, finishes what was interrupted after it, and removes what was interrupted before it.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncPath } from '@majordomus/runtime';
import { z } from 'zod';

/** What of a home a backup may replace. */
export const replaceable = ['db', 'packages', 'majordomus.toml', 'keys', 'run/last-start.json'] as const;
export type Replaceable = (typeof replaceable)[number];

export const stagingPrefix = '.restore-';
/** What was there goes out of the way, then what comes goes into its place. */
const clearingPrefix = '.restoring-';
const placingPrefix = '.restored-';
/** In the staging folder: what of the home is replaced, or taken away if there is nothing in its place. */
export const planFile = 'replaces.json';
const plan = z.array(z.enum(replaceable));

/** Where what was replaced is kept, by the time in the name of the folder. */
export function keptFolder(home: string, time: string): string {
  return join(home, `replaced-${time}`);
}

/** Commits a staging folder that is on the disk, and finishes. */
export function replace(home: string, staging: string, time: string): void {
  renameSync(staging, join(home, clearingPrefix + time));
  syncPath(home);
  finishRestore(home);
}

/** To be called by who holds the lock of the home, before anything in it is used. Gives the time of a restore that was finished. */
export function finishRestore(home: string): string | undefined {
  if (!existsSync(home)) return undefined;
  let finished: string | undefined;
  for (const name of readdirSync(home)) {
    if (name.startsWith(stagingPrefix)) rmSync(join(home, name), { recursive: true, force: true });
    else if (name.startsWith(clearingPrefix)) {
      finished = name.slice(clearingPrefix.length);
      clear(home, join(home, name), finished);
      renameSync(join(home, name), join(home, placingPrefix + finished));
      syncPath(home);
      place(home, join(home, placingPrefix + finished));
    } else if (name.startsWith(placingPrefix)) {
      finished = name.slice(placingPrefix.length);
      place(home, join(home, name));
    }
  }
  return finished;
}

function clear(home: string, staged: string, time: string): void {
  for (const item of plan.parse(JSON.parse(readFileSync(join(staged, planFile), 'utf8')))) {
    if (existsSync(join(home, item))) move(join(home, item), join(keptFolder(home, time), item));
  }
}

function place(home: string, staged: string): void {
  for (const item of replaceable) if (existsSync(join(staged, item))) move(join(staged, item), join(home, item));
  syncPath(home);
  rmSync(staged, { recursive: true, force: true });
}

function move(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  renameSync(from, to);
  for (const folder of [dirname(to), dirname(from)]) syncPath(folder);
}
