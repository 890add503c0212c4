// The mixed load of a soak: what a lively house sees in a day, each kind of call at a pace of its own.
import { configGet, configSet, helperDo, pluginRestart } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { setTimeout as delay } from 'node:timers/promises';
import type { Home } from '../src/home.ts';
import type { House } from '../src/house.ts';
import type { Turns } from './health.ts';
import { writeKitPlugin } from '../src/test-plugins.ts';

export interface LoadOptions {
  readonly home: Home;
  readonly house: House;
  /** How long a call of a kind took that ended well. */
  readonly called: (kind: string, tookMs: number) => void;
  readonly signal: AbortSignal;
}

/** How long each kind pauses between two of its calls. */
const pauseMs = { call: 20, write: 40, read: 20, python: 200, big: 2000, burst: 5000, visitor: 250, restart: 60_000, install: 120_000 } as const;
export type LoadKind = keyof typeof pauseMs;
const burstCalls = 200;
const bigBytes = 1_000_000;
const keys = 50;
/** The plugins that the load has started anew. */
const restarted = 'diskfree';
const installed = 'guest';
const timeoutMs = 10_000;

export class Load {
  readonly #options: LoadOptions;
  readonly #client: Client;
  readonly #failures = new Map<string, number>();
  readonly #turns = new Map<string, { turns: number; failed: number }>();
  #calls = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#client = new Client({ endpoint: options.house.endpoint });
  }

  /** How calls failed, with how many. What is restarted loses its calls. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** By kind, how many there were and how many failed. */
  get turns(): ReadonlyMap<string, Turns> {
    return this.#turns;
  }

  /** How often each plugin was to be started anew. */
  get asked(): ReadonlyMap<string, number> {
    const turnsOf = (kind: LoadKind): number => this.#turns.get(kind)?.turns ?? 0;
    return new Map([[restarted, turnsOf('restart')], [installed, turnsOf('install')]]);
  }

  get calls(): number {
    return this.#calls;
  }

  /** Runs until the signal fires and every call has ended. */
  async run(): Promise<void> {
    const { house, home } = this.#options;
    const client = this.#client;
    const owner = { host: house.host, plugin: 'soak' };
    const tally = { service: house.service('tally'), timeoutMs };
    const count = (filler = '', asker = client): Promise<unknown> => asker.call(helperDo, { command: 'count', parameters: { id: String(this.#calls), filler } }, tally);
    const key = (): string => `k${this.#calls % keys}`;
    await client.call(configSet, { ...owner, data: Object.fromEntries(Array.from({ length: keys }, (_none, index) => [`k${index}`, 0])) });
    let version = 0;
    await Promise.all([
      this.#again('call', () => count()),
      this.#again('call', () => count()),
      this.#again('write', () => client.call(configSet, { ...owner, key: key(), value: this.#calls }, { timeoutMs })),
      this.#again('read', () => client.call(configGet, { ...owner, key: key() }, { timeoutMs })),
      this.#again('python', () => client.call(helperDo, { command: 'read' }, { service: house.service('sysload'), timeoutMs })),
      this.#again('big', () => count('x'.repeat(bigBytes))),
      this.#again('burst', () => Promise.all(Array.from({ length: burstCalls }, () => count()))),
      this.#again('visitor', async () => {
        await using visitor = new Client({ endpoint: house.endpoint });
        await count('', visitor);
      }),
      this.#again('restart', () => client.call(pluginRestart, { id: restarted }, { service: house.service('manager'), timeoutMs })),
      this.#again('install', () => {
        version += 1;
        return home.tell('plugin', 'install', writeKitPlugin(home, installed, { version: `1.0.${version}` }));
      }),
    ]);
    await client.close();
  }

  async #again(kind: LoadKind, call: () => Promise<unknown>): Promise<void> {
    const { called, signal } = this.#options;
    const turns = this.#turns.get(kind) ?? { turns: 0, failed: 0 };
    this.#turns.set(kind, turns);
    while (!signal.aborted) {
      const startMs = performance.now();
      this.#calls += 1;
      turns.turns += 1;
      try {
        await call();
        called(kind, performance.now() - startMs);
      } catch (error) {
        turns.failed += 1;
        const why = `${kind}: ${error instanceof CallError ? error.code : String(error)}`;
        this.#failures.set(why, (this.#failures.get(why) ?? 0) + 1);
      }
      await delay(pauseMs[kind], undefined, { signal }).catch(() => undefined);
    }
  }
}
