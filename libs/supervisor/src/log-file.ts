// What one process prints, as lines of text that are safe to show: `<logs>/<name>.log`, rotated by size, bounded in number.
//
// It is written synchronously, a chunk at a time: a pipe is read no faster than its lines are on their way to the disk, so a child
// that prints more than the disk takes waits in its own write, and no queue of ours grows. The stall is not held against
// the children (the machine's rule 4), and the last words before a crash are in the file.
import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { escapeControls, isSystemError, logText } from '@majordomus/runtime';
import { cutLine } from './lines.ts';
import { printedLineLimit } from './spawner.ts';

export interface LogSettings {
  /** A file that would grow beyond it is rotated. */
  readonly logBytes: number;
  /** How many files are kept: name.log, name.log.1, … */
  readonly logFiles: number;
}

export const logDefaults: LogSettings = { logBytes: 1024 * 1024, logFiles: 3 };

/** What is kept in memory. */
const keptLines = 500;
const keptCharacters = 512 * 1024;

export interface LogLines {
  readonly lines: string[];
  /** The position after the last of them, for `after`. */
  readonly next: number;
}

export class LogFile {
  readonly #path: string;
  readonly #settings: LogSettings;
  readonly #onFailure: (error: unknown) => void;
  #fd: number | undefined;
  #size = 0;
  #failing = false;
  #kept: string[] = [];
  #keptCharacters = 0;
  /** How many lines there are, with those of the files that are still kept. */
  #position = 0;

  /** `onFailure` is told when the file cannot be written, once until it can be again; the lines are then only in memory. */
  constructor(folder: string, name: string, settings: LogSettings, onFailure: (error: unknown) => void) {
    this.#path = join(folder, `${name}.log`);
    this.#settings = settings;
    this.#onFailure = onFailure;
    let earlier: readonly string[] = [];
    let position = 0;
    for (let number = 0; number < settings.logFiles; number += 1) {
      const { count, last } = endOf(this.#numbered(number), keptLines - earlier.length);
      position += count;
      earlier = [...last, ...earlier];
    }
    this.#position = position - earlier.length;
    this.#keep(earlier);
  }

  /** Takes what a process printed, as it printed it; returns the lines as they are shown. */
  append(printed: readonly string[]): readonly string[] {
    const lines = printed.flatMap(readableLines);
    if (lines.length === 0) return lines;
    this.#keep(lines);
    this.#write(`${lines.join('\n')}\n`);
    return lines;
  }

  /**
   * The last `lines` lines; with `after`, the first ones after that position. A position from before a restart of the
   * supervisor may be beyond the end: then it is as if there were none.
   */
  read({ lines, after }: { readonly lines: number; readonly after?: number | undefined }): LogLines {
    const first = this.#position - this.#kept.length;
    const from = after === undefined || after > this.#position ? this.#position - lines : after;
    const start = Math.max(0, from - first);
    const found = this.#kept.slice(start, start + lines);
    return { lines: found, next: first + start + found.length };
  }

  /** The position after the last line there is: what is printed from now on comes after it. */
  get next(): number {
    return this.#position;
  }

  /** May be called twice; a later append opens the file again. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      this.#kept.push(line);
      this.#keptCharacters += line.length;
    }
    this.#position += lines.length;
    let dropped = 0;
    while (this.#kept.length - dropped > keptLines || this.#keptCharacters > keptCharacters) {
      this.#keptCharacters -= this.#kept[dropped]?.length ?? 0;
      dropped += 1;
    }
    if (dropped > 0) this.#kept = this.#kept.slice(dropped);
  }

  #write(text: string): void {
    try {
      const bytes = Buffer.byteLength(text);
      // A person may delete logs under a running house; what is written to such a file nobody can read.
      if (this.#fd !== undefined && fstatSync(this.#fd).nlink === 0) this.close();
      const open = this.#fd ?? this.#open();
      const fd = this.#size > 0 && this.#size + bytes > this.#settings.logBytes ? this.#rotate() : open;
      appendFileSync(fd, text);
      this.#size += bytes;
      this.#failing = false;
    } catch (error) {
      this.close();
      if (!this.#failing) this.#onFailure(error);
      this.#failing = true;
    }
  }

  #open(): number {
    const fd = this.#openInFolder();
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
    return fd;
  }

  #openInFolder(): number {
    try {
      return openSync(this.#path, 'a', 0o600);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      return openSync(this.#path, 'a', 0o600);
    }
  }

  #rotate(): number {
    this.close();
    for (let number = this.#settings.logFiles - 1; number > 0; number -= 1) {
      try {
        renameSync(this.#numbered(number - 1), this.#numbered(number));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      }
    }
    rmSync(this.#path, { force: true });
    return this.#open();
  }

  #numbered(number: number): string {
    return number === 0 ? this.#path : `${this.#path}.${number}`;
  }
}

const asText = logText(false);
const newline = 0x0a;

/** One printed line as it is shown; a log entry with a stack is several lines. */
function readableLines(printed: string): string[] {
  let text = printed;
  try {
    text = asText(printed);
  } catch {
    // It only looked like one of our log entries.
  }
  return text.split('\n').map((line) => cutLine(escapeControls(line), printedLineLimit));
}

/** How many lines a file has, and the last of them, `limit` at most; only those become text. */
function endOf(path: string, limit: number): { readonly count: number; readonly last: readonly string[] } {
  const bytes = readIfThere(path);
  const end = bytes.lastIndexOf(newline);
  let start = end + 1;
  let count = 0;
  for (let at = end; at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(newline, at - 1)) {
    if (count <= limit) start = at + 1;
    count += 1;
  }
  if (count <= limit) start = 0;
  return { count, last: start > end ? [] : bytes.toString('utf8', start, end).split('\n') };
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
