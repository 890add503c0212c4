// A house that runs: `domus up` as a process, with a client on its bus.
import { strict as assert } from 'node:assert';
import { hostService, partList, pluginList, type OutputOf, type PartStatus, type PluginStatus } from '@majordomus/contracts';
import { Client } from '@majordomus/mq';
import { startProgram, type Ran, type Started } from './domus.ts';
import type { Home } from './home.ts';
import { isRunning } from './processes.ts';
import { until } from './waiting.ts';

export interface UpOptions {
  /** Further arguments of `domus up`. */
  readonly args?: readonly string[];
  /** Whether the first plugin is installed and plugins start with the house; most tests need none. */
  readonly plugins?: boolean;
  /** Where its broker listens, if not on a free port. */
  readonly bind?: string;
  /** The broker of a house elsewhere that it joins, in place of one of its own. */
  readonly join?: string;
  /** Whether it has a process group of its own, as in the foreground of a terminal. */
  readonly group?: boolean;
  /** Names the home in place of `--home`. */
  readonly env?: Readonly<Record<string, string>>;
}

export type PartName = 'broker' | 'dbmanager' | 'packagemanager' | 'manager';
export const partNames: readonly PartName[] = ['broker', 'dbmanager', 'packagemanager', 'manager'];

const startLimitMs = 30_000;
const stopLimitMs = 8000;
const readyLine = /is ready after/;

/** Starts `domus up` on a free port, and does not wait for anything. */
export function startUp(home: Home, { args = [], plugins = false, bind = 'tcp://127.0.0.1:*', join, group = false, env }: UpOptions = {}): Started {
  const all = ['up', ...(env === undefined ? ['--home', home.folder] : []), ...(join === undefined ? ['--bind', bind] : ['--join', join]), ...(plugins ? [] : ['--no-plugins']), ...args];
  return startProgram(home.domus.program, all, { group, env: { ...home.domus.env, ...env } });
}

export class House implements AsyncDisposable {
  readonly home: Home;
  readonly up: Started;
  /** This host's name in service names. */
  readonly host: string;
  readonly endpoint: string;
  readonly client: Client;
  /** From the start of the process to its line that says ready. */
  readonly readyMs: number;

  static async start(home: Home, options: UpOptions): Promise<House> {
    const startedMs = performance.now();
    const up = startUp(home, options);
    const ready = new Promise<void>((resolve) => {
      up.onOutput(() => {
        if (readyLine.test(up.stdout())) resolve();
      });
    });
    const limit = AbortSignal.timeout(startLimitMs);
    const late = new Promise<never>((_resolve, reject) => {
      limit.addEventListener('abort', () => reject(new assert.AssertionError({ message: `no ready line within ${startLimitMs} ms: ${up.stdout()}${up.stderr()}${home.logs()}` })));
    });
    const ended = up.ended.then(({ code, stdout, stderr }) => assert.fail(`domus up ended with ${code}: ${stdout}${stderr}${home.logs()}`));
    // The losers of the race are heard, and say nothing any more.
    for (const loser of [late, ended]) loser.catch(() => {});
    try {
      await Promise.race([ready, late, ended]);
    } catch (error) {
      up.child.kill('SIGKILL');
      throw error;
    }
    return new House(home, up, performance.now() - startedMs);
  }

  private constructor(home: Home, up: Started, readyMs: number) {
    this.home = home;
    this.up = up;
    this.readyMs = readyMs;
    this.host = told(up, 'Host');
    this.endpoint = told(up, 'Broker');
    this.client = new Client({ endpoint: this.endpoint });
  }

  /** What it has printed, on both streams. */
  get output(): string {
    return this.up.stdout() + this.up.stderr();
  }

  /** `<host>.<name>`: the house, manager or packagemanager of this host, or a plugin. */
  service(name: string): string {
    return hostService(this.host, name);
  }

  async parts(): Promise<readonly PartStatus[]> {
    return (await this.client.call(partList, {}, { service: this.service('house') })).parts;
  }

  async plugins(): Promise<readonly PluginStatus[]> {
    return (await this.client.call(pluginList, {}, { service: this.service('manager') })).plugins;
  }

