// A file that others append to, read on from where it was read before.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface ReadOn {
  readonly inode: number;
  /** Whole lines, each with its end. */
  readonly text: string;
  /** Where to read on. */
  readonly nextByte: number;
}

/** `fromByte` is asked with the file's inode; one that is shorter than that is read from its beginning. Undefined if there is none. */
export function readOn(path: string, fromByte: (inode: number) => number): ReadOn | undefined {
  let open: number;
  try {
    open = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { ino: inode, size } = fstatSync(open);
    const wanted = fromByte(inode);
    const from = wanted <= size ? wanted : 0;
    const fresh = Buffer.alloc(size - from);
    const count = readSync(open, fresh, 0, fresh.length, from);
    // A line is read when it is whole.
    const whole = count === 0 ? 0 : fresh.lastIndexOf('\n', count - 1) + 1;
    return { inode, text: fresh.toString('utf8', 0, whole), nextByte: from + whole };
  } finally {
    closeSync(open);
  }
}
