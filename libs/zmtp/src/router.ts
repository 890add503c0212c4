// The ROUTER socket, listening (RFC 28): many peers, each known by its routing id. A message to one that is gone, or does
// not read, is refused at once; the end of each peer is told after its last message.
import { Buffer } from 'node:buffer';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { lstat, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { BusyPolling } from './busy-polling.ts';
import type { DecoderLimits } from './decoder.ts';
import { formatTcp, parseEndpoint, type Endpoint } from './endpoint.ts';
import { EndpointError, type EndReason } from './errors.ts';
import { Link, type LinkOptions } from './link.ts';
import type { Message } from './message.ts';
import type { OutboxLimits } from './outbox.ts';
import type { PeerInfo } from './peer-machine.ts';

export interface RouterOptions {
  readonly limits: DecoderLimits;
  /** For each peer. */
  readonly outbox: OutboxLimits;
  /** Most bytes that all peers together may hold: of messages that have not come whole, and of what was not read. */
  readonly maxHeldBytes: number;
  /** Most connections at once, those in their handshake too; one more is closed at once. Without it only the system's limit counts. */
  readonly maxConnections?: number;
  /** How long a handshake may take; 30,000 ms by default. */
  readonly handshakeMs?: number;
}

/** A peer is its routing id, as latin1 text. */
export interface RouterEvents {
  message(peer: string, message: Message): void;
  /** More of a message that is not whole has come from a peer; told at each 16 KiB of it. */
  alive?(peer: string): void;
  gone(peer: string): void;
  /** A connection was refused or ended by this side. */
  ended?(reason: EndReason, detail: string): void;
  /** A connection was closed at once, because there are as many as there may be. */
  full?(): void;
}

const defaultHandshakeMs = 30_000;
/** How often silence and greed are looked for. */
const sweepMs = 200;
const keepAliveMs = 30_000;
/** Connections that wait to be taken, as far as the system has room for them: Node takes one in each turn of its loop. */
const backlog = 4096;
const maxIdentityBytes = 255;

export class Router implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: LinkOptions;
  readonly #maxHeldBytes: number;
  readonly #maxConnections: number;
  readonly #events: RouterEvents;
  /** All connections, those in their handshake too. */
  readonly #links = new Set<Link>();
  readonly #peers = new Map<string, Link>();
  readonly #sweep: NodeJS.Timeout;
  /** Not where polling would keep those from running that are waited for. */
  readonly #polling = availableParallelism() > 1 ? new BusyPolling() : undefined;
  #nextId = randomInt(2 ** 32);
  #endpoint = '';

  /** @throws EndpointError ADDRESS_IN_USE, ADDRESS_INVALID */
  static async listen(endpoint: string, options: RouterOptions, events: RouterEvents): Promise<Router> {
    const address = parseEndpoint(endpoint);
    const router = new Router(options, events);
    try {
      await router.#listen(address);
    } catch (cause) {
      await router.close();
      throw listenError(endpoint, cause);
    }
    return router;
  }

  private constructor({ limits, outbox, maxHeldBytes, maxConnections = Infinity, handshakeMs = defaultHandshakeMs }: RouterOptions, events: RouterEvents) {
    this.#options = { peer: { type: 'ROUTER', limits, handshakeMs }, outbox };
    this.#maxHeldBytes = maxHeldBytes;
    this.#maxConnections = maxConnections;
    this.#events = events;
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }, (socket) => this.#accept(socket));
    this.#sweep = setInterval(() => this.#sweepLinks(), sweepMs);
  }

  /** Where it listens, with the port that was chosen. */
  get endpoint(): string {
    return this.#endpoint;
  }

  /** Queues a message; false if the peer is gone or does not read. */
  send(peer: string, frames: readonly Buffer[]): boolean {
    return this.#peers.get(peer)?.send(frames) ?? false;
  }

  /** The same, of a message in wire form: what `encodeFrames` made, and the pieces of a tail. */
  forward(peer: string, head: Buffer, pieces: readonly Buffer[]): boolean {
    this.#polling?.message();
    return this.#peers.get(peer)?.forward(head, pieces) ?? false;
  }

  /** Stops listening and ends every connection. May be called twice. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    for (const link of this.#links) link.close(0);
    this.#links.clear();
    this.#peers.clear();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(address: Endpoint): Promise<void> {
    if (address.kind === 'tcp') {
      await this.#listenAt({ host: address.host === '*' ? '0.0.0.0' : address.host, port: address.port });
      const { address: host, port } = this.#server.address() as AddressInfo;
      this.#endpoint = formatTcp(host, port);
      return;
    }
    try {
      await this.#listenAt({ path: address.path });
    } catch (error) {
      if (!isInUse(error) || address.path.startsWith('\0') || !(await isAbandoned(address.path))) throw error;
      // Who listened there was killed, and has left its socket.
      await rm(address.path);
      await this.#listenAt({ path: address.path });
    }
    this.#endpoint = `ipc://${address.path.replace(/^\0/, '@')}`;
  }

  async #listenAt(where: { readonly host: string; readonly port: number } | { readonly path: string }): Promise<void> {
    this.#server.listen({ ...where, backlog });
    await once(this.#server, 'listening');
  }

  #accept(socket: Socket): void {
    if (this.#links.size >= this.#maxConnections) {
      socket.destroy();
      this.#events.full?.();
      return;
    }
    let peer: string | undefined;
    const link: Link = new Link(socket, this.#options, {
      open: (info) => {
        const id = this.#idOf(info);
        if (this.#peers.has(id)) return false;
        peer = id;
        this.#peers.set(id, link);
        return true;
      },
      message: (message) => this.#events.message(peer as string, message),
      alive: () => this.#events.alive?.(peer as string),
      ended: (reason, detail) => {
        this.#links.delete(link);
        if (reason !== undefined) this.#events.ended?.(reason, detail);
        if (peer === undefined) return;
        this.#peers.delete(peer);
        this.#events.gone(peer);
      },
    });
    this.#links.add(link);
  }

  /** The routing id that a peer asks for, or one of our own: a zero and four bytes, as every ROUTER gives (RFC 28). */
  #idOf({ identity }: PeerInfo): string {
    if (identity.length > 0 && identity.length <= maxIdentityBytes && identity[0] !== 0) return identity.toString('latin1');
    const id = Buffer.alloc(5);
    do {
      id.writeUInt32BE(this.#nextId, 1);
      this.#nextId = (this.#nextId + 1) % 2 ** 32;
    } while (this.#peers.has(id.toString('latin1')));
    return id.toString('latin1');
  }

  #sweepLinks(): void {
    const nowMs = performance.now();
    let heldBytes = 0;
    for (const link of this.#links) {
      if (link.deadlineMs <= nowMs) link.tick(nowMs);
      heldBytes += link.heldBytes;
    }
    if (heldBytes <= this.#maxHeldBytes) return;
    // Those that hold most go first, so that many that hold little are not harmed.
    for (const link of [...this.#links].sort((a, b) => b.heldBytes - a.heldBytes)) {
      heldBytes -= link.heldBytes;
      link.end('TOO_LARGE', `it held ${link.heldBytes} bytes, and all peers together more than ${this.#maxHeldBytes}`);
      if (heldBytes <= this.#maxHeldBytes) return;
    }
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** Whether the path is a socket at which nobody listens. */
async function isAbandoned(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false;
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'));
  });
}

function listenError(endpoint: string, cause: unknown): EndpointError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return isInUse(cause)
    ? new EndpointError('ADDRESS_IN_USE', `${endpoint} is in use by another program`, { cause })
    : new EndpointError('ADDRESS_INVALID', `cannot listen on ${endpoint} (${code})`, { cause });
}
