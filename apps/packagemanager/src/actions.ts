// What packagemanager answers. An id of another host goes to the packagemanager of that host; a plugin is stopped by the
// manager of its host before its package goes.
import {
  hostService, jobGet, packageDetail, packageList, packageUpload, pluginInstall, pluginStop, pluginUninstall, pluginUpgrade, refuse, type ActionFailure,
} from '@majordomus/contracts';
import { CallError, Handlers, onOwnHost, type Client } from '@majordomus/mq';
import { isSystemError, systemReason } from '@majordomus/runtime';
import type { Installer } from './installer.ts';
import type { Jobs } from './jobs.ts';
import type { OtherHosts } from './other-host.ts';
import type { Found, PackageStore } from './package-store.ts';
import type { Uploads } from './uploads.ts';

/** A plugin that ends only by SIGKILL has had the bound of every milder way first. */
const stopTimeoutMs = 30_000;
/** Another host has its own manager to ask. */
const elsewhereTimeoutMs = stopTimeoutMs + 10_000;

export interface ActionsOptions {
  /** The name of this host. */
  readonly host: string;
  readonly client: Pick<Client, 'call'>;
  readonly store: PackageStore;
  readonly installer: Installer;
  readonly otherHosts: OtherHosts;
  readonly uploads: Uploads;
  readonly jobs: Jobs;
}

/** The actions of the packagemanager of one host. */
export function packagemanagerActions({ host: ownHost, client, store, installer, otherHosts, uploads, jobs }: ActionsOptions): Handlers {
  const local = onOwnHost({ host: ownHost, client, timeoutMs: elsewhereTimeoutMs });

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
    .on(pluginInstall, async ({ source, integrity, host = ownHost, waitMs }, { signal }) => {
      const { id } = jobs.start(source, async (job) => {
        const installation = { job: job.id, source, integrity, signal: job.signal, progress: job.progress };
        if (host === ownHost) await installer.install(installation);
        else await otherHosts.install({ ...installation, host });
      });
      return { job: await jobs.settled(id, waitMs, signal) };
    })
    .on(pluginUpgrade, local(pluginUpgrade, async (name, { waitMs }, { signal }) => {
      const { source } = lookedUp(name, await store.find(name));
      const { id } = jobs.start(source, async (job) => {
        await installer.install({ job: job.id, source, plugin: name, signal: job.signal, progress: job.progress });
      });
      return { job: await jobs.settled(id, waitMs, signal) };
    }))
    .on(packageUpload, (part, { signal }) => uploads.add(part, signal))
    .on(pluginUninstall, local(pluginUninstall, async (name, _data, { signal }) => {
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
    }))
    .on(packageList, async () => ({ packages: await store.list() }))
    .on(packageDetail, local(packageDetail, async (name) => {
      const found = await store.find(name);
      if (found.state === 'absent') throw notInstalled(packageDetail, name);
      if (found.state === 'damaged') {
        throw refuse(packageDetail, 'PACKAGE_NOT_FOUND', `the package of ${name} is damaged, so install it again or uninstall it: ${found.reason}`);
      }
      return { ...found.installed, manifest: found.manifest };
    }))
    .on(jobGet, ({ id }) => ({ job: jobs.get(id) }));

  /** Where a newer version of a plugin is looked for. */
  function lookedUp(name: string, found: Found): { readonly source: string } {
    if (found.state === 'absent') throw notInstalled(pluginUpgrade, name);
    const record = found.state === 'installed' ? found.record : undefined;
    const toDo = 'install what is newer: domus plugin install SOURCE';
    if (record === undefined) throw refuse(pluginUpgrade, 'NOTHING_NEWER', `it is not known where ${name} was installed from; ${toDo}`);
    if (record.kind === 'archive' || record.kind === 'upload') {
      throw refuse(pluginUpgrade, 'NOTHING_NEWER', `${name} was installed from ${record.kind === 'upload' ? 'what was brought here' : 'the archive'}, ${record.source}, and there is nothing to look up; ${toDo}`);
    }
    return record;
  }

  function notInstalled(contract: typeof pluginUninstall | typeof packageDetail | typeof pluginUpgrade, name: string): ActionFailure {
    return refuse(contract, 'PACKAGE_NOT_FOUND', `no plugin ${name} is installed on ${ownHost}; package.list tells what is`);
  }
}
