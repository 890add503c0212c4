// An installation, step by step (docs/architecture.md, "Packages"): everything is made ready aside and brought to disk,
// then one rename of a link makes it the installed one. Until then nothing that was installed is touched.
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { ActionFailure, pluginInstall, refuse, type InstalledPackage, type installSteps, type Manifest } from '@majordomus/contracts';
import { isSystemError, reasonOf, systemReason } from '@majordomus/runtime';
import { installDependencies, readDependencies, type NpmSource } from './dependencies.ts';
import { exists, syncTree } from './durable.ts';
import { manifestFile, manifestInvalid } from './manifest-file.ts';
import { copyLimits, copyPackage, type CopyLimits } from './package-copy.ts';
import type { BeforeEffect, Effect, PackageStore } from './package-store.ts';
import { verifyPackage } from './verify.ts';

export type InstallStep = (typeof installSteps)[number];

/** How far an installation is, out of 100. */
export interface Progress {
  readonly step: InstallStep;
  readonly percent: number;
  readonly plugin?: string;
  readonly version?: string;
}

export interface Installation {
  /** Names this installation; no other has the same. */
  readonly job: string;
  /** The absolute path of a folder. */
  readonly source: string;
  readonly integrity?: string | undefined;
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export interface InstallerOptions {
  readonly store: PackageStore;
  readonly npm: NpmSource;
  /** Makes the configuration items of a plugin known. Whatever it throws ends the installation with SCHEMA_NOT_STORED. */
  readonly registerSchema: (manifest: Manifest, signal: AbortSignal) => Promise<void>;
  /** What the `engine` of a manifest is compared with. */
  readonly majordomusVersion: string;
  readonly limits?: CopyLimits;
  readonly beforeEffect?: BeforeEffect;
}

/** What is done of the whole when a step begins. */
const percentAt = { resolve: 0, fetch: 2, verify: 40, link: 45, sync: 85, switch: 95 } as const satisfies Record<InstallStep, number>;

export class Installer {
  readonly #options: InstallerOptions;

  constructor(options: InstallerOptions) {
    this.#options = options;
  }

  /** Installs a package; fulfilled when that is on disk. @throws ActionFailure with a code of `plugin.install` */
  async install(installation: Installation): Promise<InstalledPackage> {
    const { store } = this.#options;
    let staging: string | undefined;
    try {
      installation.progress({ step: 'resolve', percent: percentAt.resolve });
      const source = await resolveSource(installation);
      staging = await store.stage(installation.job);
      return await this.#installFrom(source, staging, installation);
    } catch (error) {
      throw asFailure(error, installation.signal);
    } finally {
      if (staging !== undefined) await store.unstage(staging);
    }
  }

  async #installFrom(source: string, staging: string, { signal, progress }: Installation): Promise<InstalledPackage> {
    const { store, npm, majordomusVersion, limits = copyLimits } = this.#options;

    progress({ step: 'fetch', percent: percentAt.fetch });
    await this.#before('copy', signal);
    const span = percentAt.verify - percentAt.fetch;
    const hash = await copyPackage(source, staging, {
      limits,
      signal,
      progress: (share) => progress({ step: 'fetch', percent: percentAt.fetch + Math.floor(span * share) }),
    });

    progress({ step: 'verify', percent: percentAt.verify });
    const manifest = await verifyPackage(staging, majordomusVersion);
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
        await installDependencies(staging, packageJson, npm, signal);
      }
      progress({ step: 'sync', percent: percentAt.sync, ...about });
      await this.#before('sync', signal);
      await syncTree(staging, signal);
    }

    progress({ step: 'switch', percent: percentAt.switch, ...about });
    await this.#before('store schema', signal);
    await this.#registerSchema(manifest, signal);
    signal.throwIfAborted();
    if (isNew) await store.place(staging, name, release);
    const folder = await store.activate(name, release);
    progress({ step: 'switch', percent: 100, ...about });
    return { name, version, description, folder };
  }

  async #registerSchema(manifest: Manifest, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.registerSchema(manifest, signal);
    } catch (cause) {
      throw refuse(pluginInstall, 'SCHEMA_NOT_STORED', `dbmanager did not take the configuration items of ${manifest.name}: ${reasonOf(cause)}; see that it runs, and install again`, {}, { cause });
    }
  }

  async #before(effect: Effect, signal: AbortSignal): Promise<void> {
    await this.#options.beforeEffect?.(effect);
    signal.throwIfAborted();
  }
}

/** The real path of the folder to install from. */
async function resolveSource({ source, integrity }: Installation): Promise<string> {
  const supported = 'a source is the absolute path of a folder with a plugin.json, on the host of this packagemanager';
  const notFound = (why: string): ActionFailure => refuse(pluginInstall, 'SOURCE_NOT_FOUND', `${JSON.stringify(source)} ${why}; ${supported}`);
  if (!isAbsolute(source) || source.includes('\0')) throw notFound('is no absolute path');
  if (integrity !== undefined) {
    throw refuse(pluginInstall, 'PACKAGE_REFUSED', `${JSON.stringify(source)} is to be a folder, and integrity is that of an archive; leave it out`);
  }
  try {
    const folder = await realpath(source);
    if (!(await stat(folder)).isDirectory()) throw notFound('is no folder');
    // Said before anything is copied: somebody gave the wrong folder, perhaps a large one.
    if (!(await exists(join(folder, manifestFile)))) throw manifestInvalid({ [manifestFile]: `is missing in ${folder}` });
    return folder;
  } catch (error) {
    throw error instanceof ActionFailure ? error : notFound(`cannot be read: ${systemReason(error)}`);
  }
}

/** What a failed installation is told as. The source's faults have their codes already; what is left is the disk. */
function asFailure(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) {
    return refuse(pluginInstall, 'INTERRUPTED', 'packagemanager stopped during the installation; what was installed before is untouched; install again', {}, { cause: error });
  }
  if (!isSystemError(error)) return error;
  const where = error.path === undefined ? '' : ` at ${error.path}`;
  return refuse(pluginInstall, 'STORAGE_ERROR', `the package could not be written${where}: ${systemReason(error)}; free space or make the folder writable, and install again`, {}, { cause: error });
}
