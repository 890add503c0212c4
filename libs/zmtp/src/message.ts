// A message as it arrived: the chunks that brought it, and where its frames stand in them. A frame becomes a buffer of its
// own only when it is asked for; the frames at the end can be passed on as they came, without being looked at.
import { Buffer } from 'node:buffer';

const noBytes: Buffer = Buffer.alloc(0);

/** The last frames of a message in wire form (RFC 37, "Framing"): each with its flags and its size, in pieces of any length. */
export interface Tail {
  readonly frames: number;
  /** Of the bodies of the frames, without flags and sizes. */
  readonly bytes: number;
  readonly pieces: readonly Buffer[];
}

/** Belongs to the decoder that fills it, and says something only until the handler that was given it returns. */
export class Message {
  #count = 0;
  #bytes = 0;
  /** Where the flags and the body of each frame begin, from the beginning of the message. */
  readonly #heads: number[] = [];
  readonly #bodies: number[] = [];
  readonly #sizes: number[] = [];
  /** The bytes of the message: from `#from` to `#to` of one chunk, or all of several pieces. */
  #chunk = noBytes;
  #from = 0;
  #to = 0;
  #pieces: readonly Buffer[] | undefined;

  /** How many frames it has. */
  get count(): number {
    return this.#count;
  }

  /** Of the bodies of all its frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the body of a frame; -1 if there is no such frame. */
  size(index: number): number {
    return index < this.#count ? this.#sizes[index] as number : -1;
  }

  /** Whether a frame has just these bytes. */
  is(index: number, bytes: Buffer): boolean {
    if (this.size(index) !== bytes.length) return false;
    if (this.#pieces !== undefined) return this.frame(index).equals(bytes);
    const at = this.#from + (this.#bodies[index] as number);
    for (let i = 0; i < bytes.length; i += 1) if (this.#chunk[at + i] !== bytes[i]) return false;
    return true;
  }

  /** A byte of a frame that has so many. */
  byte(index: number, at: number): number {
    if (this.#pieces !== undefined) return this.frame(index)[at] as number;
    return this.#chunk[this.#from + (this.#bodies[index] as number) + at] as number;
  }

  /** The body of a frame; it may be kept, and is not to be changed. Of no bytes if there is no such frame. */
  frame(index: number): Buffer {
    const size = this.size(index);
    if (size <= 0) return noBytes;
    const at = this.#bodies[index] as number;
    return this.#view(at, at + size);
  }

  /** The body of a frame as text; empty if there is no such frame. */
  text(index: number): string {
    if (this.#pieces !== undefined) return this.frame(index).toString();
    const size = this.size(index);
    if (size <= 0) return '';
    const at = this.#from + (this.#bodies[index] as number);
    return this.#chunk.toString('utf8', at, at + size);
  }

  /** The bodies of the frames from `first` on. */
  frames(first = 0): Buffer[] {
    const frames: Buffer[] = [];
    for (let i = first; i < this.#count; i += 1) frames.push(this.frame(i));
    return frames;
  }

  /** The frames before `end` in wire form, as one buffer of its own. */
  head(end: number): Buffer {
    return end === 0 ? noBytes : Buffer.from(this.wire(0, end));
  }

  /** The frames from `first`, which it has, to the one before `end` in wire form; it may be kept, and is not to be changed. */
  wire(first: number, end: number): Buffer {
    return this.#view(this.#heads[first] as number, end < this.#count ? this.#heads[end] as number : this.#length);
  }

  /** The frames from `first` on in wire form; they may be kept. */
  tail(first: number): Tail {
    if (first >= this.#count) return { frames: 0, bytes: 0, pieces: [] };
    let bytes = 0;
    for (let i = first; i < this.#count; i += 1) bytes += this.#sizes[i] as number;
    const at = this.#heads[first] as number;
    const pieces = this.#pieces === undefined ? [this.#chunk.subarray(this.#from + at, this.#to)] : cut(this.#pieces, at, this.#length);
    return { frames: this.#count - first, bytes, pieces };
  }

  // ── for the decoder ───────────────────────────────────────────────────────────────────────────────────────────────

  /** One more frame; its flags and its body begin so many bytes from the beginning of the message. */
  add(head: number, body: number, size: number): void {
    const index = this.#count;
    this.#heads[index] = head;
    this.#bodies[index] = body;
    this.#sizes[index] = size;
    this.#count = index + 1;
    this.#bytes += size;
  }

  /** It is whole, and stands in one chunk. */
  standsIn(chunk: Buffer, from: number, to: number): void {
    this.#chunk = chunk;
    this.#from = from;
    this.#to = to;
  }

  /** It is whole, and is these pieces together. */
  consistsOf(pieces: readonly Buffer[], bytes: number): void {
    this.#pieces = pieces;
    this.#to = bytes;
  }

  /** Begins the next one. No chunk is kept for its sake. */
  clear(): void {
    this.#count = 0;
    this.#bytes = 0;
    this.#chunk = noBytes;
    this.#from = 0;
    this.#to = 0;
    this.#pieces = undefined;
  }

  get #length(): number {
    return this.#to - this.#from;
  }

  #view(from: number, to: number): Buffer {
    if (this.#pieces === undefined) return this.#chunk.subarray(this.#from + from, this.#from + to);
    const parts = cut(this.#pieces, from, to);
    return parts.length === 1 ? parts[0] as Buffer : Buffer.concat(parts, to - from);
  }
}

/** A smaller tail is copied out of a chunk of which it is a small part. */
const copyBelowBytes = 4096;
const smallPart = 1 / 4;

/** The same tail, to be kept for a while: what is small does not hold the whole chunk that brought it. */
export function kept(tail: Tail): Tail {
  const [first] = tail.pieces;
  if (first === undefined || tail.pieces.length > 1 || first.length >= copyBelowBytes || first.length >= first.buffer.byteLength * smallPart) return tail;
  return { ...tail, pieces: [Buffer.from(first)] };
}

/** The bytes from `from` to `to` of pieces that are read as one. */
function cut(pieces: readonly Buffer[], from: number, to: number): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (const piece of pieces) {
    const end = at + piece.length;
    if (end > from && at < to) parts.push(piece.subarray(Math.max(0, from - at), Math.min(piece.length, to - at)));
    at = end;
  }
  return parts;
}
