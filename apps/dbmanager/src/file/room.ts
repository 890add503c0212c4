// Whether the disk of the database has room for writes. Some is left alone, so that what is written already can be brought
// into the file, and the log emptied: a house whose disk was filled by others is whole when there is room again.
import { statfsSync } from 'node:fs';
import { isSystemError } from '@majordomus/runtime';

const mebibyte = 1024 * 1024;
/** The index of the write-ahead log needs this for the database to be opened as usual. */
export const leastBytes = 64 * 1024;

export interface Room {
  /** Why nothing can be written now; undefined if all is well. */
  readonly shortage: () => string | undefined;
  /** Infinity where the system does not say it: then writing tells. */
  readonly freeBytes: () => number;
}

/**
 * @param folder on the disk that is meant
 * @param minFreeBytes what is left alone
 */
export function roomOf(folder: string, minFreeBytes: number): Room {
  const freeBytes = (): number => {
    try {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return Infinity;
    }
  };
  return {
    freeBytes,
    shortage() {
      const free = freeBytes();
      return free >= minFreeBytes ? undefined : `${(free / mebibyte).toFixed(1)} MiB are free, and ${(minFreeBytes / mebibyte).toFixed(1)} MiB are left alone (min-free-mib in [dbmanager])`;
    },
  };
}
