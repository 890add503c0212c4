// A process that changes what is installed and is killed, as by a power cut, before the effect that it is told. Its argument is a
// DeadlyWork as JSON.
import { Fetcher } from '../src/fetch.ts';
import { GitFetcher } from '../src/git-fetch.ts';
import { Installer } from '../src/installer.ts';
import { copyLimits as limits } from '../src/package-copy.ts';
import type { BeforeEffect, Effect } from '../src/effects.ts';
import { PackageStore } from '../src/package-store.ts';
import { PluginConfiguration, type Values } from '../src/plugin-configuration.ts';
import { rollBack } from '../src/rollback.ts';
import { uninstall } from '../src/uninstall.ts';
import { Uploads } from '../src/uploads.ts';
import { ActionFailure } from '@majordomus/contracts';
import { majordomusVersion, silentLog } from '@majordomus/runtime';
import { newChangeOver } from './change-over.ts';
import { peersFile, SimulatedHouse } from './simulated-house.ts';

export interface DeadlyWork {
  /** The folder of the packages. */
  readonly folder: string;
  /** What is done with the plugin `lamp`. */
  readonly work: 'install' | 'roll back' | 'uninstall' | 'purge';
  readonly source?: string;
  readonly values?: Values;
  readonly effect: Effect;
}

const { folder, work, source = '', values, effect: deadly } = JSON.parse(process.argv[2] ?? '{}') as DeadlyWork;

const beforeEffect: BeforeEffect = (effect) => {
  if (effect === deadly) process.kill(process.pid, 'SIGKILL');
};
const store = new PackageStore({ folder, log: silentLog, beforeEffect });
const npm = { cache: `${folder}-cache/npm`, registry: 'http://127.0.0.1:9/' };
using uploads = new Uploads({ folder: `${folder}/.staging/uploads`, maxBytes: limits.bytes });
const fetcher = new Fetcher({ npm, git: new GitFetcher({ cache: `${folder}-cache/git` }), uploads, limits });
const peers = new SimulatedHouse({ packages: folder, file: peersFile(folder) });
const changeOver = newChangeOver({ store, peers, log: silentLog, beforeEffect });
const installer = new Installer({ store, fetcher, npm, changeOver, majordomusVersion, beforeEffect });
const job = { id: 'job', signal: new AbortController().signal, progress: () => {} };

try {
  if (work === 'install') await installer.install({ ...job, job: job.id, source, values });
  else if (work === 'roll back') await rollBack('lamp', { store, changeOver, by: undefined, job });
  else {
    const configuration = new PluginConfiguration({ client: peers.client, host: 'igor' });
    await uninstall('lamp', { ...job, host: 'igor', client: peers.client, store, configuration, purge: work === 'purge', by: undefined, notInstalled: () => new ActionFailure('PACKAGE_NOT_FOUND', 'no lamp') });
  }
} catch (error) {
  // What is refused on purpose.
  if (!(error instanceof ActionFailure)) throw error;
}
