// The people of a house under blows: writers that note what was acknowledged, readers that compare, callers of helpers. Each
// call has a deadline, and how it ends is told to the witnesses.
import { setTimeout as delay } from 'node:timers/promises';
import { configGet, configSet, helperDo, hostService } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { Random } from '../src/random.ts';
import type { Standstill } from '../src/standstill.ts';
import { countedOf } from '../src/tally-plugin.ts';
import type { ConfigModel, WriteEnd } from './config-model.ts';
import type { DeadlineWitness } from './deadlines.ts';
import type { AnswerWitness } from './instance-witness.ts';

export interface CallersOptions {
  readonly seed: number;
  readonly host: string;
  /** Half of the callers use the one, half the other. */
  readonly endpoints: readonly [string, string];
  readonly model: ConfigModel;
  readonly deadlines: DeadlineWitness;
  readonly answers: AnswerWitness;
  readonly standstill: Standstill;
  readonly breach: (invariant: 'writes' | 'deadlines' | 'instances', what: string) => void;
}

/** How a call ended: `OK` or a code with its reason. */
interface End {
  readonly code: string;
  readonly reason: string;
}

const writerCount = 4;
const readerCount = 2;
const helperCount = 3;
const keysOfWriter = 3;
/** Between two calls of one caller: the load is people's, not a benchmark's. */
const pauseMs = 25;
const owner = { plugin: 'chaos' } as const;
/** Said by the client or the broker of a request that was not tried again: nothing was done. */
const nothingDone = new Set(['NOT_CONNECTED', 'OVERLOADED', 'SERVICE_UNKNOWN', 'TOO_LARGE', 'BAD_REQUEST']);
/** How dbmanager promises it: when a sync of the disk fails, nobody knows what of it is there. */
const promisesNothingDone = /nothing was changed/;

export class Callers {
  readonly #options: CallersOptions;
  readonly #clients: readonly [Client, Client];
  readonly #stopping = new AbortController();
  readonly #ends = new Map<string, number>();
  readonly #running: Promise<void>;
  #commands = 0;

