// A worker and a synchronous client as Domogik's are on the wire (docs/protocol.md, "Facts about the peers that exist"):
// one request at a time, silent while it works, no answer to what it does not know, no goodbye.
import { Dealer } from 'zeromq';
import { openRequest } from './conformance/zeromq-wire.ts';

/** Answers an action; the reply's action and data as JSON text, or undefined for none at all. */
export type DomogikHandler = (data: string) => Promise<readonly [action: string, data: string] | undefined>;

const heartbeatMs = 1000;
const silentBeats = 3;

export class DomogikWorker implements AsyncDisposable {
  /** The actions that it was given, in order. */
  readonly taken: string[] = [];
  readonly #endpoint: string;
  readonly #service: string;
  readonly #handlers: Readonly<Record<string, DomogikHandler>>;
  readonly #loop: Promise<void>;
  #socket: Dealer | undefined;
  #stopped = false;

  constructor(endpoint: string, service: string, handlers: Readonly<Record<string, DomogikHandler>>) {
    this.#endpoint = endpoint;
    this.#service = service;
    this.#handlers = handlers;
    this.#loop = this.#run();
  }

  /** It never says DISCONNECT: its connection just closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#socket?.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#socket = new Dealer({ linger: 0 });
      this.#socket.connect(this.#endpoint);
      await this.#serve(this.#socket).catch((error: unknown) => {
        if (!this.#stopped) throw error;
      });
      this.#socket.close();
    }
  }

  /** Serves until the broker is given up. */
  async #serve(socket: Dealer): Promise<void> {
    await socket.send(['', 'MDPW01', '\x01', this.#service]);
    let beatsLeft = silentBeats;
    let beatMs = performance.now() + heartbeatMs;
    while (beatsLeft > 0) {
      const frames = await receiveUntil(socket, beatMs);
      if (frames === undefined) {
        beatsLeft -= 1;
        beatMs = performance.now() + heartbeatMs;
        await socket.send(['', 'MDPW01', '\x04']);
        continue;
      }
      beatsLeft = silentBeats;
      const [, , command, ...rest] = frames;
      if (command?.[0] === 0x05) return;
      if (command?.[0] === 0x02) await this.#answer(socket, rest);
    }
  }

  async #answer(socket: Dealer, rest: readonly Buffer[]): Promise<void> {
    const end = rest.findIndex((frame) => frame.length === 0);
    const [action = '', data = ''] = rest.slice(end + 1).map(String);
    this.taken.push(action);
    const reply = await this.#handlers[action]?.(data);
    if (reply !== undefined) await socket.send(['', 'MDPW01', '\x03', ...rest.slice(0, end), '', ...reply]);
  }
}

/** The next message, or undefined when the time has come. */
async function receiveUntil(socket: Dealer, untilMs: number): Promise<Buffer[] | undefined> {
  socket.receiveTimeout = Math.max(0, Math.ceil(untilMs - performance.now()));
  try {
    return await socket.receive();
  } catch (error) {
    if (!socket.closed && error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
    throw error;
  }
}

export interface DomogikRequest {
  readonly service: string;
  readonly action: string;
  /** JSON text, as Python writes it. */
  readonly data?: string;
  readonly timeoutSeconds: number;
}

/** MQSyncReq: one REQ socket for one request in the timed dialect, closed at its own time-out; then the answer is undefined. */
export async function domogikRequest(endpoint: string, { service, action, data = '{}', timeoutSeconds }: DomogikRequest): Promise<readonly string[] | undefined> {
  const socket = openRequest(endpoint, timeoutSeconds * 1000);
  try {
    await socket.send(['MDPC01', service, timeoutSeconds.toFixed(1), action, data]);
    return (await socket.receive()).map(String);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
    throw error;
  } finally {
    socket.close();
  }
}
