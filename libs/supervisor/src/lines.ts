// What a child prints is bytes from a stranger: it is cut into lines of a bounded length, and shown without anything
// that a terminal would obey.
import { StringDecoder } from 'node:string_decoder';

const cutMark = ' … (cut)';

/** Puts lines together from chunks; what is longer than the limit is cut, so that memory is bounded. */
export class LineReader {
  readonly #decoder = new StringDecoder('utf8');
  readonly #limit: number;
  #rest = '';
  #skipping = false;

  /** `limit` is in characters. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The lines that this chunk completes, without their ends. */
  push(chunk: Buffer): string[] {
    return this.#read(this.#decoder.write(chunk));
  }

  /** The last line if it has no end. */
  end(): string[] {
    const lines = this.#read(this.#decoder.end());
    if (this.#rest !== '') lines.push(this.#rest);
    this.#rest = '';
    return lines;
  }

  #read(text: string): string[] {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    // The first part may be the tail of a line that was already cut.
    if (this.#skipping && parts.length > 0) {
      parts.shift();
      this.#skipping = false;
    }
    const lines = parts.map((line) => cutLine(line.endsWith('\r') ? line.slice(0, -1) : line, this.#limit));
    if (this.#skipping) {
      this.#rest = '';
    } else if (this.#rest.length > this.#limit) {
      lines.push(cutLine(this.#rest, this.#limit));
      this.#rest = '';
      this.#skipping = true;
    }
    return lines;
  }
}

/** The line, or its first `limit` characters with a mark. */
export function cutLine(line: string, limit: number): string {
  return line.length <= limit ? line : `${line.slice(0, limit)}${cutMark}`;
}
