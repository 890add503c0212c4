// Those who look at the house all along: at its processes as the kernel knows them, at what it says of itself, at its logs and at
// what the plugin `tally` wrote down. They decide nothing; the witnesses do.
import { hostService, partList, pluginList } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { houseProcesses, waitedForProcessorMs, type HouseProcess } from '../src/house-processes.ts';
import { NewLines, type TallyPlugin } from '../src/tally-plugin.ts';
import { CommandWitness, ProcessWitness, twinLimitMs } from './instance-witness.ts';
import { LogWitness } from './log-witness.ts';
import { plugins } from './schedule.ts';
import { SilenceWitness, type Life, type Said } from './silence.ts';

export interface WatchersOptions {
  /** The home's folder. */
  readonly home: string;
  readonly host: string;
  readonly endpoint: string;
  readonly tally: TallyPlugin;
  readonly breach: (invariant: 'instances' | 'silence' | 'logs', what: string) => void;
}

const lookMs = 100;
const askMs = 300;
const askTimeoutMs = 1000;

export class Watchers {
  readonly #options: WatchersOptions;
  readonly #client: Client;
  readonly #stopping = new AbortController();
  readonly #twins = new ProcessWitness();
  readonly #commands = new CommandWitness();
  readonly #silence = new SilenceWitness();
  readonly #logs: LogWitness;
  readonly #commandLines: NewLines;
  readonly #markLines: NewLines;
  readonly #running: Promise<void>;
  readonly #waited = new Map<string, number>();
  #processes: readonly HouseProcess[] = [];
  #waitedMs = 0;

  constructor(options: WatchersOptions) {
    this.#options = options;
    this.#client = new Client({ endpoint: options.endpoint });
    this.#logs = new LogWitness(join(options.home, 'logs'));
    this.#commandLines = new NewLines(options.tally.commandsFile);
    this.#markLines = new NewLines(options.tally.marksFile);
    this.#look();
    this.#running = Promise.all([this.#every(lookMs, () => this.#look()), this.#every(askMs, () => this.#ask())]).then(() => undefined);
  }

  /** How long the processes of the house, and the one that asks, have waited for a processor, all together. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  get counts(): { readonly statuses: number; readonly commands: number; readonly longestTwinMs: number } {
    return { statuses: this.#silence.statuses, commands: this.#commands.ran, longestTwinMs: this.#twins.longestMs };
  }

  /** The process of a part or plugin right now. */
  process(name: string): HouseProcess | undefined {
    return houseProcesses(this.#options.home).find((process) => process.name === name);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#client.close();
    this.#look();
  }

  async #every(pauseMs: number, look: () => void | Promise<void>): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await look();
      await delay(pauseMs);
    }
  }

  #look(): void {
    const { home, breach } = this.#options;
    this.#processes = houseProcesses(home);
    for (const { pid, identity } of [...this.#processes, { pid: process.pid, identity: 'self' }]) {
      const waitedMs = waitedForProcessorMs(pid);
      this.#waitedMs += Math.max(0, waitedMs - (this.#waited.get(identity) ?? 0));
      this.#waited.set(identity, waitedMs);
    }
    const runs = new Map(plugins.map((plugin) => [plugin, this.#processes.filter(({ name }) => name === plugin).map(({ identity }) => identity)]));
    const twins = this.#twins.seen(runs, performance.now(), this.#waitedMs);
    if (twins !== undefined) breach('instances', twins);
    for (const id of this.#commandLines.take()) {
      const twice = this.#commands.ranOnce(id);
      if (twice !== undefined) breach('instances', twice);
    }
    for (const line of this.#markLines.take()) {
      const { instance, keptMs } = JSON.parse(line) as { instance: string; keptMs: number };
      if (keptMs > twinLimitMs) breach('instances', `tally ${instance} found another instance alive for ${Math.round(keptMs)} ms`);
    }
    for (const line of this.#logs.look()) breach('logs', line);
  }

  async #ask(): Promise<void> {
    const { host, home, breach } = this.#options;
    const lives = new Map<number, Life>(houseProcesses(home).map(({ pid, state }) => [pid, state === 'T' ? 'suspended' : 'alive']));
    try {
      const options = { timeoutMs: askTimeoutMs, signal: this.#stopping.signal };
      const { parts } = await this.#client.call(partList, {}, { ...options, service: hostService(host, 'house') });
      const said: Said[] = [...parts];
      try {
        said.push(...(await this.#client.call(pluginList, {}, { ...options, service: hostService(host, 'manager') })).plugins);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
      }
      const wrong = this.#silence.heard(said, (pid) => lives.get(pid) ?? 'dead', performance.now(), this.#waitedMs);
      if (wrong !== undefined) breach('silence', wrong);
    } catch (error) {
      // Nobody answers: whoever asks is told so, and that is not silence.
      if (!(error instanceof CallError)) throw error;
    }
  }
}
