// The frame that travels on a Velbus, as bytes and back (Velbus packet protocol, github.com/velbus/packetprotocol):
// STX, priority, address, RTR and length, 0 to 8 bytes of data, checksum, ETX. Pure: bytes in, frames out.

export const priorities = ['high', 'firmware', 'third-party', 'low'] as const;
/** Who goes first when two collide on the bus, in the order of importance. */
export type Priority = (typeof priorities)[number];

export interface Frame {
  readonly priority: Priority;
  /** 0 to 255; 0 is everybody. */
  readonly address: number;
  /** Remote transmit request: the frame asks the module at the address what it is, and has no data. */
  readonly rtr: boolean;
  /** 8 bytes at most; the first is the command. */
  readonly data: Uint8Array;
}

const stx = 0x0f;
const etx = 0x04;
/** The byte of the highest priority; the others follow it. */
const firstPriority = 0xf8;
const rtrFlag = 0x40;
const headerLength = 4;
/** What a frame has beside its data. */
const overhead = headerLength + 2;
export const maxDataLength = 8;

/** Our own fault: a frame that cannot be on the bus. */
class FrameError extends Error {
  override readonly name = 'FrameError';
  readonly code = 'FRAME_INVALID';
}

/** @throws FrameError if the frame has an address, data or RTR that no frame can have */
export function encodeFrame({ priority, address, rtr, data }: Frame): Uint8Array {
  if (!Number.isInteger(address) || address < 0 || address > 0xff) throw new FrameError(`a frame to the address ${address}: must be a whole number from 0 to 255`);
  if (data.length > maxDataLength) throw new FrameError(`a frame to the address ${address} with ${data.length} bytes of data: ${maxDataLength} at most`);
  if (rtr && data.length > 0) throw new FrameError(`a frame to the address ${address} with RTR and data: it can have one of them`);
  const bytes = new Uint8Array(overhead + data.length);
  bytes.set([stx, firstPriority + priorities.indexOf(priority), address, rtr ? rtrFlag : data.length]);
  bytes.set(data, headerLength);
  bytes[bytes.length - 2] = checksum(bytes.subarray(0, -2));
  bytes[bytes.length - 1] = etx;
  return bytes;
}

/** The two's complement of the sum of the bytes. */
function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

/**
 * Finds the frames in a stream of bytes, however it was cut into pieces. What is no frame is skipped up to the next STX
 * that may begin one; so a frame after garbage is found, whatever the garbage looks like.
 */
export class FrameParser {
  #pending = new Uint8Array(0);
  #garbageBytes = 0;
  #rejectedFrames = 0;

  /** Bytes that were skipped as no part of a frame. */
  get garbageBytes(): number {
    return this.#garbageBytes;
  }

  /** Frames that looked well up to a wrong checksum or end. */
  get rejectedFrames(): number {
    return this.#rejectedFrames;
  }

  /** Bytes that may become a frame; 13 at most. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** The frames that the bytes complete. */
  push(bytes: Uint8Array): Frame[] {
    const all = new Uint8Array(this.#pending.length + bytes.length);
    all.set(this.#pending);
    all.set(bytes, this.#pending.length);
    return this.#parse(all, 0);
  }

  /**
   * Nothing more came in the time that a frame takes: what is pending is none. Garbage that looks like the beginning of
   * a frame would else swallow the next one.
   */
  giveUp(): Frame[] {
    if (this.#pending.length === 0) return [];
    this.#garbageBytes += 1;
    return this.#parse(this.#pending, 1);
  }

  /** Another stream begins: what is pending is no part of it. */
  reset(): void {
    this.#garbageBytes += this.#pending.length;
    this.#pending = new Uint8Array(0);
  }

  #parse(bytes: Uint8Array, from: number): Frame[] {
    const frames: Frame[] = [];
    let start = from;
    while (start < bytes.length) {
      const found = frameAt(bytes.subarray(start));
      if (found === 'incomplete') break;
      if (typeof found === 'string') {
        if (found === 'rejected') this.#rejectedFrames += 1;
        this.#garbageBytes += 1;
        start += 1;
      } else {
        frames.push(found);
        start += overhead + found.data.length;
      }
    }
    this.#pending = bytes.slice(start);
    return frames;
  }
}

/** The frame at the beginning of the bytes, or why there is none: it may still come, or it cannot. */
function frameAt(bytes: Uint8Array): Frame | 'incomplete' | 'garbage' | 'rejected' {
  const [first, second, address, rtrAndLength] = bytes;
  if (first !== stx) return 'garbage';
  if (second === undefined) return 'incomplete';
  const priority = priorities[second - firstPriority];
  if (priority === undefined) return 'garbage';
  if (address === undefined || rtrAndLength === undefined) return 'incomplete';
  const rtr = rtrAndLength === rtrFlag;
  if (!rtr && rtrAndLength > maxDataLength) return 'garbage';
  const end = overhead + (rtr ? 0 : rtrAndLength);
  if (bytes.length < end) return 'incomplete';
  if (bytes[end - 1] !== etx || bytes[end - 2] !== checksum(bytes.subarray(0, end - 2))) return 'rejected';
  return { priority, address, rtr, data: bytes.slice(headerLength, end - 2) };
}
