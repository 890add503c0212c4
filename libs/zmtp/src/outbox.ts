// What one connection has to write: messages are encoded into one buffer and handed to the kernel once a turn of the event
// loop. A peer that does not read costs what the limits allow, and its own messages; nobody else waits for it.
import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';
import { MORE, wireBytes, writeBody, writeHeader } from './frame.ts';

export interface OutboxLimits {
  /** Most messages that wait for the peer to read. */
  readonly maxMessages: number;
  /** Most bytes of them. */
  readonly maxBytes: number;
}

const slabBytes = 32 * 1024;
/** What is larger is written from where it is: above some thousand bytes a copy costs more than one more piece of a write. */
const copyBelowBytes = 4 * 1024;
/** As many connections write in one turn without a new buffer; each one that is made anew brings the next collection of garbage nearer. */
const maxSpareSlabs = 64;

const noBytes: Buffer = Buffer.alloc(0);

/** Buffers that no connection needs right now: an idle one holds none. */
const spareSlabs: Buffer[] = [];
/** Those that have something to write when this turn of the loop ends. */
let toFlush: Outbox[] = [];

function flushAll(): void {
  const outboxes = toFlush;
  toFlush = [];
  for (const outbox of outboxes) outbox.flush();
}

/** The kernel has taken all that is in it. */
function spare(slab: Buffer): void {
  if (spareSlabs.length < maxSpareSlabs) spareSlabs.push(slab);
}

export class Outbox {
  readonly #stream: Writable;
  readonly #limits: OutboxLimits;
  /** Finished pieces, in order, before what is in the slab. */
  #pieces: Buffer[] = [];
  #slab: Buffer | undefined;
  /** Those that are full, of which pieces wait. */
  readonly #fullSlabs: Buffer[] = [];
  #from = 0;
  #used = 0;
  /** Of what waits here. */
  #messages = 0;
  #bytes = 0;
  /** Of what the stream holds because the kernel did not take it. */
  #heldMessages = 0;
  #heldBytes = 0;
  #isScheduled = false;
  #onEmpty: (() => void) | undefined;

  constructor(stream: Writable, limits: OutboxLimits) {
    this.#stream = stream;
    this.#limits = limits;
  }

  /** What the peer has not read yet. */
  get waitingBytes(): number {
    return this.#bytes + this.#heldBytes;
  }

  get #isFull(): boolean {
    const { maxMessages, maxBytes } = this.#limits;
    return this.#messages + this.#heldMessages >= maxMessages || this.waitingBytes >= maxBytes;
  }

  /** Takes a message, or refuses it because the peer does not read; its first frames may be in wire form already, in `head`. */
  send(frames: readonly Buffer[], head = noBytes): boolean {
    if (!this.#hasRoom()) return false;
    // A message has a frame at the least.
    if (frames.length === 0 && head.length === 0) return true;
    this.#messages += 1;
    if (head.length > 0) this.#append(head);
    const last = frames.length - 1;
    for (let i = 0; i <= last; i += 1) this.#frame(i < last ? MORE : 0, frames[i] as Buffer);
    this.#schedule();
    return true;
  }

  /** Takes a message in wire form, or refuses it; `pieces` are not changed by anybody any more. */
  forward(head: Buffer, pieces: readonly Buffer[]): boolean {
    if (!this.#hasRoom()) return false;
    this.#messages += 1;
    this.#append(head);
    for (const piece of pieces) this.#append(piece);
    this.#schedule();
    return true;
  }

  /** Takes bytes as they are: a greeting, or a command. What a peer that does not read makes this side say is left out. */
  write(bytes: Buffer): void {
    if (!this.#hasRoom()) return;
    this.#messages += 1;
    this.#cut();
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    this.#schedule();
  }

  /** Calls back when the stream has been given everything; nothing more is sent by then. */
  drain(done: () => void): void {
    this.#onEmpty = done;
    this.flush();
    if (this.#bytes === 0) done();
  }

  /** Hands everything to the kernel, as far as it takes it. */
  flush(): void {
    this.#isScheduled = false;
    const stream = this.#stream;
    if (this.#heldBytes > 0 || this.#bytes === 0 || stream.destroyed) return;
    this.#cut();
    const pieces = this.#pieces;
    const last = pieces.pop() as Buffer;
    if (pieces.length === 0) {
      stream.write(last, this.#onWritten);
    } else {
      this.#pieces = [];
      stream.cork();
      for (const piece of pieces) stream.write(piece);
      stream.write(last, this.#onWritten);
      stream.uncork();
    }
    if (stream.writableLength > 0) {
      this.#heldMessages = this.#messages;
      this.#heldBytes = this.#bytes;
    } else {
      if (this.#slab !== undefined) spare(this.#slab);
      for (const full of this.#fullSlabs) spare(full);
    }
    this.#slab = undefined;
    if (this.#fullSlabs.length > 0) this.#fullSlabs.length = 0;
    this.#from = 0;
    this.#used = 0;
    this.#messages = 0;
    this.#bytes = 0;
  }

  /** The kernel has taken what the stream held. */
  readonly #onWritten = (): void => {
    if (this.#heldBytes === 0 || this.#stream.writableLength > 0) return;
    this.#heldMessages = 0;
    this.#heldBytes = 0;
    this.flush();
    this.#onEmpty?.();
  };

  #hasRoom(): boolean {
    // What waits may wait only for the end of this turn.
    if (this.#isFull) this.flush();
    return !this.#isFull;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#heldBytes > 0) return;
    this.#isScheduled = true;
    if (toFlush.length === 0) setImmediate(flushAll);
    toFlush.push(this);
  }

  #frame(flags: number, body: Buffer): void {
    const headerBytes = wireBytes(body.length) - body.length;
    const slab = this.#slabFor(headerBytes);
    this.#used = writeHeader(slab, this.#used, flags, body.length);
    this.#bytes += headerBytes;
    this.#append(body);
  }

  /** What is small is copied; what is large is written from where it is. */
  #append(bytes: Buffer): void {
    const { length } = bytes;
    if (length < copyBelowBytes) {
      const slab = this.#slabFor(length);
      this.#used = writeBody(slab, this.#used, bytes);
    } else {
      this.#cut();
      this.#pieces.push(bytes);
    }
    this.#bytes += length;
  }

  /** A slab with room for so many bytes. */
  #slabFor(bytes: number): Buffer {
    if (this.#slab !== undefined && this.#slab.length - this.#used >= bytes) return this.#slab;
    this.#cut();
    if (this.#slab !== undefined) this.#fullSlabs.push(this.#slab);
    this.#from = 0;
    this.#used = 0;
    this.#slab = spareSlabs.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
    return this.#slab;
  }

  /** What was written into the slab since the last piece becomes one. */
  #cut(): void {
    if (this.#slab === undefined || this.#from === this.#used) return;
    this.#pieces.push(this.#slab.subarray(this.#from, this.#used));
    this.#from = this.#used;
  }
}
