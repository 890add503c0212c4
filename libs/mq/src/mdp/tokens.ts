// The envelopes of the broker: one token for each request that a worker holds, never used again, not even after a restart
// (docs/protocol.md, rule R5). A token is the prefix of this run and the request's number.
import { Buffer } from 'node:buffer';
import type { Message } from '@majordomus/zmtp';
import { requestHead } from './broker-codec.ts';
import type { Frame } from './frames.ts';

const prefixBytes = 8;
const sequenceBytes = 6;
const tokenBytes = prefixBytes + sequenceBytes;

export class Tokens {
  readonly #prefix: Buffer;
  /** The head of a REQUEST with a token whose number is 0, and where in it the number stands. */
  readonly #head: Buffer;
  readonly #sequenceAt: number;

  /** @param seed at least 8 random bytes, new at each start of the broker */
  constructor(seed: Uint8Array) {
    this.#prefix = Buffer.from(seed.subarray(0, prefixBytes));
    const token = this.of(0);
    this.#head = requestHead(token);
    this.#sequenceAt = this.#head.indexOf(token) + prefixBytes;
  }

  /** The token of the request with this number. */
  of(sequence: number): Frame {
    const token = Buffer.alloc(tokenBytes);
    token.set(this.#prefix);
    token.writeUIntBE(sequence, prefixBytes, sequenceBytes);
    return token;
  }

  /** The head of the REQUEST with this number, in wire form. */
  headOf(sequence: number): Buffer {
    const template = this.#head;
    // So small a buffer stands in the heap itself, and copying it by hand is faster than the call of a native function.
    const head = Buffer.alloc(template.length);
    for (let i = 0; i < this.#sequenceAt; i += 1) head[i] = template[i] as number;
    head.writeUIntBE(sequence, this.#sequenceAt, sequenceBytes);
    for (let i = this.#sequenceAt + sequenceBytes; i < template.length; i += 1) head[i] = template[i] as number;
    return head;
  }

  /** The number in the token that a message has as this frame, or -1 if it is none of this broker's. */
  sequenceOf(message: Message, index: number): number {
    if (message.size(index) !== tokenBytes) return -1;
    for (let i = 0; i < prefixBytes; i += 1) if (message.byte(index, i) !== this.#prefix[i]) return -1;
    let sequence = 0;
    for (let i = prefixBytes; i < tokenBytes; i += 1) sequence = sequence * 256 + message.byte(index, i);
    return sequence;
  }
}
