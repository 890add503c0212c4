// One connection as a sans-I/O machine: greeting, NULL handshake, traffic, heartbeats (RFC 37). It is given bytes and the
// time, and tells what to write, what was said, and when it must be asked again; it never reads a clock or a socket.
import { Buffer } from 'node:buffer';
import { errorCommand, partners, pingCommand, pongCommand, readCommand, readyCommand, type Command, type SocketType } from './command.ts';
import { Decoder, type DecoderLimits } from './decoder.ts';
import type { EndReason } from './errors.ts';
import { commandFrame } from './frame.ts';
import { greeting, greetingBytes, readGreeting } from './greeting.ts';
import type { Message } from './message.ts';

export interface Heartbeat {
  /** How often a PING is sent. */
  readonly intervalMs: number;
  /** How long after a PING nothing may come. */
  readonly timeoutMs: number;
  /** How long the other side may hear nothing; in steps of 100 ms. */
  readonly ttlMs: number;
}

export interface PeerOptions {
  readonly type: 'DEALER' | 'ROUTER';
  readonly limits: DecoderLimits;
  readonly handshakeMs: number;
  /** Without it this side sends no PING, and answers those of the other. */
  readonly heartbeat?: Heartbeat | undefined;
}

/** Who is at the other end. */
export interface PeerInfo {
  readonly type: SocketType;
  /** The routing id that it asks for; empty if it leaves that to the other side. */
  readonly identity: Buffer;
  /** 3.x */
  readonly minor: number;
}

export interface PeerEvents {
  /** Bytes that are to be written, in this order. */
  write(bytes: Buffer): void;
  /** The handshake is complete; traffic may be sent. False refuses the peer. */
  open(peer: PeerInfo): boolean;
  message(message: Message): void;
  /** More of a message that is not whole has come: whoever sends it is there. */
  alive(): void;
  /** This side ends the connection: nothing more is read or written. `detail` is the peer's own word where it gave one. */
  end(reason: EndReason, detail: string): void;
}

/** A timer that fires later than this tells that the process did not run; what arrived meanwhile is read before it is judged. */
const lateMs = 500;
const catchUpMs = 100;
/** So much more of a message shows that its sender is there; less is a trickle, which shows nothing. */
const lifeBytes = 16 * 1024;
/** A PING that stands behind a long message is not here to be answered. While bytes come, and no PING among them, a PONG is said so often. */
const assuranceMs = 1500;
const assurance = commandFrame(pongCommand(Buffer.alloc(0)));
const never = Infinity;

export class PeerMachine {
  readonly #options: PeerOptions;
  readonly #events: PeerEvents;
  readonly #decoder: Decoder;
  #state: 'greeting' | 'handshake' | 'open' | 'ended' = 'greeting';
  #greeted: Buffer | undefined;
  #minor = 0;
  /** When the handshake must be complete; later, when the other side must have been heard after a PING of either. */
  #silentAtMs: number;
  #pingAtMs = never;
  /** How long the other side may be silent, as its last PING has said; 0 for ever. */
  #ttlMs = 0;
  /** When the other side is told, unasked, that what it sends arrives. */
  #assuranceAtMs = never;
  /** How much of the message that is on its way has counted as life. */
  #aliveBytes = 0;
  /** The time of the bytes that are being read. */
  #nowMs = 0;

