// What a file or a folder holds is on the disk, and not only in the memory of the machine, after it was synced.
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Brings the contents of a file to disk, or the names in a folder. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The same without holding up the process, for what answers others meanwhile. */
export async function syncPathAside(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}
