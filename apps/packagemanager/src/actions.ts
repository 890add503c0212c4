// What packagemanager answers. An id of another host goes to the packagemanager of that host; a plugin is stopped by the
// manager of its host before its package goes.
import {
  jobGet, packageDetail, packageList, packageUpload, pluginInstall, pluginRollback, pluginUninstall, pluginUpgrade, refuse, type ActionFailure,
} from '@majordomus/contracts';
import { Handlers, onOwnHost, type Client } from '@majordomus/mq';
import type { ChangeOver } from './change-over.ts';
import { installFailure } from './install-failure.ts';
import type { Installer } from './installer.ts';
import type { Jobs } from './jobs.ts';
import type { OtherHosts } from './other-host.ts';
import type { Found } from './found.ts';
import type { PackageStore } from './package-store.ts';
import type { PluginConfiguration } from './plugin-configuration.ts';
import { rollBack } from './rollback.ts';
import { stopTimeoutMs, uninstall } from './uninstall.ts';
import type { Uploads } from './uploads.ts';

/** Another host has its own manager to ask. */
const elsewhereTimeoutMs = stopTimeoutMs + 10_000;

export interface ActionsOptions {
  /** The name of this host. */
  readonly host: string;
  readonly client: Pick<Client, 'call'>;
  readonly store: PackageStore;
  readonly installer: Installer;
  readonly changeOver: ChangeOver;
  readonly configuration: PluginConfiguration;
  readonly otherHosts: OtherHosts;
  readonly uploads: Uploads;
  readonly jobs: Jobs;
}

/** The actions of the packagemanager of one host. */
export function packagemanagerActions({ host: ownHost, client, store, installer, changeOver, configuration, otherHosts, uploads, jobs }: ActionsOptions): Handlers {
  const local = onOwnHost({ host: ownHost, client, timeoutMs: elsewhereTimeoutMs });

  return new Handlers()
    .on(pluginInstall, async ({ source, integrity, configuration: values, restart, by, host = ownHost, waitMs }, { signal }) => {
      const { id } = jobs.start(source, async (job) => {
        const installation = { job: job.id, source, integrity, values, by, restart, signal: job.signal, progress: job.progress };
        if (host === ownHost) await installer.install(installation);
        else await otherHosts.install({ ...installation, host });
      });
      return { job: await jobs.settled(id, waitMs, signal) };
    })
    .on(pluginUpgrade, local(pluginUpgrade, async (name, { configuration: values, restart, by, waitMs }, { signal }) => {
      const { source } = lookedUp(name, await store.find(name));
      const { id } = jobs.start(source, async (job) => {
        await installer.install({ job: job.id, source, plugin: name, values, by, restart, signal: job.signal, progress: job.progress });
      });
      return { job: await jobs.settled(id, waitMs, signal) };
    }))
    .on(pluginRollback, local(pluginRollback, async (name, { by, waitMs }, { signal }) => {
      if ((await store.find(name)).state === 'absent') throw notInstalled(pluginRollback, name);
      const { id } = jobs.start(`the previous version of ${name}`, async (job) => {
        try {
          await rollBack(name, { store, changeOver, by, job });
        } catch (error) {
          throw installFailure(error, job.signal);
        }
      });
      return { job: await jobs.settled(id, waitMs, signal) };
    }))
    .on(packageUpload, (part, { signal }) => uploads.add(part, signal))
    .on(pluginUninstall, local(pluginUninstall, (name, { purge, by }, { signal }) =>
      uninstall(name, { host: ownHost, client, store, configuration, purge, by, signal, notInstalled: () => notInstalled(pluginUninstall, name) })))
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

  function notInstalled(contract: typeof pluginUninstall | typeof packageDetail | typeof pluginUpgrade | typeof pluginRollback, name: string): ActionFailure {
    return refuse(contract, 'PACKAGE_NOT_FOUND', `no plugin ${name} is installed on ${ownHost}; see what is: domus plugin list`);
  }
}
