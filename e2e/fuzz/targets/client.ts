// Frames into our own client, from a broker that answers what it likes: each call ends once, at its deadline at the latest, with the
// answer to what it asked or a code, and never with what belongs to another (docs/protocol.md, rules C1 and C2).
import { busCodes } from '@majordomus/contracts';
import { Client } from '@majordomus/mq';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { Router } from 'zeromq';
import { empty, mdpClient, mdpWorker, mutated, showStack, text, type Stack } from '../frame-stacks.ts';
import { heldBytes } from '../held.ts';
import { wordsProblem } from '../judges.ts';
import type { Memory } from '../memory.ts';
import { Finding, target, type Subject } from '../target.ts';

const service = 'fuzzed';
/** Calls at once. */
const atOnce = 100;
const timeoutMs = 400;
/** A call ends at its deadline; this much later only on a machine that is busy. */
const lateMs = 10_000;
const codes: ReadonlySet<string> = new Set(Object.keys(busCodes));

const bytes = (maxLength: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
/** An answer as the broker gives it; `{token: 0}` stands for the address of the call, and `{token: 1}` for that of another. */
const answer: fc.Arbitrary<Stack> = fc.tuple(fc.constantFrom(0, 0, 0, 1), fc.constantFrom(service, 'other'), fc.constantFrom('echo.result', 'mq.error', ''), fc.oneof(fc.constantFrom('{"status":true,"reason":""}', '{"status":false,"code":"WORKER_LOST","reason":"gone"}', '{"status":false}', '{"status":1}', '[]', 'null', '{', '', `${'['.repeat(3000)}${']'.repeat(3000)}`, '{"__proto__":{"status":true}}').map(text), bytes(30)))
  .map(([token, from, action, data]) => [{ token, add: 0 }, empty, mdpClient, text(from), text(action), data]);
const stack = fc.oneof({ weight: 8, arbitrary: answer }, { weight: 1, arbitrary: fc.array(bytes(20), { minLength: 1, maxLength: 5 }) }, { weight: 1, arbitrary: fc.constantFrom<Stack>([empty, mdpWorker, Buffer.from([5])], [empty, mdpWorker, Buffer.from([2]), text('t'), empty, text('a')], [empty]) });

export const client = target<Stack>({
  name: 'client',
  about: 'frames into our client, from a broker that answers what it likes',
  batchSize: 500,
  testInputs: 27_000,
  input: mutated(stack),
  show: showStack,
  open: async () => {
    const socket = new Router({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0, sendTimeout: 0 });
    await socket.bind('tcp://127.0.0.1:*');
    return new ClientSubject(socket);
  },
});

class ClientSubject implements Subject<Stack> {
  readonly #socket: Router;
  readonly #client: Client;
  #faults: readonly Stack[] = [];
  #lastAddress: Buffer = empty;

  constructor(socket: Router) {
    this.#socket = socket;
    this.#client = new Client({ endpoint: socket.lastEndpoint ?? '' });
    void this.#serve();
  }

  /** Each call is first answered with one of the inputs, and then rightly. */
  async feed(inputs: readonly Stack[]): Promise<void> {
    for (let from = 0; from < inputs.length; from += atOnce) {
      this.#faults = inputs.slice(from, from + atOnce);
      await Promise.all(this.#faults.map(async (fault, index) => this.#call(index, fault)));
    }
  }

  /** The client lives in this process. */
  async memory(): Promise<readonly Memory[]> {
    // What is held only by what waits for the next turn is let go of in the second round.
    heldBytes();
    await setImmediate();
    return [{ name: 'the process of the client', pid: process.pid, heldBytes: heldBytes(), residentBytes: process.memoryUsage.rss() }];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    this.#socket.close();
  }

  async #call(index: number, fault: Stack): Promise<void> {
    const startedMs = performance.now();
    const ended = await this.#client.request(service, { action: 'echo', data: { index } }, { timeoutMs }).then(({ data }) => ({ data }), (error: unknown) => ({ error }));
    const tookMs = performance.now() - startedMs;
    if (tookMs > timeoutMs + lateMs) throw new Finding(`a call with ${timeoutMs} ms ended after ${Math.round(tookMs)} ms: ${showStack(fault)}`);
    if ('error' in ended) {
      const { code, message } = ended.error as { readonly code?: unknown; readonly message?: unknown };
      if (typeof code !== 'string' || !codes.has(code) || wordsProblem(String(message)) !== undefined) throw new Finding(`a call ends with ${String(ended.error)} (${String(code)}): ${showStack(fault)}`);
    } else if ('index' in ended.data && ended.data['index'] !== index) {
      throw new Finding(`call ${index} was given the answer to ${String(ended.data['index'])}: ${showStack(fault)}`);
    }
  }

  async #serve(): Promise<void> {
    for await (const [from = empty, address = empty, , , , , , data = empty] of this.#socket) {
      const { index = 0 } = readIndex(data);
      const fault = this.#faults[index] ?? [];
      const wrong = fault.map((frame) => (Buffer.isBuffer(frame) ? frame : frame.token === 0 ? address : this.#lastAddress));
      this.#lastAddress = address;
      if (wrong.length > 0) await this.#socket.send([from, ...wrong]).catch(() => {});
      await this.#socket.send([from, address, empty, mdpClient, text(service), text('echo.result'), text(JSON.stringify({ status: true, reason: '', index }))]).catch(() => {});
    }
  }
}

function readIndex(data: Buffer): { readonly index?: number } {
  try {
    return JSON.parse(data.toString()) as { readonly index?: number };
  } catch {
    return {};
  }
}
