// Frames into the broker, over DEALER sockets of libzmq, each a client and a worker at once, which answers what was handed to
// others too. Each message is judged by an own reading of docs/protocol.md, rules R1, R7 and R10 to R13: answered once, or counted.
import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import { Dealer } from 'zeromq';
import { until } from '../../src/waiting.ts';
import { Accounts } from '../accounts.ts';
import { clientStack, commands, empty, inSeason, mdpClient, mdpWorker, mutated, showStack, text, workerStack, type Stack } from '../frame-stacks.ts';
import { echoService, fuzzedHost, type FuzzHouse } from '../fuzz-house.ts';
import { refusalProblem, codesOf } from '../judges.ts';
import { Finding, target, type Subject } from '../target.ts';

const peers = 4;
const batchSize = 4000;
/** Of the inputs of a batch, so many requests come to workers of the fuzz. */
const leastHanded = 25;
/** Within this everything is answered: the longest deadline, and time for a busy machine. */
const answeredLimitMs = 30_000;
/** More than the broker may remember for a service. */
const rememberedTokens = 400;
/** So many inputs long the services of the fuzz keep their names. */
const seasonInputs = 500;

interface Sent {
  readonly peer: number;
  readonly stack: Stack;
}

export const frames = target<Sent>({
  name: 'frames',
  about: 'MDP messages into the broker, from DEALER sockets that are client and worker at once',
  batchSize,
  testInputs: 35_000,
  input: fc.record({
    peer: fc.nat(peers - 1),
    stack: mutated(fc.oneof({ weight: 3, arbitrary: clientStack([echoService, 'dbmanager', 'manager', 'packagemanager']) }, { weight: 2, arbitrary: workerStack })).filter((stack) => !offersHouse(stack)),
  }),
  show: ({ peer, stack }) => `peer ${peer}: ${showStack(stack)}`,
  open: async (site) => new Frames(await site.house()),
});

class Frames implements Subject<Sent> {
  readonly #house: FuzzHouse;
  #season = 0;

  constructor(house: FuzzHouse) {
    this.#house = house;
  }

