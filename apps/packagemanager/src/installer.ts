// An installation, step by step (docs/packages.md, "Install"): everything is made ready aside and brought to disk,
// then one rename of a link makes it the installed one. Until then nothing that was installed is touched.
import { ActionFailure, pluginInstall, refuse, type InstalledPackage, type installSteps, type Job, type Manifest } from '@majordomus/contracts';
import semver from 'semver';
import type { ChangeOver } from './change-over.ts';
import { installDependencies, readDependencies } from './dependencies.ts';
import { syncTree } from './durable.ts';
import type { FetchedPackage, Fetcher, ResolvedSource } from './fetch.ts';
import { installFailure } from './install-failure.ts';
import { manifestInvalid } from './manifest-file.ts';
import type { NpmSource } from './npm.ts';
import { copyLimits, copyPackage, type CopyLimits } from './package-copy.ts';
import type { BeforeEffect, Effect } from './effects.ts';
import type { Found } from './found.ts';
import type { PackageStore } from './package-store.ts';
import type { Values } from './plugin-configuration.ts';
import { shownSource } from './source.ts';
import { verifyPackage } from './verify.ts';

export type InstallStep = (typeof installSteps)[number];

/** How far an installation is, out of 100. */
export interface Progress {
  readonly step: InstallStep;
  readonly percent: number;
  readonly plugin?: string;
  readonly version?: string;
  /** The version that was installed before. */
  readonly previous?: string;
  readonly change?: NonNullable<Job['change']>;
  /** Whether the plugin ran, and so went over to it. */
  readonly gated?: boolean;
  /** Whether the network did not answer, and the cache of an earlier installation did. */
  readonly cached?: boolean;
}

export interface Installation {
  /** Names this installation; no other has the same. */
  readonly job: string;
  /** As a person gives it (source.ts). */
  readonly source: string;
  /** What the archive must hash to. */
  readonly integrity?: string | undefined;
  /** The plugin that it must be; any one without it. */
  readonly plugin?: string | undefined;
  /** Values that are set with it. */
  readonly values?: Values | undefined;
  /** On whose behalf. */
  readonly by?: string | undefined;
  /** Whether a plugin that runs goes over to it now (default true). */
  readonly restart?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export interface InstallerOptions {
  readonly store: PackageStore;
  readonly fetcher: Fetcher;
  /** For the dependencies. */
  readonly npm: NpmSource;
  /** Brings what was made ready into use. */
  readonly changeOver: ChangeOver;
  /** What the `engine` of a manifest is compared with. */
  readonly majordomusVersion: string;
  readonly limits?: CopyLimits;
  readonly beforeEffect?: BeforeEffect;
  /** Makes sure of what every plugin finds beside itself: somebody may have deleted it. */
  readonly renewKit?: () => Promise<void>;
}

/** What is done of the whole when a step begins. */
const percentAt = { resolve: 0, fetch: 2, unpack: 25, verify: 40, link: 45, sync: 85, switch: 95, gate: 97 } as const satisfies Record<InstallStep, number>;

export class Installer {
  readonly #options: InstallerOptions;

  constructor(options: InstallerOptions) {
    this.#options = options;
  }

  /** Installs a package; fulfilled when that is on disk. @throws ActionFailure with a code of `plugin.install` */
  async install(installation: Installation): Promise<InstalledPackage> {
    const { store, fetcher, renewKit } = this.#options;
    const staged: string[] = [];
    try {
      installation.progress({ step: 'resolve', percent: percentAt.resolve });
      await renewKit?.();
      const source = await fetcher.resolve(installation.source, installation.integrity);
      const stage = async (purpose: string): Promise<string> => {
        const folder = await store.stage(`${installation.job}${purpose}`);
        staged.push(folder);
        return folder;
      };
      const staging = await stage('');
      const fetched = await this.#fetch(source, () => stage('-fetched'), installation);
      return await this.#installFrom(fetched, staging, installation);
    } catch (error) {
      throw installFailure(error, installation.signal);
    } finally {
      await Promise.all(staged.map((folder) => store.unstage(folder)));
    }
  }

