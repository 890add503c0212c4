// The envelopes of the broker: one token for each request that a worker holds, never used again, not even after a restart
// (docs/protocol.md, rule R5). A token is the prefix of this run and the request's number.
import type { Frame } from './frames.ts';

const prefixBytes = 8;
const sequenceBytes = 6;

export class Tokens {
  readonly #prefix: Buffer;

  /** @param seed at least 8 random bytes, new at each start of the broker */
  constructor(seed: Uint8Array) {
    this.#prefix = Buffer.from(seed.subarray(0, prefixBytes));
  }

  /** The token of the request with this number. */
  of(sequence: number): Frame {
    const token = Buffer.allocUnsafe(prefixBytes + sequenceBytes);
    token.set(this.#prefix);
    token.writeUIntBE(sequence, prefixBytes, sequenceBytes);
    return token;
  }

  /** The number in a token, or -1 if it is none of this broker's. */
  sequenceOf(token: Frame): number {
    if (token.length !== prefixBytes + sequenceBytes || token.compare(this.#prefix, 0, prefixBytes, 0, prefixBytes) !== 0) return -1;
    return token.readUIntBE(prefixBytes, sequenceBytes);
  }
}
