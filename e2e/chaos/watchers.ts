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
import { judgeTime, Waits, type Complaint, type Waited } from './waits.ts';

export interface WatchersOptions {
  /** The home's folder. */
  readonly home: string;
  readonly host: string;
  readonly endpoint: string;
  readonly tally: TallyPlugin;
  readonly complain: (invariant: 'instances' | 'silence' | 'logs', complaint: Complaint) => void;
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
  readonly #waits = new Waits();

  constructor(options: WatchersOptions) {
    this.#options = options;
    this.#client = new Client({ endpoint: options.endpoint });
    this.#logs = new LogWitness(join(options.home, 'logs'));
    this.#commandLines = new NewLines(options.tally.commandsFile);
    this.#markLines = new NewLines(options.tally.marksFile);
    this.#look();
    this.#running = Promise.all([this.#every(lookMs, () => this.#look()), this.#every(askMs, () => this.#ask())]).then(() => undefined);
  }

  /** How long the processes of the house, and the one that asks, waited for a processor since then. */
  waitedSince(sinceMs: number): Waited {
    return this.#waits.since(sinceMs);
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
    const { home, complain } = this.#options;
    const processes = houseProcesses(home);
    const atMs = performance.now();
    const waitedSince = (sinceMs: number): Waited => this.waitedSince(sinceMs);
    this.#waits.seen(new Map([...processes, { pid: process.pid, identity: 'self' }].map(({ pid, identity }) => [identity, waitedForProcessorMs(pid)])), atMs);
    const runs = new Map(plugins.map((plugin) => [plugin, processes.filter(({ name }) => name === plugin).map(({ identity }) => identity)]));
    const twins = this.#twins.seen(runs, atMs, waitedSince);
    if (twins !== undefined) complain('instances', twins);
    for (const id of this.#commandLines.take()) {
      const twice = this.#commands.ranOnce(id);
      if (twice !== undefined) complain('instances', { verdict: 'broken', what: twice });
    }
    for (const line of this.#markLines.take()) {
      const { instance, keptMs } = JSON.parse(line) as { instance: string; keptMs: number };
      // It was written down since the look before.
      const verdict = judgeTime(keptMs, twinLimitMs, waitedSince(atMs - keptMs - lookMs));
      if (verdict !== 'held') complain('instances', { verdict, what: `tally ${instance} found another instance alive for ${Math.round(keptMs)} ms` });
    }
    for (const line of this.#logs.look()) complain('logs', { verdict: 'broken', what: line });
  }

  async #ask(): Promise<void> {
    const { host, home, complain } = this.#options;
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
      const wrong = this.#silence.heard(said, (pid) => lives.get(pid) ?? 'dead', performance.now(), (sinceMs) => this.waitedSince(sinceMs));
      if (wrong !== undefined) complain('silence', wrong);
    } catch (error) {
      // Nobody answers: whoever asks is told so, and that is not silence.
      if (!(error instanceof CallError)) throw error;
    }
  }
}
