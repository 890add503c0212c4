// Raw peers over libzmq itself, with none of our own code between the test and the socket.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Dealer, Request, Router } from 'zeromq';
import { vi } from 'vitest';
import type { Frames } from '../../src/index.ts';
import { zeromqTransport } from '../../src/zeromq.ts';
import { Inbox, patience, RawPeer, RawRouter, toFrames, toText, type Link, type Received, type Text, type Wire } from './wire.ts';

const anyEndpoint = 'tcp://127.0.0.1:*';

/** Hands on what a socket receives until it is closed. */
async function pump(socket: AsyncIterable<Frames>, take: (frames: Frames) => void): Promise<void> {
  for await (const frames of socket) take(frames);
}

export const zeromqWire: Wire = {
  name: 'zeromq',
  transport: zeromqTransport,
  anyEndpoint,
  absentEndpoint,
  connect: (endpoint) => new RawPeer((deliver) => openDealer(endpoint, deliver)),
  listen: listenAt,
};

/** A port that the system had free a moment ago; a closed ZeroMQ socket would still accept connections for a while. */
async function absentEndpoint(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return `tcp://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
}

function openDealer(endpoint: string, deliver: (frames: Frames) => void): Link {
  const socket = new Dealer({ linger: 1000, sendTimeout: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
  socket.connect(endpoint);
  void pump(socket, deliver);
  return { send: (frames) => void socket.send(frames), close: () => socket.close() };
}

/** A raw ROUTER at an address. */
async function listenAt(endpoint = anyEndpoint): Promise<RawRouter> {
  const socket = new Router({ linger: 0, mandatory: true, sendTimeout: 0 });
  await vi.waitFor(() => socket.bind(endpoint), patience); // The one before may still be closing.
  const inbox = new Inbox<Received>();
  void pump(socket, ([id = Buffer.alloc(0), ...frames]) => inbox.put({ peer: id.toString('latin1'), message: toText(frames) }));
  return new RawRouter(socket.lastEndpoint ?? '', inbox, (peer, frames) => {
    socket.send([Buffer.from(peer, 'latin1'), ...frames]).catch(() => {}); // The peer may be gone, as on any wire.
  }, () => socket.close());
}

/** A raw DEALER that reads only what it is asked to, and lets nothing wait on its side. */
export class DeafPeer implements Disposable {
  readonly #socket = new Dealer({ linger: 0, sendTimeout: 0, sendHighWaterMark: 0, receiveHighWaterMark: 1, receiveTimeout: patience.timeout });

  constructor(endpoint: string) {
    this.#socket.connect(endpoint);
  }

  send(...frames: Text): void {
    void this.#socket.send(toFrames(frames));
  }

  async receive(): Promise<Text> {
    return toText(await this.#socket.receive());
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** A raw REQ, which hides the first empty frame, as Domogik's synchronous client is. */
export function openRequest(endpoint: string, receiveTimeoutMs: number): Request {
  const socket = new Request({ linger: 0, receiveTimeout: receiveTimeoutMs });
  socket.connect(endpoint);
  return socket;
}
