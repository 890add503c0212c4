// A house that is fuzzed, and the judges that look at it as a whole: everybody who ran still runs, whoever asks rightly is
// answered in time, and beside the home nothing has changed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configGet } from '@majordomus/contracts';
import { Client, decodeMessage, encodeMessage, isBadMessage, Worker, type Answerer, type BrokerStatus } from '@majordomus/mq';
import { partNames, type House } from '../src/house.ts';
import { measure, settling, type Memory } from './memory.ts';
import { changed, placesIn } from './outside.ts';
import type { Site } from './site.ts';
import { Finding } from './target.ts';

/** Short, so that nobody waits long for what never comes. */
const settingsText = `log-level = "warn"
[limits]
default-timeout-ms = 2000
max-timeout-ms = 10000
discovery-grace-ms = 300
[packagemanager]
registry = "http://127.0.0.1:9/"
`;

/** Within this a valid request is answered, also on a busy machine. */
const validLimitMs = 10_000;
const echoes = 8;
/** The house is called what the inputs call it. */
export const fuzzedHost = 'igor';
/** A service of the fuzz itself: an answer that belongs to somebody else is seen by it. */
export const echoService = 'fuzz-echo';

export class FuzzHouse implements AsyncDisposable {
  readonly house: House;
  readonly #site: Site;
  #pids: Readonly<Record<string, number>>;
  readonly #places: ReadonlyMap<string, string>;
  readonly #echo: Worker;
  readonly #client: Client;
  #echoed = 0;

  static async start(site: Site): Promise<FuzzHouse> {
    const { home } = site;
    mkdirSync(home.folder, { recursive: true });
    writeFileSync(join(home.folder, 'majordomus.toml'), settingsText);
    const env = { DOMUS_HOME: home.folder, HOME: home.newFolder('person'), TMPDIR: home.newFolder('tmp'), ...settling(site.settles) };
    const house = await home.up({ plugins: true, args: ['--host', fuzzedHost], env });
    const pids = await withPids(house);
    const echo = new Worker({ endpoint: house.endpoint, service: echoService, capacity: 64, handlers: echoing }).start();
    await echo.registered();
    return new FuzzHouse(site, house, pids, echo);
  }

  private constructor(site: Site, house: House, pids: Readonly<Record<string, number>>, echo: Worker) {
    this.#site = site;
    this.house = house;
    this.#pids = pids;
    this.#echo = echo;
    this.#client = new Client({ endpoint: house.endpoint });
    this.#places = this.#outside();
  }

  /** The plugins that run. */
  get plugins(): readonly string[] {
    return Object.keys(this.#pids).filter((name) => name !== 'up' && !(partNames as readonly string[]).includes(name));
  }

  /** Installs the plugin in Python too, where its library is there. */
  async withSysload(): Promise<void> {
    if (this.plugins.includes('sysload') || !canRunSysload()) return;
    const { stderr, code } = await this.#site.home.run('plugin', 'install', sysloadFolder);
    if (code !== 0) throw new Finding(`sysload cannot be installed: ${stderr}`);
    this.#pids = await withPids(this.house);
  }

  async brokerStatus(): Promise<BrokerStatus> {
    return JSON.parse(await this.#client.manage('mmi.majordomus')) as BrokerStatus;
  }

  /** Whoever asks rightly is answered rightly within the limit, and by nobody else. @throws Finding */
  async judgeService(limitMs = validLimitMs): Promise<void> {
    await Promise.all(Array.from({ length: echoes }, async () => {
      const text = `ü${(this.#echoed += 1)}`;
      const told = await this.#ask(async () => this.#client.request(echoService, { action: 'echo', data: { text } }, { timeoutMs: limitMs }));
      if (told.action !== 'echo' || told.data['text'] !== text) throw new Finding(`a caller was given the answer of somebody else: ${JSON.stringify(told)} for ${text}`);
    }));
    await this.#ask(async () => this.#client.call(configGet, { host: this.house.host, plugin: 'diskfree' }, { timeoutMs: limitMs }));
  }

  /** Everybody runs as before, and was never started again. @throws Finding */
  async judgeAlive(): Promise<void> {
    const now = await this.#ask(async () => withPids(this.house));
    for (const [name, pid] of Object.entries(this.#pids)) {
      if (now[name] !== pid) throw new Finding(`${name} had the pid ${pid}, and has ${now[name] ?? 'none'} now: it went down\n${this.#site.home.logs()}`);
    }
    for (const { name, state, restarts, lastError } of [...(await this.house.parts()), ...(await this.house.plugins())]) {
      if (state !== 'running' || restarts > 0) throw new Finding(`${name} is ${state}, was started again ${restarts} times: ${lastError}\n${this.#site.home.logs()}`);
    }
  }

  /** @throws Finding */
  judgeOutside(): void {
    const problem = changed(this.#places, this.#outside());
    if (problem !== undefined) throw new Finding(problem);
  }

  /** All of the above. @throws Finding */
  async judge(): Promise<void> {
    await this.judgeService();
    await this.judgeAlive();
    this.judgeOutside();
  }

  async memory(): Promise<readonly Memory[]> {
    return await measure(this.#pids, this.#site.settles);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#echo.stop();
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    try {
      return await question();
    } catch (error) {
      throw new Finding(`a valid request failed after ${Math.round(performance.now() - startedMs)} ms: ${error instanceof Error ? error.message : String(error)}\n${this.#site.home.logs()}`, { cause: error });
    }
  }

  #outside(): ReadonlyMap<string, string> {
    const { home, inputs, settles } = this.#site;
    return placesIn(home.root, [home.folder, inputs, settles]);
  }
}

async function withPids(house: House): Promise<Record<string, number>> {
  const running = Object.entries(await house.pids()).flatMap(([name, pid]) => (pid === null ? [] : [[name, pid] as const]));
  return Object.fromEntries([['up', house.up.pid], ...running]);
}

const sysloadFolder = fileURLToPath(new URL('../../plugins/sysload', import.meta.url));

function canRunSysload(): boolean {
  return spawnSync('/usr/bin/python3', ['-c', 'import zmq']).status === 0;
}

const echoing: Answerer = {
  answer: (body) => {
    const message = decodeMessage(body);
    const data = isBadMessage(message) ? { status: false, code: 'BAD_REQUEST', reason: message.problem } : { status: true, reason: '', ...message.data };
    return Promise.resolve(encodeMessage({ action: 'echo', data }));
  },
};