  async feed(inputs: readonly Sent[]): Promise<void> {
    const before = (await this.#house.brokerStatus()).dropped.malformed;
    const tokens: Buffer[] = [];
    const all = Array.from({ length: peers }, () => new Peer(this.#house.house.endpoint, tokens));
    let malformed = 0;
    try {
      for (const [index, { peer, stack }] of inputs.entries()) {
        if (index % seasonInputs === 0) this.#season += 1;
        malformed += (await all[peer]?.send(stack, this.#season)) ?? 0;
      }
      await Promise.all(all.map(async (peer) => peer.settled()));
      const counted = (await this.#house.brokerStatus()).dropped.malformed - before;
      if (counted !== malformed) throw new Finding(`${malformed} messages were none of the protocol, and mmi.majordomus counts ${counted}`);
      const handed = all.reduce((sum, peer) => sum + peer.handed, 0);
      if (inputs.length >= batchSize) assert.ok(handed >= leastHanded, `the workers of the fuzz were handed ${handed} requests: this half of it does nothing`);
    } finally {
      for (const peer of all) peer.close();
    }
    await this.#house.judge();
  }

  memory(): ReturnType<FuzzHouse['memory']> {
    return this.#house.memory();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** One connection: what it sends is read here as the protocol says, and what it is told is held against that. */
class Peer {
  readonly #socket = new Dealer({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
  readonly #accounts = new Accounts();
  readonly #tokens: Buffer[];
  #problem: string | undefined;
  #sentinels = 0;
  #handed = 0;

  constructor(endpoint: string, tokens: Buffer[]) {
    this.#tokens = tokens;
    this.#socket.connect(endpoint);
    void this.#read();
  }

  /** Sends it; 1 if the broker must count it as malformed. */
  async send(stack: Stack, season = 0): Promise<number> {
    const message = inSeason(stack.map((frame) => (Buffer.isBuffer(frame) ? frame : this.#token(frame))), season);
    const malformed = this.#expect(message);
    await this.#socket.send(message);
    return malformed;
  }

  /** Waits until all it asked is answered, and all it sent was read. */
  async settled(): Promise<void> {
    this.#sentinels += 1;
    // What no worker knows: its service is lost, and whoever waits for it is told (rule R11).
    await this.send([empty, mdpWorker, Buffer.from([0xff])]);
    await this.send([text(`sentinel ${this.#sentinels}`), empty, mdpClient, text('mmi.service'), text(echoService)]);
    await until('all is answered', () => {
      const problem = this.#problem ?? this.#accounts.problem;
      if (problem !== undefined) throw new Finding(problem);
      return this.#accounts.isSettled ? true : undefined;
    }, { limitMs: answeredLimitMs }).catch((error: unknown) => {
      if (error instanceof Finding) throw error;
      throw new Finding(`after ${answeredLimitMs} ms ${this.#accounts.missing}`, { cause: error });
    });
  }

  /** How many requests it was handed as a worker. */
  get handed(): number {
    return this.#handed;
  }

  close(): void {
    this.#socket.close();
  }

  async #read(): Promise<void> {
    for await (const received of this.#socket) this.#take(received);
  }

  #take(message: readonly Buffer[]): void {
    if (message[0]?.length === 0 && message[1]?.equals(mdpWorker) === true) {
      const [, , kind, token] = message;
      if (kind?.[0] !== commands.request || token === undefined) return;
      this.#tokens.push(token);
      this.#handed += 1;
      if (this.#tokens.length > rememberedTokens) this.#tokens.shift();
      return;
    }
    const end = message.findIndex((frame) => frame.length === 0);
    const [header, service, action, data] = message.slice(end + 1);
    if (end < 0 || header?.equals(mdpClient) !== true || service === undefined) {
      this.#problem ??= `the broker sent what is no message: ${showStack(message)}`;
      return;
    }
    this.#accounts.answered(keyOf(message.slice(0, end), service));
    if (action?.toString() === 'mq.error') this.#judgeError(data);
  }

  #judgeError(data: Buffer | undefined): void {
    // Also workers of the fuzz may say mq.error, in any words; what is JSON with a code is judged.
    try {
      const refusal = JSON.parse(data?.toString() ?? '') as { readonly code?: unknown; readonly reason?: unknown };
      if (refusal.code !== undefined) this.#problem ??= refusalProblem(refusal, codesOf(undefined));
    } catch {
      // Not the broker's.
    }
  }

  #token({ token, add }: { readonly token: number; readonly add: number }): Buffer {
    const seen = this.#tokens[token % Math.max(1, this.#tokens.length)];
    if (seen === undefined) return text('no token yet');
    const copy = Buffer.from(seen);
    copy[copy.length - 1] = ((copy.at(-1) ?? 0) + add) & 0xff;
    return copy;
  }

  /** What the broker owes for it; 1 if it is to be counted as malformed. */
  #expect(message: readonly Buffer[]): number {
    const [first, second] = message;
    if (first?.length === 0 && second?.equals(mdpWorker) === true) return message.length < 3 ? 1 : 0;
    if (message.length === 1 && first?.length === 0) {
      this.#accounts.releaseWhere(() => true);
      return 0;
    }
    const end = message.findIndex((frame) => frame.length === 0);
    const own = message.slice(0, end);
    const [header, service] = message.slice(end + 1);
    const isAddress = end >= 0 && end <= 8 && own.reduce((sum, { length }) => sum + length, 0) <= 1024;
    if (!isAddress || header?.equals(mdpClient) !== true || service === undefined) return 1;
    if (service.equals(text('mmi.cancel'))) {
      // It cancels by the address alone, whatever the service was.
      const cancelled = keyOf(own, empty);
      this.#accounts.releaseWhere((key) => key.startsWith(cancelled));
      return 0;
    }
    this.#accounts.owe(keyOf(own, service));
    return 0;
  }
}

const hex = (frame: Buffer): string => frame.toString('hex');

/** The address and the service; a name that is too long comes back cut. */
function keyOf(own: readonly Buffer[], service: Buffer): string {
  return `${own.map(hex).join('.')} to ${service.subarray(0, 255).toString('latin1')}`;
}

/** A worker that takes the house's own services is not fuzzed here: without authentication the protocol lets it. */
function offersHouse(stack: Stack): boolean {
  return stack.some((frame) => Buffer.isBuffer(frame) && frame.equals(mdpWorker)) && stack.some((frame) => Buffer.isBuffer(frame) && new RegExp(`^(${echoService}|dbmanager|dbmgr|admin|manager|packagemanager|${fuzzedHost}\\..*)$`).test(frame.toString()));
}
