// The plugins of this host as processes: what is installed (packagemanager says), what runs (the supervisor says), and
// what should (autostart.ts). Only a start takes over another version; what lost its folder and is installed no more is let go.
import { existsSync } from 'node:fs';
import {
  hostService, packageDetail, packageList, pluginStart, refuse, type InstalledPackage, type PluginStatus, type ProcessStatus, type ResultOf,
} from '@majordomus/contracts';
import { CallError, PeerError, type Client } from '@majordomus/mq';
import { didYouMean, Turns, type Log } from '@majordomus/runtime';
import type { ProcessMemory, ProcessSpec, Supervisor } from '@majordomus/supervisor';
import { Autostart } from './autostart.ts';
import type { Epochs } from './epochs.ts';
import type { MemoryLimits } from './memory-limits.ts';
import { PluginProgram, type PackageDetail } from './plugin-program.ts';
import type { StartedPlugins } from './started-plugins.ts';

export interface PluginsOptions {
  readonly host: string;
  readonly client: Client;
  readonly supervisor: Supervisor;
  readonly memoryLimits: MemoryLimits;
  readonly epochs: Epochs;
  readonly started: StartedPlugins;
  /** The environment of each plugin; it says where the house and the broker are. */
  readonly env: ProcessSpec['env'];
  readonly log: Log;
}

type Change = ResultOf<typeof pluginStart>;

const packageTimeoutMs = 5000;
const stoppedStatus: ProcessStatus = { state: 'stopped', sinceMs: 0, pid: null, restarts: 0, reason: '', lastError: '' };

const noMemory: ProcessMemory = { usedMb: null, limitMb: null };

export class Plugins {
  readonly #options: PluginsOptions;
  readonly #autostart: Autostart;
  readonly #programs = new Map<string, PluginProgram>();
  /** What ran under the manager before this one, until it is started again. */
  readonly #coming: Set<string>;
  readonly #openedMs = Date.now();
  readonly #packagemanager: { readonly service: string; readonly timeoutMs: number };
  #lastPackages: readonly InstalledPackage[] | undefined;
  /** Starts and stops of one plugin, one after another: what was asked for last holds. */
  readonly #turns = new Turns();
  /** Why a plugin cannot be started (it is not for this version of Majordomus, its package is damaged), as packagemanager said last. */
  readonly #unfit = new Map<string, string>();

