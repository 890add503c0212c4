// The plugins of this host as processes: what is installed (packagemanager says), what runs (the supervisor says), and
// what should (autostart.ts).
import { join } from 'node:path';
import {
  hostService, packageDetail, packageList, pluginStart, stopPlugin,
  type InstalledPackage, type PluginStatus, type ProcessStatus, type ResultOf,
} from '@majordomus/contracts';
import { CallError, refuse, type Client } from '@majordomus/mq';
import { didYouMean, type Log } from '@majordomus/runtime';
import type { ProcessSpec, Supervisor } from '@majordomus/supervisor';
import { Autostart } from './autostart.ts';

export interface PluginsOptions {
  readonly host: string;
  readonly client: Client;
  readonly supervisor: Supervisor;
  /** The environment of each plugin; it says where the house and the broker are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

type Change = ResultOf<typeof pluginStart>;

const packageTimeoutMs = 5000;
const stopTimeoutMs = 1000;
const stoppedStatus: ProcessStatus = { state: 'stopped', sinceMs: 0, pid: null, restarts: 0, reason: '', lastError: '' };

export class Plugins {
  readonly #options: PluginsOptions;
  readonly #autostart: Autostart;
  /** The folder that each supervised plugin was started from. */
  readonly #folders = new Map<string, string>();
  #packages: readonly InstalledPackage[] = [];

  constructor(options: PluginsOptions) {
    this.#options = options;
    this.#autostart = new Autostart(options.client, options.host);
  }

  /** Starts what should run with the house. @throws CallError while dbmanager or packagemanager do not answer */
  async startAll(signal: AbortSignal): Promise<void> {
    const names = await this.#autostart.read(signal);
    const installed = new Set((await this.#readPackages()).map(({ name }) => name));
    for (const name of names) {
      if (!installed.has(name)) this.#options.log.warn(`${name} should start with the house, and is not installed`);
      else if (!this.#options.supervisor.has(name)) this.#options.supervisor.start(await this.#supervised(name));
    }
  }

  /** Starts it; resolves when it is ready, or when it is known why not. */
  async start(name: string, signal: AbortSignal): Promise<Change> {
    const { supervisor } = this.#options;
    supervisor.start(await this.#supervised(name));
    return this.#changed(name, await supervisor.settled(name, { signal }), await this.#remember(name, true));
  }

  async stop(name: string): Promise<Change> {
    await this.#require(name);
    const status = this.#options.supervisor.has(name) ? await this.#options.supervisor.stop(name) : stoppedStatus;
    return this.#changed(name, status, await this.#remember(name, false));
  }

  /** Stops it and starts the version that is installed now. */
  async restart(name: string, signal: AbortSignal): Promise<Change> {
    const { supervisor } = this.#options;
    await this.#require(name);
    if (supervisor.has(name)) await supervisor.stop(name);
    supervisor.start(await this.#supervised(name));
    return this.#changed(name, await supervisor.settled(name, { signal }), '');
  }

  async list(): Promise<PluginStatus[]> {
    return (await this.#readPackages()).map((installed) => this.#statusOf(installed));
  }

  async status(name: string): Promise<PluginStatus> {
    return this.#statusOf(await this.#require(name));
  }

  async log(name: string, request: { readonly lines: number; readonly after?: number | undefined }): Promise<{ lines: string[]; next: number }> {
    await this.#supervised(name);
    return this.#options.supervisor.logs(name, request);
  }

  #statusOf({ name, version }: InstalledPackage): PluginStatus {
    const { host, supervisor } = this.#options;
    const status = supervisor.has(name) ? supervisor.get(name) : stoppedStatus;
    return { id: hostService(host, name), host, name, version, autostart: this.#autostart.has(name), ...status };
  }

  #changed(name: string, { pid, state, reason, lastError }: ProcessStatus, note: string): Change {
    const { host } = this.#options;
    const why = state === 'running' || state === 'stopped' ? '' : reason || lastError;
    return { id: hostService(host, name), host, pid, state, detail: [why, note].filter((text) => text !== '').join('; ') };
  }

  /** Writes down whether it starts with the house; what is to be told if that could not be done. */
  async #remember(name: string, wanted: boolean): Promise<string> {
    try {
      await this.#autostart.set(name, wanted);
      return '';
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return `whether it starts with the house could not be written down: ${error.message}`;
    }
  }

  /** What is installed now; what was known last while packagemanager does not answer. */
  async #readPackages(): Promise<readonly InstalledPackage[]> {
    const { client, host } = this.#options;
    try {
      this.#packages = (await client.call(packageList, {}, { service: hostService(host, 'packagemanager'), timeoutMs: packageTimeoutMs })).packages;
    } catch (error) {
      if (!(error instanceof CallError) || this.#packages.length === 0) throw error;
    }
    return this.#packages;
  }

  async #require(name: string): Promise<InstalledPackage> {
    const packages = await this.#readPackages();
    const installed = packages.find((candidate) => candidate.name === name);
    if (installed !== undefined) return installed;
    const names = packages.map((candidate) => candidate.name);
    const meant = didYouMean(name, names);
    const hint = meant === undefined ? `installed: ${names.join(', ') || 'none'}` : `did you mean ${meant}?`;
    throw refuse(pluginStart, 'PLUGIN_NOT_FOUND', `no plugin ${name} is installed on ${this.#options.host}; ${hint}`);
  }

  /** Hands the installed version to the supervisor, unless it has it or the plugin runs; returns the name. */
  async #supervised(name: string): Promise<string> {
    const { supervisor } = this.#options;
    const { folder } = await this.#require(name);
    if (supervisor.has(name)) {
      if (this.#folders.get(name) === folder || supervisor.get(name).pid !== null) return name;
      await supervisor.remove(name);
    }
    supervisor.add(await this.#specOf(name));
    this.#folders.set(name, folder);
    return name;
  }

  async #specOf(name: string): Promise<ProcessSpec> {
    const { client, host, env } = this.#options;
    const detail = await client.call(packageDetail, { id: name }, { service: hostService(host, 'packagemanager'), timeoutMs: packageTimeoutMs });
    const { main, exec = [] } = detail.manifest;
    const service = hostService(host, name);
    return {
      name,
      command: main === undefined ? [...exec] : [process.execPath, join(detail.folder, main)],
      cwd: detail.folder,
      env,
      askStop: async (signal) => {
        await client.call(stopPlugin, {}, { service, timeoutMs: stopTimeoutMs, signal });
      },
      isRegistered: async () => (await client.manage('mmi.service', service, { timeoutMs: stopTimeoutMs })) === '200',
    };
  }
}

