// What the disk itself can do, as a measure for what stands on it: a page written and synced, again and again.
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';

const pageBytes = 4096;
/** As large as a write-ahead log becomes before it is begun anew. */
const preparedPages = 1000;

/** How a page is written: behind the others, or over one that has its place on the disk already. */
export type Place = 'appended' | 'preallocated';

/** Pages per second, each on the disk before the next is written. `fsync` is what SQLite calls here; `fdatasync` leaves out what is not needed to read the file. */
export function syncsPerSecond(file: string, place: Place, sync: 'fsync' | 'fdatasync', seconds: number): number {
  const page = Buffer.alloc(pageBytes, 0x5a);
  const fd = openSync(file, 'w');
  try {
    if (place === 'preallocated') for (let index = 0; index < preparedPages; index++) writeSync(fd, page, 0, pageBytes, index * pageBytes);
    fsyncSync(fd);
    const startMs = performance.now();
    let pages = 0;
    for (; performance.now() - startMs < seconds * 1000; pages++) {
      writeSync(fd, page, 0, pageBytes, (place === 'preallocated' ? pages % preparedPages : pages) * pageBytes);
      if (sync === 'fsync') fsyncSync(fd);
      else fdatasyncSync(fd);
    }
    return (pages * 1000) / (performance.now() - startMs);
  } finally {
    closeSync(fd);
  }
}