  /** A plugin that is installed. */
  async plugin(name: string): Promise<PluginStatus> {
    const found = (await this.plugins()).find((plugin) => plugin.name === name);
    assert.ok(found, `${name} is not installed`);
    return found;
  }

  /** Waits until a plugin is as wanted; gives its status. */
  async untilPlugin(name: string, isSo: (status: PluginStatus) => boolean, limitMs = 15_000): Promise<PluginStatus> {
    let last: PluginStatus | undefined;
    return await until(`${name} as wanted`, async () => {
      last = await this.plugin(name);
      return isSo(last) ? last : undefined;
    }, { limitMs, describe: () => last });
  }

  async partPid(name: PartName): Promise<number> {
    const pid = (await this.parts()).find((part) => part.name === name)?.pid;
    assert.ok(pid, `${name} does not run`);
    return pid;
  }

  async pluginPid(name: string): Promise<number> {
    const { pid } = await this.plugin(name);
    assert.ok(pid !== null, `${name} does not run`);
    return pid;
  }

  /** The pids of all parts and plugins, by name. */
  async pids(): Promise<Record<string, number | null>> {
    return Object.fromEntries([...(await this.parts()), ...(await this.plugins())].map(({ name, pid }) => [name, pid]));
  }

  /** SIGKILL to a part; gives its pid. */
  async kill(part: PartName): Promise<number> {
    const pid = await this.partPid(part);
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  /** Waits until every part runs, none with one of the pids, and every plugin that starts with the house runs. */
  async untilWhole({ limitMs = 15_000, without = [] }: { readonly limitMs?: number; readonly without?: readonly number[] } = {}): Promise<void> {
    let last: readonly (PartStatus | PluginStatus)[] = [];
    await until('the house is whole', async () => {
      const all = await this.#all();
      if (all === undefined) return undefined;
      last = all;
      const isWhole = all.every(({ state, pid }) => state === 'running' && pid !== null && !without.includes(pid));
      return isWhole ? true : undefined;
    }, { limitMs, describe: () => last });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ran & { readonly stopMs: number }> {
    await this.client.close();
    const startedMs = performance.now();
    this.up.child.kill(signal);
    return { ...(await this.#end()), stopMs: performance.now() - startedMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    if (!isRunning(this.up.pid)) return;
    const { code } = await this.stop();
    assert.equal(code, 0, `the house stopped with ${code}: ${this.output}`);
    assert.deepEqual(this.home.leftovers(), [], 'processes were left over');
  }

  /** Undefined while the bus does not answer. */
  async #all(): Promise<readonly (PartStatus | PluginStatus)[] | undefined> {
    try {
      const plugins = (await this.plugins()).filter(({ autostart }) => autostart);
      return [...(await this.parts()), ...plugins];
    } catch {
      return undefined;
    }
  }

  async #end(): Promise<Ran> {
    const limit = setTimeout(() => this.up.child.kill('SIGKILL'), stopLimitMs);
    try {
      return await this.up.ended;
    } finally {
      clearTimeout(limit);
    }
  }
}

/** All that ran under these pids still does, and answers. */
export async function assertNobodyDown(house: House, pids: Readonly<Record<string, number | null>>): Promise<void> {
  assert.deepEqual(await house.pids(), pids);
  const plugins = Object.keys(pids).filter((name) => !(partNames as readonly string[]).includes(name)).map((name) => house.service(name));
  for (const service of ['dbmanager', 'manager', 'packagemanager', house.service('house'), ...plugins]) {
    await assert.rejects(house.client.request(service, { action: 'no.such.action', data: {} }), { code: 'ACTION_UNKNOWN' });
  }
}

export type HouseStatus = OutputOf<typeof partList> & { readonly plugins: readonly PluginStatus[]; readonly pluginsProblem: string | null };

/** What the welcome says: `Host     igor`. */
function told({ stdout }: Started, what: string): string {
  const value = new RegExp(`^${what} +(\\S+)$`, 'm').exec(stdout())?.[1];
  assert.ok(value, `no ${what} in what domus up printed: ${stdout()}`);
  return value;
}
