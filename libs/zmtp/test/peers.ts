// Our sockets as the tests use them: what comes is taken one by one, and what is told is kept.
import { setTimeout as delay } from 'node:timers/promises';
import { Dealer, Router, type DealerOptions, type RouterOptions } from '../src/index.ts';

export const limits = { maxFrameBytes: 1 << 26, maxFrames: 1000, maxMessageBytes: 1 << 26 };
const outbox = { maxMessages: 10_000, maxBytes: 1 << 26 };
const patienceMs = 10_000;

/** What arrived and was not asked for yet, and who asked and was not answered yet. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  get size(): number {
    return this.#items.length;
  }

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  async take(): Promise<T> {
    if (this.#items.length > 0) return this.#items.shift() as T;
    const { promise, resolve } = Promise.withResolvers<T>();
    this.#takers.push(resolve);
    const patience = new AbortController();
    const late = delay(patienceMs, undefined, patience).then(() => {
      throw new TypeError(`nothing came within ${patienceMs} ms`);
    });
    late.catch(() => {});
    try {
      return await Promise.race([promise, late]);
    } finally {
      patience.abort();
    }
  }
}

export interface OpenRouter extends AsyncDisposable {
  readonly socket: Router;
  readonly inbox: Inbox<{ readonly peer: string; readonly frames: Buffer[] }>;
  readonly gone: string[];
  readonly ended: string[];
  /** One for each connection that was closed because there are as many as there may be. */
  readonly full: true[];
}

export async function openRouter(endpoint: string, options: Partial<RouterOptions> = {}): Promise<OpenRouter> {
  const inbox: OpenRouter['inbox'] = new Inbox();
  const [gone, ended, full]: [string[], string[], true[]] = [[], [], []];
  const socket = await Router.listen(endpoint, { limits, outbox, maxHeldBytes: 1 << 28, ...options }, {
    message: (peer, message) => inbox.put({ peer, frames: message.frames() }),
    gone: (peer) => void gone.push(peer),
    ended: (reason, detail) => void ended.push(detail === '' ? reason : `${reason}: ${detail}`),
    full: () => void full.push(true),
  });
  return { socket, inbox, gone, ended, full, [Symbol.asyncDispose]: () => socket.close() };
}

export interface OpenDealer extends Disposable {
  readonly socket: Dealer;
  readonly inbox: Inbox<Buffer[]>;
  readonly told: string[];
}

/** A DEALER; connected when this returns, unless nobody is there. */
export async function openDealer(endpoint: string, options: Partial<DealerOptions> = {}, waits = true): Promise<OpenDealer> {
  const inbox = new Inbox<Buffer[]>();
  const told: string[] = [];
  const connected = new Inbox<void>();
  const socket = new Dealer(endpoint, { limits, outbox, heartbeat: { intervalMs: 1000, timeoutMs: 5000, ttlMs: 5000 }, lingerMs: 1000, ...options }, {
    connected: () => {
      told.push('connected');
      connected.put();
    },
    disconnected: () => void told.push('disconnected'),
    message: (message) => inbox.put(message.frames()),
    ended: (reason) => void told.push(reason),
  });
  if (waits) await connected.take();
  return { socket, inbox, told, [Symbol.dispose]: () => socket.close() };
}
