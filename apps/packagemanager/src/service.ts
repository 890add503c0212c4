// packagemanager as a part of the house: what it needs, in order, and its end. It alone writes `<home>/packages`.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hostService, type Manifest } from '@majordomus/contracts';
import { Client, serve } from '@majordomus/mq';
import { ensureFolder, homePaths, lockHome, majordomusVersion, StartError, systemReason, type PartContext } from '@majordomus/runtime';
import { packagemanagerActions } from './actions.ts';
import { forgetUnused } from './cache-age.ts';
import { ChangeOver } from './change-over.ts';
import type { PackagemanagerSettings } from './config.ts';
import { exists } from './durable.ts';
import { Fetcher } from './fetch.ts';
import { GitFetcher } from './git-fetch.ts';
import { HealthGate } from './health-gate.ts';
import { Installer } from './installer.ts';
import { Jobs } from './jobs.ts';
import { keepFolder, restoredText } from './kept-folder.ts';
import { renewKit } from './kit.ts';
import { OtherHosts } from './other-host.ts';
import { copyLimits as limits } from './package-copy.ts';
import { PackageStore } from './package-store.ts';
import { PluginConfiguration } from './plugin-configuration.ts';
import { PluginProcesses } from './plugin-process.ts';
import { UnendedChanges } from './unended-changes.ts';
import { keepSchemas } from './schemas.ts';
import { Uploads } from './uploads.ts';

const service = 'packagemanager';
const capacity = 16;

/**
 * Runs until the signal fires; what is being installed then fails with INTERRUPTED.
 * @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE, CANNOT_START
 */
export async function start(settings: PackagemanagerSettings, { signal, log, ready, notReady }: PartContext): Promise<void> {
  const { home, broker: endpoint, host, kitFolder } = settings;
  const { packages, cache } = homePaths(home);
  ensureFolder(packages);
  // A second one would take what the first has in staging for the leftovers of a crash.
  using lock = lockHome(home, service);
  lock.watch(log);
  const store = new PackageStore({ folder: packages, log });
  await prepare(store, packages, kitFolder);
  await forgetUnused(cache, Date.now(), log);

  await using client = new Client({ endpoint });
  const configuration = new PluginConfiguration({ client, host });
  const processes = new PluginProcesses({ client, host });
  const gate = new HealthGate({ processes, limits: { timeoutMs: settings.readyLimitMs, calmMs: settings.calmMs } });
  const changeOver = new ChangeOver({ store, configuration, processes, gate, log, onUnended: (name) => unended.add(name) });
  const jobs = new Jobs({ log });
  const unended = new UnendedChanges({ store, changeOver, jobs, log, signal });
  const npm = { cache: join(cache, 'npm'), registry: settings.registry };
  using uploads = new Uploads({ folder: join(packages, '.staging', 'uploads'), maxBytes: limits.bytes });
  const fetcher = new Fetcher({ npm, git: new GitFetcher({ cache: join(cache, 'git') }), uploads, limits });
  // No plugin has this name; two at once would take each other's links away.
  const renew = async (): Promise<void> => {
    using _turn = await store.turn('node_modules', signal);
    const wasThere = await exists(packages);
    ensureFolder(packages);
    if (!wasThere) log.error(restoredText(packages));
    await renewKit(store, packages, kitFolder);
  };
  const installer = new Installer({ store, fetcher, npm, changeOver, majordomusVersion, renewKit: renew });
  const otherHosts = new OtherHosts({ host, client, store, fetcher, limits });
  const handlers = packagemanagerActions({ host, client, store, installer, changeOver, configuration, otherHosts, uploads, jobs });
  const services = settings.primary ? [hostService(host, service), service] : [hostService(host, service)];
  // Before anybody can ask for another installation of the same.
  await unended.begin();
  const registerSchema = (manifest: Manifest, cancelled: AbortSignal): Promise<void> => configuration.setSchema(manifest, cancelled);
  const hasSchema = (plugin: string, cancelled: AbortSignal): Promise<boolean> => configuration.hasSchema(plugin, cancelled);
  const kept = [keepSchemas({ store, registerSchema, hasSchema, log, signal }), keepFolder({ folder: packages, restore: renew, log, signal })];
  await serve({
    endpoint, services, handlers, capacity, log, signal,
    onRegistered: () => ready(),
    onLost: notReady,
    onBack: () => ready(),
    // First the jobs, so that whoever waits for one is told that it was interrupted, and not that it runs.
    beforeStop: () => jobs.stop(),
  });
  await Promise.all(kept);
  await unended.ended();
}

/** What has to be so before anything is installed or started. */
async function prepare(store: PackageStore, packages: string, kitFolder: string): Promise<void> {
  const kit = await stat(join(kitFolder, 'package.json')).catch(() => undefined);
  if (kit?.isFile() !== true) {
    throw new StartError('CANNOT_START', `the plugin author’s kit is not at ${kitFolder}; reinstall Majordomus, or say where it is with --kit-folder`);
  }
  try {
    await store.cleanUp();
    await renewKit(store, packages, kitFolder);
  } catch (cause) {
    throw new StartError('HOME_NOT_WRITABLE', `cannot write in ${packages}: ${systemReason(cause)}; make it writable, or choose another home with --home or DOMUS_HOME`, { cause });
  }
}
