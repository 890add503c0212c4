// Puts a recovered database into the place of a damaged one, whose files are kept beside it, all together. Its commit is one
// rename, to `<database>.recovered-<time>`: before it everything is as it was; after it, whoever starts next finishes the rest.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { syncPath } from '@majordomus/runtime';

/** What belongs to a database: itself last, since its absence says that the others are done. */
const parts = ['-wal', '-shm', '-journal', ''] as const;

/** A folder entry that a recovery works in; what is left of one that did not come to its end is removed by the next. */
export function workingFile(path: string): string {
  return `${path}.recovering`;
}

/** Where the files of a damaged database will be, or of one that was replaced, or a copy of a deleted one: nothing is there yet. */
export function freePlace(path: string, wallMs: number, why: 'corrupt' | 'replaced' | 'rescued' = 'corrupt'): string {
  const time = new Date(wallMs).toISOString().replaceAll(':', '-').replace(/\.\d+Z$/, 'Z');
  for (let number = 1; ; number++) {
    const place = `${path}.${why}-${time}${number === 1 ? '' : `-${number}`}`;
    if (parts.every((part) => !existsSync(place + part))) return place;
  }
}

/**
 * Gives the finished and closed database in `working` the name of the damaged one, whose files go to `place`.
 * @throws a system error
 */
export function replaceDamaged(path: string, working: string, place: string): void {
  syncPath(working);
  renameSync(working, `${path}.recovered-${basename(place).slice(`${basename(path)}.corrupt-`.length)}`);
  syncPath(dirname(path));
  finishReplacement(path);
}

/** Finishes a replacement that was interrupted, and removes what one left that was not committed. */
export function finishReplacement(path: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) return;
  const names = readdirSync(folder);
  const mark = `${basename(path)}.recovered-`;
  const committed = names.find((name) => name.startsWith(mark));
  if (committed !== undefined) {
    const place = `${path}.corrupt-${committed.slice(mark.length)}`;
    for (const part of parts) if (existsSync(path + part)) renameSync(path + part, place + part);
    syncPath(folder);
    renameSync(join(folder, committed), path);
    syncPath(folder);
  }
  for (const name of names) if (name.startsWith(basename(workingFile(path)))) rmSync(join(folder, name), { force: true, recursive: true });
}
