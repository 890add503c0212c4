// The write-ahead log beside a database file: whether it is damaged in the middle, and how what is whole in it gets into a copy.
import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { readLog, type Log } from './wal.ts';

/** Every database of a house has pages of this size. */
const pageBytes = 4096;
/** A log is some MiB; one that grew far beyond by a reader that never ended is left to SQLite. */
const maxBytes = 512 * 1024 * 1024;

/** The log of a database if commits in it stand behind damage, which SQLite would drop without a word; undefined if all is well. */
export function damagedLog(path: string): Log | undefined {
  const file = `${path}-wal`;
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || size > maxBytes) return undefined;
  const log = readLog(readFileSync(file), pageBytes);
  return log.isDamaged ? log : undefined;
}

/** Writes what is whole in a log into the pages of a database file. */
export function applyLog(path: string, { frames, pageBytes: size }: Log): void {
  const file = openSync(path, 'r+');
  try {
    for (const { page, bytes } of frames) writeSync(file, bytes, 0, size, (page - 1) * size);
    const pages = frames.at(-1)?.commitPages ?? 0;
    if (pages > 0) ftruncateSync(file, pages * size);
  } finally {
    closeSync(file);
  }
}
