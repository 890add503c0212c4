// What packagemanager answers. An id of another host goes to the packagemanager of that host; a plugin is stopped by the
// manager of its host before its package goes.
import {
  ActionFailure, hostService, jobGet, packageDetail, packageList, parsePluginId, pluginInstall, pluginStop, pluginUninstall, refuse,
  type InputOf, type OutputOf,
} from '@majordomus/contracts';
import { CallError, Handlers, type Client } from '@majordomus/mq';
import { isSystemError, systemReason } from '@majordomus/runtime';
import type { Installer } from './installer.ts';
import type { Jobs } from './jobs.ts';
import type { PackageStore } from './package-store.ts';

/** A plugin that ends only by SIGKILL has had the bound of every milder way first. */
const stopTimeoutMs = 30_000;
/** Another host has its own manager to ask. */
const elsewhereTimeoutMs = stopTimeoutMs + 10_000;

/** The actions on one package, of this host or another. */
type PackageAction = typeof pluginUninstall | typeof packageDetail;

export interface ActionsOptions {
  /** The name of this host. */
  readonly host: string;
  readonly client: Pick<Client, 'call'>;
  readonly store: PackageStore;
  readonly installer: Installer;
  readonly jobs: Jobs;
}

/** The actions of the packagemanager of one host. */
export function packagemanagerActions({ host: ownHost, client, store, installer, jobs }: ActionsOptions): Handlers {
  /** What the packagemanager of another host answers, or undefined if the plugin belongs to this one. */
  async function elsewhere<C extends PackageAction>(contract: C, id: string, data: InputOf<C>, signal: AbortSignal): Promise<OutputOf<C> | undefined> {
    const { host } = parsePluginId(id, ownHost);
    if (host === ownHost) return undefined;
    const service = hostService(host, contract.service);
    try {
      return await client.call(contract, data, { service, timeoutMs: elsewhereTimeoutMs, signal });
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.code !== 'SERVICE_UNKNOWN') throw new ActionFailure(error.code, error.message, error.details, { cause: error });
      throw refuse(contract, 'HOST_UNKNOWN', `no packagemanager of ${host} is on the bus; see that the house runs there, and that the name is right`, {}, { cause: error });
    }
  }

  async function stopPlugin(id: string, signal: AbortSignal): Promise<void> {
    try {
      await client.call(pluginStop, { id }, { service: hostService(ownHost, 'manager'), timeoutMs: stopTimeoutMs, signal });
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      // Without a manager no plugin runs, and what it does not know does not run either.
      if (error.code === 'SERVICE_UNKNOWN' || error.code === 'PLUGIN_NOT_FOUND') return;
      throw refuse(pluginUninstall, 'STILL_RUNNING', `${id} could not be stopped, so its package was kept: ${error.message} (${error.code}); try again`);
    }
  }

  return new Handlers()
    .on(pluginInstall, async ({ source, integrity, waitMs }, { signal }) => {
      const { id } = jobs.start(source, async (job) => {
        await installer.install({ job: job.id, source, integrity, signal: job.signal, progress: job.progress });
      });
      return { job: await jobs.settled(id, waitMs, signal) };
    })
    .on(pluginUninstall, async ({ id }, { signal }) => {
      const answer = await elsewhere(pluginUninstall, id, { id }, signal);
      if (answer !== undefined) return answer;
      const { name } = parsePluginId(id, ownHost);
      using _turn = await store.turn(name, signal);
      if ((await store.find(name)).state === 'absent') throw notInstalled(pluginUninstall, name);
      const ownId = hostService(ownHost, name);
      await stopPlugin(ownId, signal);
      try {
        await store.remove(name);
      } catch (error) {
        if (!isSystemError(error)) throw error;
        throw refuse(pluginUninstall, 'STORAGE_ERROR', `the package of ${name} could not be removed: ${systemReason(error)}; make the folder of the packages writable, and try again`);
      }
      return { id: ownId };
    })
    .on(packageList, async () => ({ packages: await store.list() }))
    .on(packageDetail, async ({ id }, { signal }) => {
      const answer = await elsewhere(packageDetail, id, { id }, signal);
      if (answer !== undefined) return answer;
      const { name } = parsePluginId(id, ownHost);
      const found = await store.find(name);
      if (found.state === 'absent') throw notInstalled(packageDetail, name);
      if (found.state === 'damaged') {
        throw refuse(packageDetail, 'PACKAGE_NOT_FOUND', `the package of ${name} is damaged, so install it again or uninstall it: ${found.reason}`);
      }
      return { ...found.installed, manifest: found.manifest };
    })
    .on(jobGet, ({ id }) => ({ job: jobs.get(id) }));

  function notInstalled(contract: PackageAction, name: string): ActionFailure {
    return refuse(contract, 'PACKAGE_NOT_FOUND', `no plugin ${name} is installed on ${ownHost}; package.list tells what is`);
  }
}
