// Whether a log says what no log may say: that a program failed in a way that nobody thought of.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readOn } from '../src/read-on.ts';

const forbidden = /\bINTERNAL\b|\bFATAL\b|[Uu]nhandled|[Uu]ncaught|unexpected error/;
const logName = /\.log(\.\d+)?$/;

/** The lines of a text that no log may have. */
export function forbiddenLines(text: string): string[] {
  return text.split('\n').filter((line) => forbidden.test(line));
}

/** Reads on in all logs of a folder; one that was rotated is read on under its new name. */
export class LogWitness {
  readonly #folder: string;
  /** By inode, which a rotated log keeps. */
  #read: ReadonlyMap<number, number> = new Map();

  constructor(folder: string) {
    this.#folder = folder;
  }

  look(): string[] {
    if (!existsSync(this.#folder)) return [];
    const read = new Map<number, number>();
    const found = readdirSync(this.#folder).filter((file) => logName.test(file)).flatMap((file) => {
      // What is rotated just now is met under both names.
      const part = readOn(join(this.#folder, file), (inode) => read.get(inode) ?? this.#read.get(inode) ?? 0);
      if (part === undefined) return [];
      read.set(part.inode, part.nextByte);
      return forbiddenLines(part.text).map((line) => `${file}: ${line}`);
    });
    this.#read = read;
    return found;
  }
}
