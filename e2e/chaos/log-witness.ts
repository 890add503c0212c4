// Whether a log says what no log may say: that a program failed in a way that nobody thought of.
import { closeSync, existsSync, openSync, readdirSync, readSync, fstatSync } from 'node:fs';
import { join } from 'node:path';

const forbidden = /\bINTERNAL\b|\bFATAL\b|[Uu]nhandled|[Uu]ncaught|unexpected error/;

/** The lines of a text that no log may have. */
export function forbiddenLines(text: string): string[] {
  return text.split('\n').filter((line) => forbidden.test(line));
}

/** Reads on in all logs of a folder; a log that was rotated is read from its beginning. */
export class LogWitness {
  readonly #folder: string;
  readonly #read = new Map<string, { inode: number; bytes: number }>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  look(): string[] {
    if (!existsSync(this.#folder)) return [];
    return readdirSync(this.#folder).filter((file) => file.endsWith('.log')).flatMap((file) => forbiddenLines(this.#new(file)).map((line) => `${file}: ${line}`));
  }

  #new(file: string): string {
    let open: number;
    try {
      open = openSync(join(this.#folder, file), 'r');
    } catch {
      return '';
    }
    try {
      const { ino: inode, size } = fstatSync(open);
      const known = this.#read.get(file);
      const from = known?.inode === inode && known.bytes <= size ? known.bytes : 0;
      const fresh = Buffer.alloc(size - from);
      const count = readSync(open, fresh, 0, fresh.length, from);
      // A line is read when it is whole.
      const whole = fresh.lastIndexOf('\n', count - 1) + 1;
      this.#read.set(file, { inode, bytes: from + whole });
      return fresh.toString('utf8', 0, whole);
    } finally {
      closeSync(open);
    }
  }
}