  constructor(options: PeerOptions, events: PeerEvents, nowMs: number) {
    this.#options = options;
    this.#events = events;
    this.#silentAtMs = nowMs + options.handshakeMs;
    this.#decoder = new Decoder(options.limits, {
      message: (message) => this.#message(message),
      command: (body) => this.#command(readCommand(body)),
    });
  }

  /** What this side says first, whoever is there. */
  start(): void {
    this.#events.write(greeting);
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** What the message that is on its way costs. */
  get unfinishedBytes(): number {
    return this.#decoder.unfinishedBytes;
  }

  /** When `tick` is due. */
  get deadlineMs(): number {
    return Math.min(this.#silentAtMs, this.#pingAtMs);
  }

  /** Bytes arrived. */
  receive(chunk: Buffer, nowMs: number): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'open') this.#silentAtMs = this.#ttlMs > 0 ? nowMs + this.#ttlMs : never;
    let traffic = chunk;
    if (this.#state === 'greeting') {
      const bytes = this.#greeted === undefined ? chunk : Buffer.concat([this.#greeted, chunk]);
      const greeted = readGreeting(bytes);
      if (greeted.kind === 'wrong') return this.#end(greeted.why);
      this.#greeted = bytes;
      if (greeted.kind === 'partial') return;
      this.#greeted = undefined;
      this.#minor = greeted.minor;
      this.#state = 'handshake';
      this.#events.write(commandFrame(readyCommand(this.#options.type)));
      traffic = bytes.subarray(greetingBytes);
    }
    this.#nowMs = nowMs;
    const problem = this.#decoder.push(traffic);
    if (problem !== undefined) return this.#end(problem);
    if (nowMs >= this.#assuranceAtMs) {
      this.#assuranceAtMs = nowMs + assuranceMs;
      this.#events.write(assurance);
    }
    this.#noteArrival();
  }

  /** Time has passed. */
  tick(nowMs: number): void {
    if (this.#state === 'ended') return;
    if (nowMs >= this.#silentAtMs) {
      if (nowMs - this.#silentAtMs > lateMs) this.#silentAtMs = nowMs + catchUpMs;
      else return this.#end(this.#state === 'open' ? 'SILENT' : 'HANDSHAKE_TIMEOUT');
    }
    const { heartbeat } = this.#options;
    if (heartbeat === undefined || nowMs < this.#pingAtMs) return;
    this.#pingAtMs = nowMs + heartbeat.intervalMs;
    this.#silentAtMs = Math.min(this.#silentAtMs, nowMs + heartbeat.timeoutMs);
    this.#events.write(commandFrame(pingCommand(heartbeat.ttlMs)));
  }

  /** Whoever drives it has ended the connection. */
  close(): void {
    this.#state = 'ended';
    this.#silentAtMs = never;
    this.#pingAtMs = never;
    this.#assuranceAtMs = never;
  }

  #noteArrival(): void {
    const bytes = this.#decoder.messageBytes;
    if (bytes - this.#aliveBytes >= lifeBytes) {
      this.#aliveBytes = bytes;
      if (this.#state === 'open') this.#events.alive();
    } else if (bytes < this.#aliveBytes) {
      // It is another message.
      this.#aliveBytes = bytes;
    }
  }

  #end(reason: EndReason, detail = ''): void {
    if (this.#state === 'ended') return;
    this.close();
    this.#events.end(reason, detail);
  }

  #message(message: Message): void {
    if (this.#state === 'open') this.#events.message(message);
    // Traffic before READY is no ZMTP.
    else this.#end('NOT_ZMTP');
  }

  #command(command: Command): void {
    switch (command.name) {
      case 'READY': return this.#ready(command.metadata);
      case 'ERROR': return this.#end('REFUSED', command.reason);
      case 'PING':
        if (this.#state !== 'open') return this.#end('NOT_ZMTP');
        this.#ttlMs = command.ttlMs;
        this.#assuranceAtMs = this.#nowMs + assuranceMs;
        this.#silentAtMs = this.#ttlMs > 0 ? this.#nowMs + this.#ttlMs : never;
        this.#events.write(commandFrame(pongCommand(command.context)));
        return;
      case 'PONG': return this.#state === 'open' ? undefined : this.#end('NOT_ZMTP');
      case 'OTHER': return undefined;
      case 'MALFORMED': return this.#end('NOT_ZMTP');
      default: command satisfies never;
    }
  }

  #ready(metadata: ReadonlyMap<string, Buffer>): void {
    if (this.#state !== 'handshake') return this.#end('NOT_ZMTP');
    const { type, heartbeat } = this.#options;
    const theirs = metadata.get('socket-type')?.toString('latin1') ?? '';
    const partner = partners[type].find((partnerType) => partnerType === theirs);
    if (partner === undefined) return this.#refuse('SOCKET_TYPE_MISMATCH', `${type} does not speak to ${theirs === '' ? 'a socket without a type' : theirs}`);
    this.#state = 'open';
    this.#silentAtMs = never;
    if (heartbeat !== undefined) this.#pingAtMs = this.#nowMs + heartbeat.intervalMs;
    // Its first PING may be behind a message already; since 3.1 a peer knows PONG.
    else if (this.#minor > 0) this.#assuranceAtMs = this.#nowMs + assuranceMs;
    if (!this.#events.open({ type: partner, identity: metadata.get('identity') ?? Buffer.alloc(0), minor: this.#minor })) this.#refuse('IDENTITY_TAKEN', 'another peer has this routing id');
  }

  /** Says why before it ends, so that a person at the other side can be told. */
  #refuse(reason: EndReason, text: string): void {
    this.#events.write(commandFrame(errorCommand(text)));
    this.#end(reason, text);
  }
}
