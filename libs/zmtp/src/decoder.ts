// Traffic as bytes in, messages and commands out (RFC 37, section "Framing"). Frames are views into the chunk that brought
// them, wherever it has them whole. What has not arrived whole costs about twice what has arrived, whatever was announced.
import { COMMAND, LONG, longHeaderBytes, MORE } from './frame.ts';

export interface DecoderLimits {
  /** Largest frame, in bytes. */
  readonly maxFrameBytes: number;
  /** Most frames of a message. */
  readonly maxFrames: number;
  /** Most bytes of a message. */
  readonly maxMessageBytes: number;
}

/** What is told, in the order in which it was sent; frames may be kept, and are not changed. */
export interface DecoderEvents {
  message(frames: Buffer[]): void;
  command(body: Buffer): void;
}

export type DecoderProblem = 'NOT_ZMTP' | 'TOO_LARGE';

const noBytes: Buffer = Buffer.alloc(0);
const reservedFlags = 0xff & ~(MORE | LONG | COMMAND);
/** A frame that is larger and not whole is gathered in a buffer of its own, others with the bytes of the next chunk. */
const gatherAboveBytes = 4096;
/** How much is reserved for a gathered frame at first, at the most; it doubles when that has arrived. */
const firstReserveBytes = 1 << 18;

/** A large frame that is on its way. */
interface Gathering {
  readonly flags: number;
  readonly size: number;
  bytes: Buffer;
  have: number;
}

export class Decoder {
  readonly #limits: DecoderLimits;
  readonly #events: DecoderEvents;
  #rest = noBytes;
  #gathering: Gathering | undefined;
  #frames: Buffer[] = [];
  #messageBytes = 0;
  #problem: DecoderProblem | undefined;

  constructor(limits: DecoderLimits, events: DecoderEvents) {
    this.#limits = limits;
    this.#events = events;
  }

  /** What the message that is on its way costs. */
  get unfinishedBytes(): number {
    return this.#rest.length + this.#messageBytes + (this.#gathering?.bytes.length ?? 0);
  }

  /** Reads what arrived; after a problem nothing is read any more. */
  push(arrived: Buffer): DecoderProblem | undefined {
    let chunk = arrived;
    let at = 0;
    if (this.#gathering !== undefined) {
      at = this.#gather(this.#gathering, chunk, 0);
      if (this.#gathering !== undefined) return this.#problem;
    } else if (this.#rest.length > 0) {
      chunk = Buffer.concat([this.#rest, chunk]);
      this.#rest = noBytes;
    }
    const end = chunk.length;
    while (end - at >= 2 && this.#problem === undefined) {
      const flags = chunk[at] as number;
      let size = chunk[at + 1] as number;
      let bodyAt = at + 2;
      if ((flags & LONG) !== 0) {
        if (end - at < longHeaderBytes) break;
        size = chunk.readUInt32BE(at + 1) * 2 ** 32 + chunk.readUInt32BE(at + 5);
        bodyAt = at + longHeaderBytes;
      }
      if (!this.#isAllowed(flags, size)) break;
      const next = bodyAt + size;
      if (next <= end) {
        this.#frame(flags, size === 0 ? noBytes : chunk.subarray(bodyAt, next));
        at = next;
      } else if (size > gatherAboveBytes) {
        this.#gathering = { flags, size, bytes: Buffer.allocUnsafeSlow(Math.min(size, firstReserveBytes)), have: 0 };
        at = this.#gather(this.#gathering, chunk, bodyAt);
      } else {
        break;
      }
    }
    if (at < end && this.#problem === undefined) this.#rest = chunk.subarray(at);
    return this.#problem;
  }

  #isAllowed(flags: number, size: number): boolean {
    const { maxFrameBytes, maxFrames, maxMessageBytes } = this.#limits;
    if ((flags & reservedFlags) !== 0 || ((flags & COMMAND) !== 0 && (flags & MORE) !== 0)) this.#problem = 'NOT_ZMTP';
    else if (size > maxFrameBytes || this.#messageBytes + size > maxMessageBytes || this.#frames.length >= maxFrames) this.#problem = 'TOO_LARGE';
    return this.#problem === undefined;
  }

  /** Takes bytes of the frame that is gathered, from `at`; gives the place after them. */
  #gather(gathering: Gathering, chunk: Buffer, at: number): number {
    const take = Math.min(gathering.size - gathering.have, chunk.length - at);
    const needed = gathering.have + take;
    if (needed > gathering.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(gathering.size, Math.max(needed, gathering.bytes.length * 2)));
      gathering.bytes.copy(larger, 0, 0, gathering.have);
      gathering.bytes = larger;
    }
    chunk.copy(gathering.bytes, gathering.have, at, at + take);
    gathering.have = needed;
    if (needed === gathering.size) {
      this.#gathering = undefined;
      this.#frame(gathering.flags, gathering.bytes);
    }
    return at + take;
  }

  #frame(flags: number, body: Buffer): void {
    if ((flags & COMMAND) !== 0) {
      this.#events.command(body);
      return;
    }
    this.#frames.push(body);
    if ((flags & MORE) !== 0) {
      this.#messageBytes += body.length;
      return;
    }
    const frames = this.#frames;
    this.#frames = [];
    this.#messageBytes = 0;
    this.#events.message(frames);
  }
}
