// A process that installs a package and is killed, as by a power cut, before the effect that it is told.
// Arguments: the folder of the packages, the source, the effect.
import { Fetcher } from '../src/fetch.ts';
import { GitFetcher } from '../src/git-fetch.ts';
import { Installer } from '../src/installer.ts';
import { copyLimits as limits } from '../src/package-copy.ts';
import { PackageStore, type BeforeEffect } from '../src/package-store.ts';
import { Uploads } from '../src/uploads.ts';
import { majordomusVersion, silentLog } from '@majordomus/runtime';

const [folder = '', source = '', deadly = ''] = process.argv.slice(2);

const beforeEffect: BeforeEffect = (effect) => {
  if (effect === deadly) process.kill(process.pid, 'SIGKILL');
};
const store = new PackageStore({ folder, log: silentLog, beforeEffect });
const npm = { cache: `${folder}-cache/npm`, registry: 'http://127.0.0.1:9/' };
using uploads = new Uploads({ folder: `${folder}/.staging/uploads`, maxBytes: limits.bytes });
const fetcher = new Fetcher({ npm, git: new GitFetcher({ cache: `${folder}-cache/git` }), uploads, limits });
const installer = new Installer({
  store,
  fetcher,
  npm,
  registerSchema: async () => {},
  majordomusVersion,
  beforeEffect,
});
await installer.install({ job: 'job', source, signal: new AbortController().signal, progress: () => {} });
