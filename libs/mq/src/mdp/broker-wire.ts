// What the broker puts on the wire of its own: its tokens (rule R5) and its error replies (rule R7).
import type { RefusalCode } from './broker-state.ts';
import { errorAction, type Frame, type Frames } from './frames.ts';

const prefixBytes = 8;
const sequenceBytes = 6;

/** The part of a token that is new at each start of the broker. */
export function randomPrefix(seed: Uint8Array): Buffer {
  return Buffer.from(seed.subarray(0, prefixBytes));
}

/** The envelope of one request: the prefix and its number. */
export function tokenFrame(prefix: Buffer, sequence: number): Frame {
  const token = Buffer.allocUnsafe(prefixBytes + sequenceBytes);
  token.set(prefix);
  token.writeUIntBE(sequence, prefixBytes, sequenceBytes);
  return token;
}

/** The number in a token, or -1 if it is none of this broker's. */
export function tokenSequence(prefix: Buffer, token: Frame): number {
  if (token.length !== prefixBytes + sequenceBytes || token.compare(prefix, 0, prefixBytes, 0, prefixBytes) !== 0) return -1;
  return token.readUIntBE(prefixBytes, sequenceBytes);
}

const errorActionFrame = Buffer.from(errorAction);

export function brokerError(code: RefusalCode, reason: string): Frames {
  return [errorActionFrame, Buffer.from(JSON.stringify({ status: false, code, reason }))];
}
