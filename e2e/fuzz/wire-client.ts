// A client that sends the bytes that it is told to, many at once, and holds every answer against what it asked: one for each, in
// time (docs/protocol.md, rules R1 and R7).
import { Dealer } from 'zeromq';
import { until } from '../src/waiting.ts';
import { Accounts } from './accounts.ts';
import { empty, mdpClient, text } from './frame-stacks.ts';
import { Finding } from './target.ts';

export interface WireReply {
  readonly service: string;
  readonly action: string;
  /** The frames after the action. */
  readonly rest: readonly Buffer[];
}

export class WireClient implements AsyncDisposable {
  readonly #socket = new Dealer({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
  readonly #accounts = new Accounts();
  readonly #replies = new Map<string, WireReply>();
  #last = 0;

  constructor(endpoint: string) {
    this.#socket.connect(endpoint);
    void this.#read();
  }

  /** Sends all, and gives the answers in the same order. @throws Finding when one is missing after `limitMs`, or there is one too many */
  async ask(requests: readonly { readonly service: string; readonly body: readonly Buffer[]; readonly timeoutMs: number }[], limitMs: number): Promise<WireReply[]> {
    const ids: string[] = [];
    for (const { service, body, timeoutMs } of requests) {
      const id = `ask ${(this.#last += 1)}`;
      ids.push(id);
      this.#accounts.owe(id);
      await this.#socket.send([text(id), empty, mdpClient, text(service), text((timeoutMs / 1000).toFixed(3)), ...body]);
    }
    await until('all is answered', () => (this.#accounts.isSettled ? true : undefined), { limitMs }).catch((cause: unknown) => {
      throw new Finding(`after ${limitMs} ms ${this.#accounts.missing}`, { cause });
    });
    if (this.#accounts.problem !== undefined) throw new Finding(this.#accounts.problem);
    return ids.map((id) => {
      const reply = this.#replies.get(id);
      this.#replies.delete(id);
      if (reply === undefined) throw new Finding(`the answer to ${id} was no message`);
      return reply;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    return Promise.resolve();
  }

  async #read(): Promise<void> {
    for await (const [id = empty, , , service = empty, action = empty, ...rest] of this.#socket) {
      this.#accounts.answered(id.toString());
      this.#replies.set(id.toString(), { service: service.toString(), action: action.toString(), rest });
    }
  }
}
