// What the suites need of a wire: raw peers, which send and receive frames and know nothing of the protocol, so that
// what stands in a test is exactly what travels. Frames are written and shown as latin1 text, which loses no byte.
import { randomBytes } from 'node:crypto';
import { encodeFrames } from '@majordomus/zmtp';
import type { Frames, Transport } from '../../src/index.ts';

/** One way to carry frames. */
export interface Wire {
  readonly name: string;
  readonly transport: Transport;
  /** To listen at any free address. */
  readonly anyEndpoint: string;
  /** An address where nobody listens, and where one may. */
  absentEndpoint(): Promise<string>;
  /** A raw DEALER. */
  connect(endpoint: string): RawPeer;
  /** A raw ROUTER, for tests in which the broker is the raw side; at any free address, or where another one was. */
  listen(endpoint?: string): Promise<RawRouter>;
}

export type Text = readonly string[];

export const heartbeat: Text = ['', 'MDPW01', '\x04'];
export const disconnect: Text = ['', 'MDPW01', '\x05'];
export const superseded: Text = ['', 'MDPW01', '\x05', 'superseded'];

/** How long a test waits for what must come, and how often it looks where it has to. */
export const patience = { timeout: 8000, interval: 10 } as const;

export function toFrames(text: Text): Frames {
  return text.map((frame) => Buffer.from(frame, 'latin1'));
}

export function toText(frames: Frames): Text {
  return frames.map((frame) => frame.toString('latin1'));
}

function isHeartbeat(message: Text): boolean {
  return message.length === 3 && message.every((frame, i) => frame === heartbeat[i]);
}

/** What arrived and was not asked for yet, and who asked and was not answered yet. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  async take(what: string, withinMs: number = patience.timeout): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return item;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#takers.push(resolve);
    const tooLate = new Error(`${what}: nothing came within ${withinMs} ms`); // Made here, where its stack leads to the test.
    const timer = setTimeout(() => reject(tooLate), withinMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Both ends of what carries a raw peer's frames. */
export interface Link {
  send(frames: Frames): void;
  close(): void;
}

export class RawPeer implements Disposable {
  readonly #inbox = new Inbox<Text>();
  readonly #link: Link;

  constructor(open: (deliver: (frames: Frames) => void) => Link) {
    this.#link = open((frames) => this.#inbox.put(toText(frames)));
  }

  send(...frames: Text): void {
    this.#link.send(toFrames(frames));
  }

  /** The next message that is no HEARTBEAT. */
  async receive(): Promise<Text> {
    for (;;) {
      const message = await this.receiveAny();
      if (!isHeartbeat(message)) return message;
    }
  }

  receiveAny(): Promise<Text> {
    return this.#inbox.take('a message of the broker');
  }

  /**
   * Asks the broker a question and expects its answer to be the next message: all that was sent was processed by
   * then, and nothing else was on its way to this peer.
   */
  async expectNothing(): Promise<void> {
    const nonce = randomBytes(6).toString('hex');
    this.send(nonce, '', 'MDPC01', 'mmi.none');
    const message = await this.receive();
    if (message[0] !== nonce) throw new Error(`expected nothing, and there was ${JSON.stringify(message)}`);
  }

  close(): void {
    this.#link.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export interface Received {
  readonly peer: string;
  readonly message: Text;
}

/** The listening side without a protocol; tests play the broker with it. */
export class RawRouter implements Disposable {
  readonly #inbox = new Inbox<Received>();
  readonly #send: (peer: string, frames: Frames) => void;
  readonly #close: () => void;
  readonly endpoint: string;

  constructor(endpoint: string, inbox: Inbox<Received>, send: (peer: string, frames: Frames) => void, close: () => void) {
    this.endpoint = endpoint;
    this.#inbox = inbox;
    this.#send = send;
    this.#close = close;
  }

  send(peer: string, ...frames: Text): void {
    this.#send(peer, toFrames(frames));
  }

  /** The next message that is no HEARTBEAT. */
  async receive(): Promise<Received> {
    for (;;) {
      const received = await this.receiveAny();
      if (!isHeartbeat(received.message)) return received;
    }
  }

  receiveAny(): Promise<Received> {
    return this.#inbox.take('a message of a peer');
  }

  close(): void {
    this.#close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The wire of any transport of ours. */
export function wireOf(name: string, transport: Transport, anyEndpoint: string, absentEndpoint: Wire['absentEndpoint']): Wire {
  const ignore = (): void => {};
  return {
    name,
    transport,
    anyEndpoint,
    absentEndpoint,
    connect: (endpoint) => new RawPeer((deliver) => {
      // A test says what it says when it likes; the transport takes nothing before there is a connection.
      let early: Frames[] | undefined = [];
      const send = (frames: Frames): void => socket.send({ head: encodeFrames(frames), body: [] });
      const socket = transport.connect(endpoint, { highWaterMark: 10_000, lingerMs: 1000 }, {
        connected: () => {
          for (const frames of early ?? []) send(frames);
          early = undefined;
        },
        disconnected: ignore,
        unsendable: ignore,
        message: (message) => deliver(message.frames()),
      });
      return {
        send: (frames) => {
          if (early === undefined) send(frames);
          else early.push(frames);
        },
        close: () => socket.close(),
      };
    }),
    async listen(endpoint = anyEndpoint): Promise<RawRouter> {
      const inbox = new Inbox<Received>();
      const socket = await transport.bind(endpoint, { maxFrameBytes: 1 << 26, highWaterMark: 10_000 }, {
        message: (peer, message) => inbox.put({ peer, message: toText(message.frames()) }),
        gone: ignore,
        unsendable: ignore,
      });
      return new RawRouter(socket.endpoint, inbox, (peer, frames) => socket.send({ peer, head: encodeFrames(frames), body: undefined, sequence: 0 }), () => socket.close());
    },
  };
}
