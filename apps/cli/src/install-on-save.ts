// `domus plugin install FOLDER --watch`: the plugin of a folder runs in the house as it was saved last, and its log is shown, until
// Ctrl-C. Whatever is wrong with what was saved is told, and the next save tries again.
import { setTimeout as delay } from 'node:timers/promises';
import { hostService, pluginInstall } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import { orAborted } from '@majordomus/runtime';
import { CommandError } from './failure.ts';
import { savesOf } from './folder-saves.ts';
import { followJob, waitMs } from './installation.ts';
import { startInstalled } from './installed-plugin.ts';
import { FollowedLog } from './logs/followed-log.ts';
import { note, printLine, styled } from './output.ts';
import { stateText } from './status-table.ts';

const logIntervalMs = 250;

export interface WatchedFolder {
  /** Absolute. */
  readonly folder: string;
  readonly host: string;
}

/** Ctrl-C, SIGTERM or a closed terminal ends it, and leaves the plugin as it is. @throws CommandError FOLDER_GONE */
export async function installOnSaveUntilStopped(client: Client, watched: WatchedFolder): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  await installOnSave(client, watched, stopping.signal);
}

/** Installs now and at each save, until the signal fires. @throws CommandError FOLDER_GONE */
async function installOnSave(client: Client, { folder, host }: WatchedFolder, signal: AbortSignal): Promise<void> {
  const ending = new AbortController();
  const ended = AbortSignal.any([signal, ending.signal]);
  const log = new ShownLog(client, host, ended);
  let name: string | undefined;
  const install = async (): Promise<void> => {
    name = (await installed(client, host, folder, (plugin) => log.follow(plugin), ended)) ?? name;
  };
  try {
    // Before the first installation, so that no save is missed.
    const saves = await savesOf(folder, ended);
    await install();
    note(`watching ${folder}: it is installed again at each save; Ctrl-C ends this`);
    for await (const _save of saves) await install();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    ending.abort();
    await log.ended;
  }
  note(name === undefined ? 'nothing was installed' : `${name} stays installed, as it is now`);
}

/** Installs and starts what is in the folder now, and tells how that went; gives the name of the plugin if it was installed. */
async function installed(client: Client, host: string, folder: string, onName: (name: string) => Promise<void>, signal: AbortSignal): Promise<string | undefined> {
  const startedMs = performance.now();
  const seconds = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
  const service = hostService(host, 'packagemanager');
  try {
    // Without the health gate: who works on a plugin wants to see what was saved, also where it fails.
    const { job: begun } = await client.call(pluginInstall, { source: folder, restart: false, waitMs }, { service, signal });
    const job = await followJob(client, begun, { service, onJob: () => {}, signal });
    const { plugin: name = '', version = '' } = job;
    await onName(name);
    const { state, detail } = await orAborted(startInstalled(client, { manager: hostService(host, 'manager'), host, name }, job.change !== 'none'), signal);
    tell(`${name} ${version} is ${stateText(state)}${detail === '' ? '' : `: ${detail}`} (${seconds()})`);
    return name;
  } catch (error) {
    if (signal.aborted || !(error instanceof CallError || error instanceof CommandError)) throw error;
    tell(`${styled('red', error.code)}: ${error.message}`);
    return undefined;
  }
}

function tell(text: string): void {
  note(`[${new Date().toLocaleTimeString('sv')}] ${text}`);
}

/** The log of the plugin, from when it is first followed. */
class ShownLog {
  readonly #client: Client;
  readonly #host: string;
  readonly #signal: AbortSignal;
  /** Resolves when nothing is shown any more. */
  readonly ended: Promise<void>;
  #name: string | undefined;
  #log: FollowedLog | undefined;

  constructor(client: Client, host: string, signal: AbortSignal) {
    this.#client = client;
    this.#host = host;
    this.#signal = signal;
    this.ended = this.#show();
  }

  /** Shows what this plugin says from now on. */
  async follow(name: string): Promise<void> {
    if (name === this.#name) return;
    const log = new FollowedLog({ kind: 'plugin', name });
    await this.#read(log);
    this.#name = name;
    this.#log = log;
  }

  async #show(): Promise<void> {
    while (!this.#signal.aborted) {
      await delay(logIntervalMs, undefined, { signal: this.#signal }).catch(() => {});
      if (this.#log !== undefined) for (const text of await this.#read(this.#log)) printLine(text);
    }
  }

  /** Nothing while the house does not answer. */
  async #read(log: FollowedLog): Promise<readonly string[]> {
    try {
      return (await log.read(this.#client, this.#host)).map(({ text }) => text);
    } catch (error) {
      if (error instanceof CallError) return [];
      throw error;
    }
  }
}
