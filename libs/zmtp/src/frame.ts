// The framing of traffic (RFC 37, section "Framing"): a byte of flags, a size of one byte or eight, the body. The
// `write…` functions write into a buffer that the caller has and allocate nothing; the others give a new buffer.
import { Buffer } from 'node:buffer';

export const MORE = 1;
export const LONG = 2;
export const COMMAND = 4;

/** The largest body whose size is one byte. */
const maxShortBytes = 0xff;
export const shortHeaderBytes = 2;
export const longHeaderBytes = 9;
/** Below this a copy byte by byte is faster than the call of a native function. */
const copyByHandBytes = 32;

/** How many bytes a frame takes on the wire. */
export function wireBytes(bodyBytes: number): number {
  return bodyBytes + (bodyBytes > maxShortBytes ? longHeaderBytes : shortHeaderBytes);
}

/** Writes flags and size at `at`; gives the place after them. */
export function writeHeader(target: Buffer, at: number, flags: number, bodyBytes: number): number {
  if (bodyBytes <= maxShortBytes) {
    target[at] = flags;
    target[at + 1] = bodyBytes;
    return at + shortHeaderBytes;
  }
  target[at] = flags | LONG;
  target.writeUInt32BE(Math.floor(bodyBytes / 2 ** 32), at + 1);
  target.writeUInt32BE(bodyBytes >>> 0, at + 5);
  return at + longHeaderBytes;
}

/** Writes a body at `at`; gives the place after it. */
export function writeBody(target: Buffer, at: number, body: Buffer): number {
  const { length } = body;
  if (length < copyByHandBytes) {
    for (let i = 0; i < length; i += 1) target[at + i] = body[i] as number;
  } else {
    target.set(body, at);
  }
  return at + length;
}

/** Frames in wire form as one buffer; with `more` others of the same message follow. */
export function encodeFrames(frames: readonly Buffer[], more = false): Buffer {
  const bytes = Buffer.allocUnsafe(frames.reduce((sum, { length }) => sum + wireBytes(length), 0));
  let at = 0;
  for (const [i, body] of frames.entries()) {
    at = writeHeader(bytes, at, more || i < frames.length - 1 ? MORE : 0, body.length);
    at = writeBody(bytes, at, body);
  }
  return bytes;
}

/** What comes before the body of a frame of traffic. */
export function frameHeader(bodyBytes: number, more: boolean): Buffer {
  const header = Buffer.allocUnsafe(wireBytes(bodyBytes) - bodyBytes);
  writeHeader(header, 0, more ? MORE : 0, bodyBytes);
  return header;
}

/** A whole command frame. */
export function commandFrame(body: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(wireBytes(body.length));
  writeBody(frame, writeHeader(frame, 0, COMMAND, body.length), body);
  return frame;
}
