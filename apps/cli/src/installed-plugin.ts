// A plugin that was just installed or started, as a person is told of it.
import { hostService, pluginList, pluginRestart, pluginStart, pluginStatusGet, type OutputOf } from '@majordomus/contracts';
import type { Client } from '@majordomus/mq';
import { note } from './output.ts';
import { asTyped, typedCommand } from './own-files.ts';
import { stateText } from './status-table.ts';

/** A plugin may take the supervisor's whole bound to say that it is ready. */
export const startTimeoutMs = 30_000;

export type PluginState = OutputOf<typeof pluginStart>;

export interface InstalledPlugin {
  /** The manager that is asked; it passes on what is meant for another host. */
  readonly manager: string;
  /** The host that it is installed on. */
  readonly host: string;
  readonly name: string;
}

/** Whether the plugin is meant to run now. @throws CallError */
export async function runs(client: Client, { host, name }: InstalledPlugin): Promise<boolean> {
  const { plugins } = await client.call(pluginList, {}, { service: hostService(host, 'manager') });
  return plugins.some((plugin) => plugin.name === name && plugin.state !== 'stopped');
}

/** Starts what was just installed; a plugin that runs goes over to what has changed. @throws CallError */
export async function startInstalled(client: Client, plugin: InstalledPlugin, hasChanged: boolean): Promise<PluginState> {
  const contract = hasChanged && (await runs(client, plugin)) ? pluginRestart : pluginStart;
  return await client.call(contract, { id: `${plugin.host}.${plugin.name}` }, { service: plugin.manager, timeoutMs: startTimeoutMs });
}

/** How it is now, told as after a start. @throws CallError */
export async function stateOf(client: Client, { manager, host, name }: InstalledPlugin): Promise<PluginState> {
  const { plugin: { id, pid, state, reason, lastError } } = await client.call(pluginStatusGet, { id: `${host}.${name}` }, { service: manager });
  return { id, host, pid, state, detail: state === 'running' ? '' : reason || lastError };
}

/** Says how a plugin is; the exit code is 1 if it does not run. */
export function tellState({ id, state, pid, detail }: PluginState): void {
  note(`${id} is ${stateText(state)}${pid === null ? '' : ` (pid ${pid})`}${detail === '' ? '' : `: ${asTyped(detail)}`}`);
  if (state === 'failed' || state === 'backoff') {
    note(`see: ${typedCommand} plugin log ${id}`);
    process.exitCode = 1;
  }
}