  async #fetch(source: ResolvedSource, workspace: () => Promise<string>, { signal, progress }: Installation): Promise<FetchedPackage> {
    progress({ step: 'fetch', percent: percentAt.fetch });
    const fetched = await this.#options.fetcher.fetch(source, {
      workspace,
      signal,
      before: async (effect) => {
        if (effect === 'unpack') progress({ step: 'unpack', percent: percentAt.unpack });
        await this.#before(effect, signal);
      },
    });
    progress({ step: 'unpack', percent: percentAt.unpack, ...(fetched.cached && { cached: true }) });
    return fetched;
  }

  async #installFrom(fetched: FetchedPackage, staging: string, installation: Installation): Promise<InstalledPackage> {
    const { store, npm, changeOver, majordomusVersion, limits = copyLimits } = this.#options;
    const { job, source, values, by, restart = true, signal, progress, plugin } = installation;

    await this.#before('copy', signal);
    const span = percentAt.verify - percentAt.unpack;
    const hash = await copyPackage(fetched.folder, staging, {
      limits,
      signal,
      progress: (share) => progress({ step: 'unpack', percent: percentAt.unpack + Math.floor(span * share) }),
    });

    progress({ step: 'verify', percent: percentAt.verify });
    const manifest = await verifyPackage(staging, majordomusVersion);
    checkIdentity(manifest, fetched.version, plugin);
    const packageJson = await readDependencies(staging);
    const { name, version } = manifest;
    const release = `${version}-${hash}`;
    const about = { plugin: name, version };
    progress({ step: 'verify', percent: percentAt.verify, ...about });

    using _turn = await store.turn(name, signal);
    await changeOver.settle(name, signal);
    const isNew = !(await store.hasRelease(name, release, staging, signal));
    if (isNew) {
      progress({ step: 'link', percent: percentAt.link, ...about });
      if (packageJson !== undefined) {
        await this.#before('install dependencies', signal);
        if (await installDependencies(staging, packageJson, npm, signal)) progress({ step: 'link', percent: percentAt.link, cached: true });
      }
      progress({ step: 'sync', percent: percentAt.sync, ...about });
      await this.#before('sync', signal);
      await syncTree(staging, signal);
    }

    const former = await store.find(name);
    progress({ step: 'switch', percent: percentAt.switch, ...about, change: changeOf(former, version, isNew ? undefined : release), ...(former.state === 'installed' && { previous: former.installed.version }) });
    try {
      signal.throwIfAborted();
      if (isNew) await store.place(staging, name, release);
      const next = await store.release(name, release);
      if (next.state !== 'installed') throw new ActionFailure('INTERNAL', `what was just installed cannot be read: ${next.state === 'damaged' ? next.reason : release}; install again`);
      let last: InstallStep = 'switch';
      const onGate = (): void => {
        last = 'gate';
        progress({ step: last, percent: percentAt.gate, gated: true });
      };
      await changeOver.run({ job, source: shownSource(source), former, next, record: fetched.record, values, by, restart, signal, onGate });
      progress({ step: last, percent: 100, ...about });
      const now = await store.release(name, release);
      return now.state === 'installed' ? now.installed : next.installed;
    } catch (error) {
      await store.prune(name);
      throw error;
    }
  }

  async #before(effect: Effect, signal: AbortSignal): Promise<void> {
    await this.#options.beforeEffect?.(effect);
    signal.throwIfAborted();
  }
}

/** `release` is undefined if it had to be placed. */
function changeOf(former: Found, version: string, release: string | undefined): NonNullable<Job['change']> {
  if (former.state !== 'installed') return 'first';
  if (former.release === release) return 'none';
  return (['older', 'again', 'newer'] as const)[semver.compare(version, former.installed.version) + 1] ?? 'again';
}

/** The manifest rules; but the registry is asked by its own version, and an upgrade must not become another plugin. */
function checkIdentity({ name, version }: Manifest, registryVersion: string | undefined, plugin: string | undefined): void {
  if (plugin !== undefined && plugin !== name) {
    throw refuse(pluginInstall, 'PACKAGE_REFUSED', `where ${plugin} came from there is now the plugin ${name}; if that is what you want, uninstall ${plugin} and install ${name}`);
  }
  if (registryVersion !== undefined && registryVersion !== version) {
    throw manifestInvalid({ version: `is ${version}, and the registry has it as ${registryVersion}; its author has to make them the same` });
  }
}
