// How many connections the system lets this process have: each is an open file. Where the limit cannot be read there is none
// that is known.
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { isSystemError } from '@majordomus/runtime';

/** What the process may need beside its connections: the log, a module that is loaded late. */
const spareFiles = 24;

/** How many files this process may have open; undefined where that is not told (Linux tells it). */
export function openFilesLimit(): number | undefined {
  try {
    const [, limit = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === '' ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}

/** How many connections fit beside what is open already. */
export function roomForConnections(limit: number): number {
  return Math.max(1, limit - readdirSync('/proc/self/fd').length - spareFiles);
}

/** Whether no file can be opened any more: then the system closes each new connection, and says it to nobody. */
export function isOutOfFiles(): boolean {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return false;
  } catch (error) {
    return isSystemError(error, 'EMFILE', 'ENFILE');
  }
}
