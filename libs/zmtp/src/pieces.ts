// The part of a message that has arrived while the rest is on its way. Large chunks are kept as they are, so that a large
// body is never copied; small ones are copied together, so that a body that trickles in costs about what it has bytes.
import { Buffer } from 'node:buffer';

/** What is smaller is copied, and so is what is a small part of the memory that it would hold. */
const keepFromBytes = 4096;
const keepFromPart = 1 / 4;
const firstGatherBytes = 256;

export class Pieces {
  #list: Buffer[] = [];
  #bytes = 0;
  /** What small chunks are gathered in, and how much of it is used; its used part is the last of the list. */
  #gather: Buffer | undefined;
  #gathered = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#bytes += bytes.length;
    if (bytes.length >= keepFromBytes && bytes.length >= bytes.buffer.byteLength * keepFromPart) {
      this.#list.push(bytes);
      this.#gather = undefined;
      return;
    }
    const needed = this.#gathered + bytes.length;
    if (this.#gather === undefined) {
      this.#gathered = 0;
      this.#gather = Buffer.allocUnsafeSlow(Math.max(bytes.length, firstGatherBytes));
      this.#list.push(this.#gather);
    } else if (needed > this.#gather.length) {
      const larger = Buffer.allocUnsafeSlow(needed * 2);
      this.#gather.copy(larger, 0, 0, this.#gathered);
      this.#gather = larger;
    }
    bytes.copy(this.#gather, this.#gathered);
    this.#gathered += bytes.length;
    this.#list[this.#list.length - 1] = this.#gather.subarray(0, this.#gathered);
  }

  /** All of it, in order; nothing is here any more. */
  take(): Buffer[] {
    const list = this.#list;
    this.#list = [];
    this.#bytes = 0;
    this.#gather = undefined;
    return list;
  }
}
