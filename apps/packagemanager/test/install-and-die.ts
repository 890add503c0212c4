// A process that installs a package and is killed, as by a power cut, before the effect that it is told.
// Arguments: the folder of the packages, the source, the effect.
import { Installer } from '../src/installer.ts';
import { PackageStore, type BeforeEffect } from '../src/package-store.ts';
import { majordomusVersion, silentLog } from '@majordomus/runtime';

const [folder = '', source = '', deadly = ''] = process.argv.slice(2);

const beforeEffect: BeforeEffect = (effect) => {
  if (effect === deadly) process.kill(process.pid, 'SIGKILL');
};
const store = new PackageStore({ folder, log: silentLog, beforeEffect });
const installer = new Installer({
  store,
  npm: { cache: `${folder}-cache`, registry: 'http://127.0.0.1:9/' },
  registerSchema: async () => {},
  majordomusVersion,
  beforeEffect,
});
await installer.install({ job: 'job', source, signal: new AbortController().signal, progress: () => {} });
