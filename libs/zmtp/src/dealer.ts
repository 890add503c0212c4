// The DEALER socket, connecting (RFC 28): one connection to one endpoint, which comes back by itself with a pause that
// grows and varies. Nothing waits for a connection that is not there: such a message is refused at once.
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { DecoderLimits } from './decoder.ts';
import { parseRemoteEndpoint, type Endpoint } from './endpoint.ts';
import type { EndReason } from './errors.ts';
import { Link, type LinkOptions } from './link.ts';
import type { Message } from './message.ts';
import type { OutboxLimits } from './outbox.ts';
import type { Heartbeat } from './peer-machine.ts';
import { reconnectPauseMs, type ReconnectPauses } from './reconnect.ts';

export interface DealerOptions {
  readonly limits: DecoderLimits;
  readonly outbox: OutboxLimits;
  readonly heartbeat: Heartbeat;
  /** How long a connection may take to stand, 3,000 ms by default; over a cut line the kernel would try for minutes. */
  readonly connectMs?: number;
  /** How long the handshake may take then; 5,000 ms by default. */
  readonly handshakeMs?: number;
  /** The first pause before it connects again, and the longest; 100 ms and 2,000 ms by default. */
  readonly reconnectMs?: ReconnectPauses;
  /** How long what was sent may still go out after `close`. */
  readonly lingerMs: number;
}

export interface DealerEvents {
  connected(): void;
  disconnected(): void;
  message(message: Message): void;
  /** More of a message that is not whole has come; told at each 16 KiB of it. */
  alive?(): void;
  /** A connection was ended by this side. */
  ended?(reason: EndReason, detail: string): void;
}

const defaultConnectMs = 3000;
const defaultHandshakeMs = 5000;
const defaultReconnectMs = { first: 100, longest: 2000 };
const keepAliveMs = 30_000;

export class Dealer implements Disposable {
  readonly #address: Endpoint;
  readonly #options: DealerOptions;
  readonly #linkOptions: LinkOptions;
  readonly #events: DealerEvents;
  #socket: Socket | undefined;
  #link: Link | undefined;
  #isOpen = false;
  #isClosed = false;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @throws EndpointError ADDRESS_INVALID */
  constructor(endpoint: string, options: DealerOptions, events: DealerEvents) {
    const { limits, outbox, heartbeat, handshakeMs = defaultHandshakeMs } = options;
    this.#address = parseRemoteEndpoint(endpoint);
    this.#options = options;
    this.#linkOptions = { peer: { type: 'DEALER', limits, heartbeat, handshakeMs }, outbox };
    this.#events = events;
    this.#connect();
  }

  /** Whether its handshake is done, and its end was not told. */
  get isConnected(): boolean {
    return this.#isOpen;
  }

  /**
   * Queues a message; false if there is no connection, or the peer does not read. The first frames may be in wire form, in `head`,
   * as `encodeFrames` makes them.
   */
  send(frames: readonly Buffer[], head?: Buffer): boolean {
    return this.#link?.send(frames, head) ?? false;
  }

  /** No event comes any more. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#link === undefined) this.#socket?.destroy();
    else this.#link.close(this.#options.lingerMs);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #connect(): void {
    const address = this.#address;
    const socket = address.kind === 'ipc'
      ? connect({ path: address.path })
      : connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
    this.#socket = socket;
    socket.on('error', () => {});
    const closedEarly = (): void => this.#again();
    socket.once('close', closedEarly);
    this.#timer = setTimeout(() => socket.destroy(), this.#options.connectMs ?? defaultConnectMs);
    socket.once('connect', () => {
      socket.off('close', closedEarly);
      clearTimeout(this.#timer);
      this.#link = new Link(socket, this.#linkOptions, {
        open: () => this.#opened(),
        message: (message) => this.#events.message(message),
        alive: () => this.#events.alive?.(),
        ended: (reason, detail) => this.#ended(reason, detail),
      });
      this.#arm();
    });
  }

  #opened(): boolean {
    this.#isOpen = true;
    this.#attempt = 0;
    this.#arm();
    this.#events.connected();
    return true;
  }

  #ended(reason: EndReason | undefined, detail: string): void {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    this.#link = undefined;
    if (this.#isClosed) return;
    this.#again();
    if (reason !== undefined) this.#events.ended?.(reason, detail);
    if (wasOpen) this.#events.disconnected();
  }

  /** Connects again after a pause. */
  #again(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const pauseMs = reconnectPauseMs(this.#attempt, this.#options.reconnectMs ?? defaultReconnectMs, Math.random());
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#connect(), pauseMs);
  }

  /** The one timer of a connection: it looks when the machine wants to be asked. */
  #arm(): void {
    clearTimeout(this.#timer);
    const link = this.#link;
    if (link === undefined || link.deadlineMs === Infinity) return;
    this.#timer = setTimeout(() => {
      link.tick(performance.now());
      if (this.#link === link) this.#arm();
    }, Math.max(1, link.deadlineMs - performance.now()));
  }
}
