// A folder of its own for each test of a file.
import { beforeEach } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

/** @param begin called with the folder before each test; the folder is gone with the test */
export function folderOfEachTest(begin: (folder: string) => void): void {
  beforeEach(() => {
    const folder = temporaryFolder();
    begin(folder.path);
    return () => folder[Symbol.dispose]();
  });
}