  constructor(options: CallersOptions) {
    this.#options = options;
    const [one, other] = options.endpoints;
    this.#clients = [new Client({ endpoint: one }), new Client({ endpoint: other })];
    const people = [
      ...Array.from({ length: writerCount }, (_none, index) => (random: Random) => this.#write(random, index)),
      ...Array.from({ length: readerCount }, (_none, index) => (random: Random) => this.#read(random, index)),
      ...Array.from({ length: helperCount }, (_none, index) => (random: Random) => this.#help(random, index)),
    ];
    this.#running = Promise.all(people.map((turn, index) => this.#again(turn, new Random(options.seed * 100 + index)))).then(() => undefined);
  }

  /** How calls ended, by code; `OK` of those that ended well. */
  get ends(): ReadonlyMap<string, number> {
    return this.#ends;
  }

  /** Reads every key; one that cannot be read, nor when it is tried again, is as good as lost. */
  async readAll(timeoutMs: number): Promise<void> {
    const { model, breach } = this.#options;
    await Promise.all(model.keys.map(async (key) => {
      if (wasRead(await this.#readKey(this.#clients[0], key, timeoutMs))) return;
      const again = await this.#readKey(this.#clients[0], key, timeoutMs);
      if (!wasRead(again)) breach('writes', `${key} cannot be read: ${again.code}: ${again.reason}`);
    }));
  }

  /** Ends when every call has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #again(turn: (random: Random) => Promise<void>, random: Random): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await turn(random);
      await delay(random.between(1, 2 * pauseMs));
    }
  }

  async #write(random: Random, index: number): Promise<void> {
    const { host, model } = this.#options;
    const client = this.#client(index);
    const key = `w${index}-${random.between(1, keysOfWriter)}`;
    const value = model.attempt(key);
    const data = { host, ...owner, key, value };
    // One that is tried again by the client may have been done by an earlier try; of a plain one a refusal is the last word.
    const isPlain = random.next() < 0.5;
    const timeoutMs = random.pick([500, 2000, 4000]);
    const end = await this.#timed('config.set', timeoutMs, async () => {
      if (isPlain) {
        const reply = await client.request('dbmanager', { action: 'config.set', data }, { timeoutMs });
        if (reply.data['status'] === false) throw new RefusedWrite(String(reply.data['code']), String(reply.data['reason']));
      } else {
        await client.call(configSet, data, { timeoutMs });
      }
    });
    model.ended(key, value, writeEnd(end, isPlain));
    if (random.next() < 0.2) await this.#readKey(client, key, 2000);
  }

  async #read(random: Random, index: number): Promise<void> {
    const { keys } = this.#options.model;
    const key = keys[random.between(0, keys.length - 1)];
    if (key !== undefined) await this.#readKey(this.#client(index), key, random.pick([300, 2000]));
  }

  async #readKey(client: Client, key: string, timeoutMs: number): Promise<End> {
    const { host, model, breach } = this.#options;
    const begin = model.readBegins(key);
    let value: unknown;
    const end = await this.#timed('config.get', timeoutMs, async () => {
      const reply = await client.call(configGet, { host, ...owner, key }, { timeoutMs });
      value = 'value' in reply ? reply.value : undefined;
    });
    if (!wasRead(end)) return end;
    const wrong = model.readEnds(begin, end.code === 'OK' ? value : 0);
    if (wrong !== undefined) breach('writes', wrong);
    return end;
  }

  async #help(random: Random, index: number): Promise<void> {
    const { host, answers, breach } = this.#options;
    const client = this.#client(index);
    const which = random.next();
    if (which < 0.15) return void (await this.#timed('sysload read', 2000, () => client.call(helperDo, { command: 'read' }, { service: hostService(host, 'sysload'), timeoutMs: 2000 })));
    const timeoutMs = random.pick([300, 1000, 3000]);
    // Some commands take longer than their callers wait.
    const takesMs = random.next() < 0.1 ? timeoutMs + random.between(-100, 500) : 0;
    this.#commands += 1;
    const parameters = { id: `${index}-${this.#commands}`, pauseMs: takesMs };
    await this.#timed('tally count', timeoutMs, async () => {
      const { result } = await client.call(helperDo, { command: 'count', parameters }, { service: hostService(host, 'tally'), timeoutMs });
      const wrong = answers.answered(countedOf(result));
      if (wrong !== undefined) breach('instances', wrong);
    });
  }

  /** Runs a call, and tells how it ended. */
  async #timed(what: string, timeoutMs: number, call: () => Promise<unknown>): Promise<End> {
    const { standstill, deadlines, breach } = this.#options;
    const stoodStill = standstill.totalMs;
    const startMs = performance.now();
    let end: End = { code: 'OK', reason: '' };
    try {
      await call();
    } catch (error) {
      if (!(error instanceof CallError) && !(error instanceof RefusedWrite)) throw error;
      end = { code: error.code, reason: error.message };
    }
    this.#ends.set(end.code, (this.#ends.get(end.code) ?? 0) + 1);
    const late = deadlines.ended({ what, timeoutMs, tookMs: performance.now() - startMs, stoodStillMs: standstill.totalMs - stoodStill });
    if (late !== undefined) breach('deadlines', late);
    return end;
  }

  #client(index: number): Client {
    return this.#clients[index % 2 === 0 ? 0 : 1];
  }
}

class RefusedWrite extends Error {
  override readonly name = 'RefusedWrite';
  readonly code: string;

  constructor(code: string, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** A key that is not set was read, too. */
function wasRead({ code }: End): boolean {
  return code === 'OK' || code === 'CONFIG_NOT_FOUND';
}

function writeEnd({ code, reason }: End, isPlain: boolean): WriteEnd {
  if (code === 'OK') return 'acknowledged';
  return isPlain && (nothingDone.has(code) || promisesNothingDone.test(reason)) ? 'refused' : 'unknown';
}
