// A plugin leaves: it is stopped, its package goes, and with `purge` what it was told, too. In this order, so that a crash between
// leaves what an uninstallation without `purge` leaves, and the same word again goes on from there.
import { hostService, pluginStop, pluginUninstall, refuse, type ActionFailure, type ResultOf } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import { isSystemError, systemReason } from '@majordomus/runtime';
import type { PackageStore } from './package-store.ts';
import type { PluginConfiguration } from './plugin-configuration.ts';

/** A plugin that ends only by SIGKILL has had the bound of every milder way first. */
export const stopTimeoutMs = 30_000;

export interface UninstallOptions {
  /** The name of this host. */
  readonly host: string;
  readonly client: Pick<Client, 'call'>;
  readonly store: PackageStore;
  readonly configuration: PluginConfiguration;
  readonly purge: boolean;
  readonly by: string | undefined;
  readonly signal: AbortSignal;
  readonly notInstalled: () => ActionFailure;
}

/** @throws ActionFailure with a code of `plugin.uninstall` */
export async function uninstall(name: string, { host, client, store, configuration, purge, by, signal, notInstalled }: UninstallOptions): Promise<ResultOf<typeof pluginUninstall>> {
  using _turn = await store.turn(name, signal);
  const id = hostService(host, name);
  const isInstalled = (await store.find(name)).state !== 'absent';
  if (!isInstalled && !purge) throw notInstalled();
  if (isInstalled) {
    await stopPlugin(client, host, id, signal);
    await remove(store, name);
  }
  try {
    if (purge) {
      await store.before('forget values');
      const purged = await configuration.forget(name, by, signal);
      if (!isInstalled && purged === 0) throw notInstalled();
      await configuration.forgetAutostart(name, by, signal);
      return { id, purged };
    }
    await configuration.forgetAutostart(name, by, signal);
  } catch (cause) {
    if (!(cause instanceof CallError)) throw cause;
    if (purge) throw refuse(pluginUninstall, 'NOT_PURGED', `the package of ${name} is removed, and its values are not forgotten: ${cause.message}; see that dbmanager runs, and do the same again`, {}, { cause });
    // Nothing depends on it: a manager that finds the key says so in its log.
  }
  return { id };
}

async function stopPlugin(client: Pick<Client, 'call'>, host: string, id: string, signal: AbortSignal): Promise<void> {
  try {
    await client.call(pluginStop, { id }, { service: hostService(host, 'manager'), timeoutMs: stopTimeoutMs, signal });
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    // Without a manager no plugin runs, and what it does not know does not run either.
    if (error.code === 'SERVICE_UNKNOWN' || error.code === 'PLUGIN_NOT_FOUND') return;
    throw refuse(pluginUninstall, 'STILL_RUNNING', `${id} could not be stopped, so its package was kept: ${error.message} (${error.code}); try again`);
  }
}

async function remove(store: PackageStore, name: string): Promise<void> {
  try {
    await store.remove(name);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw refuse(pluginUninstall, 'STORAGE_ERROR', `the package of ${name} could not be removed: ${systemReason(error)}; make the folder of the packages writable, and try again`);
  }
}
