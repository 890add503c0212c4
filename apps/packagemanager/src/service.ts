// packagemanager as a part of the house: what it needs, in order, and its end. It alone writes `<home>/packages`.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hostService, schemaSet, type Manifest } from '@majordomus/contracts';
import { Client, serve } from '@majordomus/mq';
import { ensureFolder, homePaths, lockHome, majordomusVersion, StartError, systemReason, type PartContext } from '@majordomus/runtime';
import { packagemanagerActions } from './actions.ts';
import type { PackagemanagerSettings } from './config.ts';
import { Fetcher } from './fetch.ts';
import { GitFetcher } from './git-fetch.ts';
import { Installer } from './installer.ts';
import { Jobs } from './jobs.ts';
import { renewKit } from './kit.ts';
import { OtherHosts } from './other-host.ts';
import { copyLimits as limits } from './package-copy.ts';
import { PackageStore } from './package-store.ts';
import { renewSchemas } from './schemas.ts';
import { Uploads } from './uploads.ts';

const service = 'packagemanager';
const capacity = 16;
const schemaTimeoutMs = 5000;

/**
 * Runs until the signal fires; what is being installed then fails with INTERRUPTED.
 * @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE, CANNOT_START
 */
export async function start(settings: PackagemanagerSettings, { signal, log, ready, notReady }: PartContext): Promise<void> {
  const { home, broker: endpoint, host, kitFolder } = settings;
  const { packages, cache } = homePaths(home);
  ensureFolder(packages);
  // A second one would take what the first has in staging for the leftovers of a crash.
  using _lock = lockHome(home, service);
  const store = new PackageStore({ folder: packages, log });
  await prepare(store, packages, kitFolder);

  await using client = new Client({ endpoint });
  const registerSchema = async ({ name, version, configuration }: Manifest, cancelled: AbortSignal): Promise<void> => {
    await client.call(schemaSet, { plugin: name, version, items: configuration }, { timeoutMs: schemaTimeoutMs, signal: cancelled });
  };
  const npm = { cache: join(cache, 'npm'), registry: settings.registry };
  using uploads = new Uploads({ folder: join(packages, '.staging', 'uploads'), maxBytes: limits.bytes });
  const fetcher = new Fetcher({ npm, git: new GitFetcher({ cache: join(cache, 'git') }), uploads, limits });
  const installer = new Installer({ store, fetcher, npm, registerSchema, majordomusVersion });
  const otherHosts = new OtherHosts({ host, client, store, fetcher, limits });
  const jobs = new Jobs({ log });
  const handlers = packagemanagerActions({ host, client, store, installer, otherHosts, uploads, jobs });
  const services = settings.primary ? [hostService(host, service), service] : [hostService(host, service)];
  const renewed = renewSchemas({ store, registerSchema, log, signal });
  await serve({
    endpoint, services, handlers, capacity, log, signal,
    onRegistered: () => ready(),
    onLost: notReady,
    onBack: () => ready(),
    // First the jobs, so that whoever waits for one is told that it was interrupted, and not that it runs.
    beforeStop: () => jobs.stop(),
  });
  await renewed;
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