  constructor(options: PluginsOptions) {
    this.#options = options;
    this.#autostart = new Autostart(options.client, options.host);
    this.#coming = new Set(options.started.names);
    this.#packagemanager = { service: hostService(options.host, 'packagemanager'), timeoutMs: packageTimeoutMs };
    options.supervisor.onChange(({ name }) => void this.#reconsider(name));
  }

  /**
   * Starts what ran under the manager before this one, and with `autostart` what should start with the house.
   * @throws CallError while dbmanager or packagemanager do not answer
   */
  async startAll({ autostart }: { readonly autostart: boolean }, signal: AbortSignal): Promise<void> {
    const names = new Set([...this.#coming, ...(autostart ? await this.#autostart.read(signal) : [])]);
    if (names.size === 0) return;
    const installed = new Set((await this.#packages()).map(({ name }) => name));
    for (const name of names) {
      using _turn = await this.#turns.take(name, signal);
      // Somebody may have stopped it meanwhile.
      if (!this.#coming.has(name) && !(autostart && this.#autostart.has(name))) continue;
      if (!installed.has(name)) await this.#wantedVersion(name);
      if (this.#unfit.has(name)) this.#options.log.warn(`${name} is not started: ${this.#unfit.get(name) ?? ''}`);
      // One whose log was asked for before is known to the supervisor, and does not run.
      else if (!this.#isUp(name)) this.#run(await this.#takeOver(name));
      this.#coming.delete(name);
    }
  }

  /** Starts it; resolves when it is ready, or when it is known why not. */
  async start(name: string, signal: AbortSignal): Promise<Change> {
    const { supervisor } = this.#options;
    let note: string;
    {
      using _turn = await this.#turns.take(name, signal);
      this.#refuseUnfit(await this.#takeOver(name));
      note = await this.#remember(name, true);
      this.#run(name);
    }
    return this.#changed(name, await supervisor.settled(name, { signal }), note);
  }

  async stop(name: string, signal: AbortSignal): Promise<Change> {
    const { supervisor } = this.#options;
    using _turn = await this.#turns.take(name, signal);
    // One that cannot be used is told not to start with the house any more.
    if (!supervisor.has(name) && !this.#autostart.has(name)) await this.#detail(name);
    this.#coming.delete(name);
    this.#options.started.delete(name);
    const note = await this.#remember(name, false);
    return this.#changed(name, supervisor.has(name) ? await supervisor.stop(name) : stoppedStatus, note);
  }

  /** Stops it and starts the version that is installed now. */
  async restart(name: string, signal: AbortSignal): Promise<Change> {
    const { supervisor } = this.#options;
    {
      using _turn = await this.#turns.take(name, signal);
      this.#refuseUnfit(await this.#takeOver(name));
      await supervisor.stop(name);
      this.#run(name);
    }
    return this.#changed(name, await supervisor.settled(name, { signal }), '');
  }

  /** What is installed, and what runs or should start with the house although its package is gone or damaged. */
  async list(): Promise<PluginStatus[]> {
    const running = this.#running();
    const [packages] = await Promise.all([this.#packages(), this.#autostart.refresh(), ...running.map(({ name }) => this.#reconsider(name))]);
    const versions = new Map<string, string>([...this.#running(), ...packages].map(({ name, version }) => [name, version]));
    const missing = this.#autostart.names.filter((name) => !versions.has(name));
    await Promise.all(missing.map(async (name) => versions.set(name, await this.#knownVersion(name))));
    return [...versions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, version]) => this.#statusOf(name, version));
  }

  async status(name: string): Promise<PluginStatus> {
    await this.#autostart.refresh();
    return this.#statusOf(name, await this.#version(name));
  }

  async log(name: string, request: { readonly lines: number; readonly after?: number | undefined }): Promise<{ lines: string[]; next: number }> {
    // Its log is read through the supervisor, which may not have seen it yet in this run.
    if (!this.#options.supervisor.has(name)) await this.#takeOver(name);
    return this.#options.supervisor.logs(name, request);
  }

  /** The last lines of its run that ended unasked last. */
  lastWords(name: string): string[] {
    const { supervisor } = this.#options;
    return supervisor.has(name) ? [...supervisor.lastWords(name)] : [];
  }

  #run(name: string): void {
    this.#coming.delete(name);
    this.#options.started.add(name);
    this.#options.supervisor.start(name);
  }

  #running(): PluginProgram[] {
    return [...this.#programs.values()].filter(({ name }) => this.#isUp(name));
  }

  #isUp(name: string): boolean {
    const { supervisor } = this.#options;
    return supervisor.has(name) && supervisor.get(name).state !== 'stopped';
  }

  /** What runs, or is installed; what is known of it while packagemanager does not answer. */
  async #version(name: string): Promise<string> {
    const program = this.#programs.get(name);
    if (program !== undefined && this.#isUp(name)) return program.version;
    try {
      return this.#autostart.has(name) ? await this.#wantedVersion(name) : (await this.#detail(name)).version;
    } catch (error) {
      if (!(error instanceof CallError) || program === undefined) throw error;
      return program.version;
    }
  }

  /** The same, and empty if it is not known. */
  async #knownVersion(name: string): Promise<string> {
    try {
      return await this.#version(name);
    } catch (error) {
      if (error instanceof CallError) return '';
      throw error;
    }
  }

  /**
   * Of one that should start with the house. If its package cannot be used, it is noted why, and the version is the one that was
   * known; empty without one. @throws CallError while packagemanager does not answer
   */
  async #wantedVersion(name: string): Promise<string> {
    try {
      return (await this.#options.client.call(packageDetail, { id: name }, this.#packagemanager)).version;
    } catch (error) {
      if (!(error instanceof PeerError) || error.code !== 'PACKAGE_NOT_FOUND') throw error;
      this.#unfit.set(name, error.message);
      return this.#programs.get(name)?.version ?? '';
    }
  }

  /**
   * Of one that cannot be started because its folder is gone, as after an uninstallation that met a start: lets go of it if it is
   * not installed any more, and starts the version that is. Without an answer it stays as it is, and its next failure asks again.
   */
  async #reconsider(name: string): Promise<void> {
    const { client, supervisor, log } = this.#options;
    const program = this.#programs.get(name);
    if (program === undefined || !this.#lostItsFolder(program)) return;
    try {
      const detail = await client.call(packageDetail, { id: name }, this.#packagemanager);
      // Somebody may have started or stopped it while packagemanager was asked.
      if (!this.#lostItsFolder(program) || detail.folder === program.cwd) return;
      log.info(`the folder of ${name} ${program.version} is gone; it starts as ${detail.version}, which is installed now`);
      program.use(detail);
      supervisor.start(name);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (!(error instanceof PeerError) || error.code !== 'PACKAGE_NOT_FOUND' || !this.#lostItsFolder(program)) return;
      log.warn(`${name} is not tried again, for its folder is gone: ${error.message}`);
      // Stopped it is as any other that was uninstalled: only its log is still known.
      this.#options.started.delete(name);
      await supervisor.stop(name);
    }
  }

  #lostItsFolder({ name, cwd }: PluginProgram): boolean {
    const { state } = this.#options.supervisor.get(name);
    return (state === 'backoff' || state === 'failed') && !existsSync(cwd);
  }

  #statusOf(name: string, version: string): PluginStatus {
    const { host, supervisor } = this.#options;
    const status = this.#processStatus(name);
    const { usedMb, limitMb } = supervisor.has(name) ? supervisor.memory(name) : noMemory;
    return { id: hostService(host, name), host, name, version, autostart: this.#autostart.has(name), ...status, memoryMb: usedMb, memoryLimitMb: limitMb };
  }

  /** One that should run and cannot, as its package is damaged or not for this version of Majordomus, has failed. */
  #processStatus(name: string): ProcessStatus {
    const { supervisor } = this.#options;
    const known = supervisor.has(name) ? supervisor.get(name) : stoppedStatus;
    const isComing = known.state === 'stopped' && this.#coming.has(name);
    const status: ProcessStatus = isComing ? { ...known, state: 'starting', sinceMs: this.#openedMs, reason: 'the manager was started anew' } : known;
    const unfit = this.#isUp(name) || !this.#autostart.has(name) ? undefined : this.#unfit.get(name);
    return unfit === undefined ? status : { ...status, state: 'failed', reason: unfit };
  }

  #noteUnfit(name: string, unfit: string | undefined): void {
    if (unfit === undefined) this.#unfit.delete(name);
    else this.#unfit.set(name, unfit);
  }

  #refuseUnfit(name: string): void {
    const unfit = this.#unfit.get(name);
    if (unfit !== undefined) throw refuse(pluginStart, 'ENGINE_MISMATCH', unfit);
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

  /** What is installed; what was known last while packagemanager does not answer. */
  async #packages(): Promise<readonly InstalledPackage[]> {
    try {
      this.#lastPackages = (await this.#options.client.call(packageList, {}, this.#packagemanager)).packages;
      for (const { name, unfit } of this.#lastPackages) this.#noteUnfit(name, unfit);
    } catch (error) {
      if (!(error instanceof CallError) || this.#lastPackages === undefined) throw error;
    }
    return this.#lastPackages;
  }

  /** @throws ActionFailure PLUGIN_NOT_FOUND; CallError */
  async #detail(name: string): Promise<PackageDetail> {
    try {
      return await this.#options.client.call(packageDetail, { id: name }, this.#packagemanager);
    } catch (error) {
      if (!(error instanceof PeerError) || error.code !== 'PACKAGE_NOT_FOUND') throw error;
      const meant = didYouMean(name, (await this.#packages()).map((installed) => installed.name).filter((installed) => installed !== name));
      throw refuse(pluginStart, 'PLUGIN_NOT_FOUND', meant === undefined ? error.message : `no plugin ${name} is installed on ${this.#options.host}; did you mean ${meant}?`);
    }
  }

  /** Lets the supervisor have the version that is installed now; what runs goes on. Returns the name. */
  async #takeOver(name: string): Promise<string> {
    const { host, client, supervisor, memoryLimits, epochs, env } = this.#options;
    const [detail] = await Promise.all([this.#detail(name), memoryLimits.read()]);
    this.#noteUnfit(name, detail.unfit);
    const program = this.#programs.get(name);
    if (program === undefined) {
      const added = new PluginProgram(detail, hostService(host, name), client, env, memoryLimits, epochs);
      this.#programs.set(name, added);
      supervisor.add(added);
    } else {
      if (detail.folder !== program.cwd) supervisor.forgetFailure(name);
      program.use(detail);
    }
    return name;
  }
}
