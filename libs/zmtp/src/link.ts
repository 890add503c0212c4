// One connection over a stream socket: the machine of peer-machine.ts, what it reads and what it writes. It ends once, and
// says so once, after the last message of the peer.
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { EndReason } from './errors.ts';
import type { Message } from './message.ts';
import { Outbox, type OutboxLimits } from './outbox.ts';
import { PeerMachine, type PeerInfo, type PeerOptions } from './peer-machine.ts';

export interface LinkOptions {
  readonly peer: PeerOptions;
  readonly outbox: OutboxLimits;
}

export interface LinkEvents {
  /** The handshake is complete; false refuses the peer. */
  open(peer: PeerInfo): boolean;
  message(message: Message): void;
  /** More of a message that is not whole has come. */
  alive(): void;
  /** The connection has ended; `reason` if this side ended it, with the word that it has for it. */
  ended(reason: EndReason | undefined, detail: string): void;
}

/** How long a peer that is ended may take to read why. */
const lastWordMs = 1000;

export class Link {
  readonly #socket: Socket;
  readonly #machine: PeerMachine;
  readonly #outbox: Outbox;
  #reason: EndReason | undefined;
  #detail = '';
  #isClosedByOwner = false;

  /** @param socket connected */
  constructor(socket: Socket, { peer, outbox }: LinkOptions, events: LinkEvents) {
    this.#socket = socket;
    this.#outbox = new Outbox(socket, outbox);
    this.#machine = new PeerMachine(peer, {
      write: (bytes) => this.#outbox.write(bytes),
      open: (peerInfo) => events.open(peerInfo),
      message: (message) => events.message(message),
      alive: () => events.alive(),
      end: (reason, detail) => {
        this.#reason = reason;
        this.#detail = detail;
        this.#finish(lastWordMs);
      },
    }, performance.now());
    socket.on('data', (chunk: Buffer) => this.#machine.receive(chunk, performance.now()));
    // The close that follows says it.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#machine.close();
      if (!this.#isClosedByOwner) events.ended(this.#reason, this.#detail);
    });
    this.#machine.start();
  }

  /** What it holds: a message that has not come whole, and what the peer has not read. */
  get heldBytes(): number {
    return this.#machine.unfinishedBytes + this.#outbox.waitingBytes;
  }

  /** Ends it at once. */
  end(reason: EndReason, detail: string): void {
    this.#reason ??= reason;
    this.#detail = detail;
    this.#machine.close();
    this.#socket.destroy();
  }

  /** When `tick` is due. */
  get deadlineMs(): number {
    return this.#machine.deadlineMs;
  }

  tick(nowMs: number): void {
    this.#machine.tick(nowMs);
  }

  /** False if the peer is not there, or does not read. The first frames may be in wire form, in `head`. */
  send(frames: readonly Buffer[], head?: Buffer): boolean {
    return this.#machine.isOpen && this.#outbox.send(frames, head);
  }

  /** The same, of a message in wire form. */
  forward(head: Buffer, pieces: readonly Buffer[]): boolean {
    return this.#machine.isOpen && this.#outbox.forward(head, pieces);
  }

  /** Ends it, and says nothing more; what was sent may still go out for so long. */
  close(lingerMs: number): void {
    this.#isClosedByOwner = true;
    this.#machine.close();
    if (lingerMs <= 0) {
      this.#socket.destroy();
      return;
    }
    this.#finish(lingerMs);
  }

  /** Writes what it has, as far as the peer takes it in time, and ends the connection. */
  #finish(limitMs: number): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    const limit = setTimeout(() => socket.destroy(), limitMs);
    socket.once('close', () => clearTimeout(limit));
    // What the peer still sends is not for anybody.
    socket.removeAllListeners('data').resume();
    this.#outbox.drain(() => socket.destroySoon());
  }
}
