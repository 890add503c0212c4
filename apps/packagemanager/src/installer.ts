// An installation, step by step (docs/packages.md, "Install"): everything is made ready aside and brought to disk,
// then one rename of a link makes it the installed one. Until then nothing that was installed is touched.
import { pluginInstall, refuse, type InstalledPackage, type installSteps, type Job, type Manifest } from '@majordomus/contracts';
import { reasonOf } from '@majordomus/runtime';
import semver from 'semver';
import { installDependencies, readDependencies } from './dependencies.ts';
import { syncTree } from './durable.ts';
import type { FetchedPackage, Fetcher, ResolvedSource } from './fetch.ts';
import { installFailure } from './install-failure.ts';
import { manifestInvalid } from './manifest-file.ts';
import type { NpmSource } from './npm.ts';
import { copyLimits, copyPackage, type CopyLimits } from './package-copy.ts';
import { shownRecord, type BeforeEffect, type Effect, type Found, type PackageStore } from './package-store.ts';
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
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export interface InstallerOptions {
  readonly store: PackageStore;
  readonly fetcher: Fetcher;
  /** For the dependencies. */
  readonly npm: NpmSource;
  /** Makes the configuration items of a plugin known. Whatever it throws ends the installation with SCHEMA_NOT_STORED. */
  readonly registerSchema: (manifest: Manifest, signal: AbortSignal) => Promise<void>;
  /** What the `engine` of a manifest is compared with. */
  readonly majordomusVersion: string;
  readonly limits?: CopyLimits;
  readonly beforeEffect?: BeforeEffect;
}

const restoreLimitMs = 2000;

/** What is done of the whole when a step begins. */
const percentAt = { resolve: 0, fetch: 2, unpack: 25, verify: 40, link: 45, sync: 85, switch: 95 } as const satisfies Record<InstallStep, number>;

export class Installer {
  readonly #options: InstallerOptions;

  constructor(options: InstallerOptions) {
    this.#options = options;
  }

  /** Installs a package; fulfilled when that is on disk. @throws ActionFailure with a code of `plugin.install` */
  async install(installation: Installation): Promise<InstalledPackage> {
    const { store, fetcher } = this.#options;
    const staged: string[] = [];
    try {
      installation.progress({ step: 'resolve', percent: percentAt.resolve });
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

  async #installFrom(fetched: FetchedPackage, staging: string, { signal, progress, plugin }: Installation): Promise<InstalledPackage> {
    const { store, npm, majordomusVersion, limits = copyLimits } = this.#options;

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
    const { name, version, description } = manifest;
    const release = `${version}-${hash}`;
    const about = { plugin: name, version };
    progress({ step: 'verify', percent: percentAt.verify, ...about });

    using _turn = await store.turn(name, signal);
    const isNew = !(await store.hasRelease(name, release));
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
    progress({ step: 'switch', percent: percentAt.switch, ...about, change: changeOf(former, version, release), ...(former.state === 'installed' && { previous: former.installed.version }) });
    await this.#before('store schema', signal);
    await this.#registerSchema(manifest, signal);
    try {
      signal.throwIfAborted();
      if (isNew) await store.place(staging, name, release);
      await store.record(name, release, fetched.record);
      const folder = await store.activate(name, release);
      progress({ step: 'switch', percent: 100, ...about });
      return { name, version, description, folder, ...shownRecord(fetched.record) };
    } catch (error) {
      await this.#restoreSchema(former);
      throw error;
    }
  }

  async #registerSchema(manifest: Manifest, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.registerSchema(manifest, signal);
    } catch (cause) {
      throw refuse(pluginInstall, 'SCHEMA_NOT_STORED', `dbmanager did not take the configuration items of ${manifest.name}: ${reasonOf(cause)}; see that it runs, and install again`, {}, { cause });
    }
  }

  /** The package that stays in use has its own schema again; if not now, then at the next start. */
  async #restoreSchema(former: Found): Promise<void> {
    if (former.state !== 'installed') return;
    await this.#options.registerSchema(former.manifest, AbortSignal.timeout(restoreLimitMs)).catch(() => {});
  }

  async #before(effect: Effect, signal: AbortSignal): Promise<void> {
    await this.#options.beforeEffect?.(effect);
    signal.throwIfAborted();
  }
}

function changeOf(former: Found, version: string, release: string): NonNullable<Job['change']> {
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
