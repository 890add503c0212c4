// A peer that sends what it likes, frame by frame: a bare DEALER socket, which knows nothing of the protocol.
import { Dealer } from 'zeromq';

export type Part = string | Buffer;

const receiveLimitMs = 5000;

export class RawPeer implements AsyncDisposable {
  readonly #socket = new Dealer({ linger: 0, receiveTimeout: receiveLimitMs, sendTimeout: receiveLimitMs });

  constructor(endpoint: string) {
    this.#socket.connect(endpoint);
  }

  async send(...parts: readonly Part[]): Promise<void> {
    await this.#socket.send([...parts]);
  }

  /** The next message; rejects when none comes in time. */
  async receive(): Promise<Buffer[]> {
    return await this.#socket.receive();
  }

  /** Sends, and gives the next message as text, frame by frame. */
  async ask(...parts: readonly Part[]): Promise<string[]> {
    await this.send(...parts);
    return (await this.receive()).map((frame) => frame.toString());
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    return Promise.resolve();
  }
}
