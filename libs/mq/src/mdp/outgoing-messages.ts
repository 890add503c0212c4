// What the broker says, in order, for the pump to send: what it hands over and passes on, and what it answers itself, with a count
// of what it refused (docs/protocol.md, rules R5, R7, R12, R15, R17). It decides nothing.
import { Buffer } from 'node:buffer';
import { encodeFrames, type Tail } from '@majordomus/zmtp';
import { disconnectMessageBytes, errorBody, heartbeatMessageBytes, replyHead, supersededMessageBytes, workerCancel } from './broker-codec.ts';
import type { Outgoing, RefusalCode, ServiceState } from './broker-state.ts';
import type { Frame, Frames } from './frames.ts';
import type { Tokens } from './tokens.ts';

export class OutgoingMessages {
  readonly queue: Outgoing[] = [];
  readonly refused: Record<RefusalCode, number> = {
    DEADLINE_EXCEEDED: 0, SERVICE_UNKNOWN: 0, WORKER_LOST: 0, OVERLOADED: 0, TOO_LARGE: 0, BAD_REQUEST: 0,
  };
  readonly #tokens: Tokens;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /** A request, to the worker that holds it from now on. */
  request(peer: string, sequence: number, body: Tail | undefined): void {
    this.#push(peer, this.#tokens.headOf(sequence), body, sequence);
  }

  /** What a worker answered, to the client that asked; `address` in wire form (rule R1). */
  reply(peer: string, address: Buffer, service: ServiceState, body: Tail): void {
    const head = body.frames > 0 ? service.replyHead : replyHead(service.frame, false);
    this.#push(peer, address.length === 0 ? head : Buffer.concat([address, head]), body);
  }

  /** What the broker itself answers. */
  answer(peer: string, address: Buffer, service: Frame, body: Frames): void {
    this.#push(peer, Buffer.concat([address, replyHead(service, true), encodeFrames(body)]));
  }

  /** Rule R7. */
  error(peer: string, address: Buffer, service: Frame, code: RefusalCode, reason: string): void {
    this.refused[code] += 1;
    this.answer(peer, address, service, errorBody(code, reason));
  }

  cancel(peer: string, sequence: number): void {
    this.#push(peer, workerCancel(this.#tokens.of(sequence)));
  }

  heartbeat(peer: string): void {
    this.#push(peer, heartbeatMessageBytes);
  }

  disconnect(peer: string): void {
    this.#push(peer, disconnectMessageBytes);
  }

  /** Rule R15: to an instance that is to end itself. */
  superseded(peer: string): void {
    this.#push(peer, supersededMessageBytes);
  }

  #push(peer: string, head: Buffer, body?: Tail, sequence = 0): void {
    this.queue.push({ peer, head, body, sequence });
  }
}
