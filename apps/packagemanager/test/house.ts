// An installer over a home of its own, for the tests.
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InstalledPackage } from '@majordomus/contracts';
import { majordomusVersion, silentLog, type Log } from '@majordomus/runtime';
import type { ChangeOver } from '../src/change-over.ts';
import { Fetcher } from '../src/fetch.ts';
import { GitFetcher } from '../src/git-fetch.ts';
import { Installer, type InstallerOptions, type Progress } from '../src/installer.ts';
import { copyLimits } from '../src/package-copy.ts';
import type { BeforeEffect, Effect } from '../src/effects.ts';
import { PackageStore } from '../src/package-store.ts';
import type { Values } from '../src/plugin-configuration.ts';
import { Uploads } from '../src/uploads.ts';
import { newChangeOver } from './change-over.ts';
import { temporaryFolder } from './packages.ts';
import { peersFile, SimulatedHouse, type SimulatedHouseOptions } from './simulated-house.ts';

export interface House extends AsyncDisposable {
  /** Where there is room for sources. */
  readonly folder: string;
  readonly packages: string;
  readonly store: PackageStore;
  readonly installer: Installer;
  readonly changeOver: ChangeOver;
  /** dbmanager and manager. */
  readonly peers: SimulatedHouse;
  /** Every effect on the disk so far. */
  readonly effects: Effect[];
  readonly install: (source: string, options?: InstallOptions) => Promise<InstalledPackage>;
}

export interface InstallOptions {
  readonly values?: Values;
  readonly integrity?: string;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
}

export interface HouseOptions extends Partial<Omit<InstallerOptions, 'store' | 'changeOver'>> {
  /** Called before each action of dbmanager and manager; what it throws is the answer. */
  readonly beforeAction?: SimulatedHouseOptions['before'];
  readonly log?: Log;
}

/** An address where nothing listens: the tests need no registry. */
export const noRegistry = 'http://127.0.0.1:9/';

export async function newHouse({ log = silentLog, beforeEffect = () => {}, beforeAction = () => {}, ...options }: HouseOptions = {}): Promise<House> {
  const folder = await temporaryFolder();
  const packages = join(folder.path, 'packages');
  await mkdir(packages);
  const effects: Effect[] = [];
  const before: BeforeEffect = async (effect) => {
    effects.push(effect);
    await beforeEffect(effect);
  };
  const store = new PackageStore({ folder: packages, log, beforeEffect: before });
  const { npm = { cache: join(folder.path, 'cache', 'npm'), registry: noRegistry }, limits = copyLimits } = options;
  const uploads = new Uploads({ folder: join(packages, '.staging', 'uploads'), maxBytes: limits.bytes });
  const fetcher = new Fetcher({ npm, git: new GitFetcher({ cache: join(dirname(npm.cache), 'git') }), uploads, limits });
  const peers = new SimulatedHouse({ packages, before: beforeAction, file: peersFile(packages) });
  const changeOver = newChangeOver({ store, peers, log, beforeEffect: before });
  const installer = new Installer({
    store,
    fetcher,
    npm,
    changeOver,
    majordomusVersion,
    beforeEffect: before,
    ...options,
  });
  return {
    folder: folder.path,
    packages,
    store,
    installer,
    changeOver,
    peers,
    effects,
    install: (source, { integrity, values, signal = new AbortController().signal, progress = () => {} } = {}) =>
      installer.install({ job: randomUUID(), source, integrity, values, signal, progress }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
