// A client to extend, as Domogik's asynchronous one: what is answered arrives at `onMessage`, whoever asked. Where the
// caller itself waits for the answer, `Client` is the simpler one.
import { Client, type ClientOptions, type RequestOptions } from './client.ts';
import { CallError } from './mdp/errors.ts';
import type { Message } from './message.ts';

/** What a message answers. */
export interface Asked {
  readonly service: string;
  readonly message: Message;
}

/** Each request ends, at its own deadline at the latest, with one call of `onMessage` or of `onError`. */
export abstract class MessageClient implements AsyncDisposable {
  readonly #client: Client;

  constructor(options: ClientOptions) {
    this.#client = new Client(options);
  }

  get isConnected(): boolean {
    return this.#client.isConnected;
  }

  /** Sends a message; returns at once. */
  request(service: string, message: Message, options: RequestOptions = {}): void {
    // What onMessage or onError throws is its author's, and ends the process as any other exception that nobody catches.
    void this.#ask({ service, message }, options);
  }

  /** Called with each answer as it came, also one with `status: false`. */
  protected abstract onMessage(message: Message, asked: Asked): void | Promise<void>;

  /** Called for each request without an answer: no broker, no worker, no time left. Without an own one, a warning of the process. */
  protected onError(error: CallError, _asked: Asked): void | Promise<void> {
    if (error.code !== 'CLIENT_CLOSED') process.emitWarning(error);
  }

  /** Ends every open request with CLIENT_CLOSED and closes. May be called twice. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ask(asked: Asked, options: RequestOptions): Promise<void> {
    let answer: Message;
    try {
      answer = await this.#client.request(asked.service, asked.message, options);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      await this.onError(error, asked);
      return;
    }
    await this.onMessage(answer, asked);
  }
}
