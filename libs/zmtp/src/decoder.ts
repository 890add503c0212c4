// Traffic as bytes in, messages and commands out (RFC 37, section "Framing"). Nothing is copied but what is small and cut in
// two by the end of a chunk; what has not arrived whole costs about what has arrived, whatever was announced.
import { Buffer } from 'node:buffer';
import { COMMAND, LONG, longHeaderBytes, MORE, shortHeaderBytes } from './frame.ts';
import { Message } from './message.ts';
import { Pieces } from './pieces.ts';

/** Of messages; a command has a bound of its own, `maxCommandBytes`. */
export interface DecoderLimits {
  /** Largest frame, in bytes. */
  readonly maxFrameBytes: number;
  /** Most frames of a message. */
  readonly maxFrames: number;
  /** Most bytes of a message. */
  readonly maxMessageBytes: number;
}

/** What is told, in the order in which it was sent. */
export interface DecoderEvents {
  /** The message says something only until this returns. */
  message(message: Message): void;
  command(body: Buffer): void;
}

export type DecoderProblem = 'NOT_ZMTP' | 'TOO_LARGE';

/** Largest command. READY, the largest that is sent, has some hundred bytes; what is read before anybody is known stays cheap. */
export const maxCommandBytes = 64 * 1024;

const reservedFlags = 0xff & ~(MORE | LONG | COMMAND);
/** A smaller message that came in several chunks is put together. */
const joinBelowBytes = 16 * 1024;

export class Decoder {
  readonly #limits: DecoderLimits;
  readonly #events: DecoderEvents;
  readonly #message = new Message();
  /** Of the message, or of the command, that is on its way: what came before this chunk. */
  readonly #pieces = new Pieces();
  readonly #command = new Pieces();
  /** A header that the end of a chunk has cut in two, and how much of it is here. */
  readonly #header = Buffer.alloc(longHeaderBytes);
  #headerBytes = 0;
  /** The frame that is on its way: its flags, and how many bytes of its body are still to come. */
  #flags = 0;
  #missing = 0;
  #problem: DecoderProblem | undefined;

  constructor(limits: DecoderLimits, events: DecoderEvents) {
    this.#limits = limits;
    this.#events = events;
  }

  /** What the message that is on its way costs. */
  get unfinishedBytes(): number {
    return this.#pieces.bytes + this.#command.bytes + this.#headerBytes;
  }

  /** How much has come of the message that is on its way. */
  get messageBytes(): number {
    return this.#pieces.bytes;
  }

  /** Reads what arrived; after a problem nothing is read any more. */
  push(chunk: Buffer): DecoderProblem | undefined {
    const end = chunk.length;
    let at = 0;
    /** Where the bytes of the message begin that are not among the pieces yet. */
    let begin = 0;
    while (at < end && this.#problem === undefined) {
      if (this.#missing === 0) {
        const headAt = at;
        if (this.#headerBytes === 0) {
          const needed = ((chunk[at] as number) & LONG) === 0 ? shortHeaderBytes : longHeaderBytes;
          if (end - at < needed) {
            this.#pieces.add(chunk.subarray(begin, at));
            this.#headerBytes = chunk.copy(this.#header, 0, at);
            return undefined;
          }
          const size = needed === shortHeaderBytes ? chunk[at + 1] as number : longSize(chunk, at);
          at += needed;
          if (!this.#begin(chunk[headAt] as number, size)) return this.#problem;
          if ((this.#flags & COMMAND) === 0) {
            const before = this.#pieces.bytes - begin;
            this.#message.add(before + headAt, before + at, size);
          } else if (begin < headAt) {
            // A command between two frames of a message is no part of it.
            this.#pieces.add(chunk.subarray(begin, headAt));
          }
        } else {
          at += this.#completeHeader(chunk, at);
          begin = at;
          if (this.#headerBytes > 0 || this.#problem !== undefined) return this.#problem;
        }
      }
      const bodyAt = at;
      at = Math.min(end, at + this.#missing);
      this.#missing -= at - bodyAt;
      if ((this.#flags & COMMAND) !== 0) {
        begin = at;
        this.#command.add(chunk.subarray(bodyAt, at));
        if (this.#missing === 0) this.#events.command(Buffer.concat(this.#command.take()));
      } else if (this.#missing === 0 && (this.#flags & MORE) === 0) {
        this.#deliver(chunk, begin, at);
        begin = at;
      }
    }
    if (begin < end && this.#problem === undefined) this.#pieces.add(chunk.subarray(begin, end));
    return this.#problem;
  }

  /** Takes the rest of a header from the beginning of the chunk; gives how many bytes it took. */
  #completeHeader(chunk: Buffer, at: number): number {
    const header = this.#header;
    const needed = ((header[0] as number) & LONG) === 0 ? shortHeaderBytes : longHeaderBytes;
    const taken = chunk.copy(header, this.#headerBytes, at, at + needed - this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes < needed) return taken;
    this.#headerBytes = 0;
    const size = needed === shortHeaderBytes ? header[1] as number : longSize(header, 0);
    if (this.#begin(header[0] as number, size) && (this.#flags & COMMAND) === 0) {
      const head = this.#pieces.bytes;
      this.#pieces.add(header.subarray(0, needed));
      this.#message.add(head, head + needed, size);
    }
    return taken;
  }

  /** A frame begins; false if it is none, or goes beyond the limits. */
  #begin(flags: number, size: number): boolean {
    const isCommand = (flags & COMMAND) !== 0;
    if ((flags & reservedFlags) !== 0 || (isCommand && (flags & MORE) !== 0)) this.#problem = 'NOT_ZMTP';
    else if (isCommand ? size > maxCommandBytes : this.#isBeyondLimits(size)) this.#problem = 'TOO_LARGE';
    this.#flags = flags;
    this.#missing = size;
    return this.#problem === undefined;
  }

  #isBeyondLimits(size: number): boolean {
    const { maxFrameBytes, maxFrames, maxMessageBytes } = this.#limits;
    return size > maxFrameBytes || this.#message.bytes + size > maxMessageBytes || this.#message.count >= maxFrames;
  }

  /** The message is whole: the pieces, and the chunk from `begin` to `end`. */
  #deliver(chunk: Buffer, begin: number, end: number): void {
    const message = this.#message;
    const before = this.#pieces.bytes;
    if (before === 0) {
      message.standsIn(chunk, begin, end);
    } else {
      this.#pieces.add(chunk.subarray(begin, end));
      const bytes = this.#pieces.bytes;
      const pieces = this.#pieces.take();
      if (bytes < joinBelowBytes) message.standsIn(pieces.length === 1 ? pieces[0] as Buffer : Buffer.concat(pieces), 0, bytes);
      else message.consistsOf(pieces, bytes);
    }
    this.#events.message(message);
    message.clear();
  }
}

function longSize(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + 1) * 2 ** 32 + bytes.readUInt32BE(at + 5);
}
