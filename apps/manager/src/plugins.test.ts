// The plugins of a host with a real supervisor and a real bus, and workers in the place of dbmanager and packagemanager.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configGet, configSet, manifest, packageDetail, packageList, refuse, type ProcessState } from '@majordomus/contracts';
import { Broker, Client, Handlers, Worker } from '@majordomus/mq';
import { epochVariable, silentLog } from '@majordomus/runtime';
import { Supervisor } from '@majordomus/supervisor';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Epochs } from './epochs.ts';
import { MemoryLimits } from './memory-limits.ts';
import type { PackageDetail } from './plugin-program.ts';
import { Plugins } from './plugins.ts';
import { StartedPlugins } from './started-plugins.ts';

const host = 'igor';
const name = 'lamp';

let root: string;
let parts: AsyncDisposableStack;
let endpoint: string;
let client: Client;
let supervisor: Supervisor;
let plugins: Plugins;
let answers: boolean;
let installed: PackageDetail | undefined;
/** What dbmanager has for the manager. */
let values: Record<string, boolean>;
/** Called when packagemanager is asked for a package; it waits for what is returned. */
let onDetail: () => Promise<unknown>;
/** What dbmanager was given, in order. */
let written: unknown[];

/** A package on disk, as packagemanager tells of it: a program that runs until it is ended. */
function install(version: string): void {
  const folder = join(root, 'packages', name, version);
  mkdirSync(folder, { recursive: true });
  const description = 'A lamp';
  installed = { name, version, description, folder, manifest: manifest.parse({ name, version, description, engine: '*', exec: ['sleep', '600'] }) };
}

function uninstall(): void {
  rmSync(join(root, 'packages', name), { recursive: true });
  installed = undefined;
}

/** Ends its process from outside; it cannot be spawned again if its folder is gone. */
function kill(): void {
  const { pid } = supervisor.get(name);
  expect(pid).not.toBeNull();
  process.kill(pid ?? 0, 'SIGKILL');
}

/** A manager in this run of the house. */
async function startManager(run: string): Promise<void> {
  supervisor = parts.use(await Supervisor.open({
    owner: 'manager', runFolder: join(root, 'run'), logsFolder: join(root, 'logs'), log: silentLog, settings: { readyLimitMs: 500, askLimitMs: 100, firstBackoffMs: 50 },
  }));
  plugins = new Plugins({
    host, client, supervisor, memoryLimits: new MemoryLimits({ host, client, log: silentLog, defaultMb: 512 }), epochs: new Epochs({ home: root, log: silentLog }),
    started: new StartedPlugins({ home: root, run, log: silentLog }), env: { PATH: process.env['PATH'] }, log: silentLog,
  });
}

const until = async (...states: ProcessState[]): Promise<unknown> => await supervisor.until(name, states, { signal: AbortSignal.timeout(15_000) });
const listed = async (): Promise<unknown[]> => (await plugins.list()).map(({ version, state }) => ({ version, state }));

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'majordomus-manager-'));
  installed = undefined;
  answers = true;
  values = {};
  onDetail = () => Promise.resolve();
  written = [];
  parts = new AsyncDisposableStack();
  parts.defer(() => rmSync(root, { recursive: true, force: true }));
  ({ endpoint } = parts.use(await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' })));
  const serving = (service: string, handlers: Handlers): unknown => parts.use(new Worker({ endpoint, service, handlers }).start());
  // No answer in time and an answer that tells nothing are the same to the manager; this one needs no waiting.
  const answered = <T>(answer: T): T => {
    if (!answers) throw new TypeError('the disk does not answer');
    return answer;
  };
  serving('dbmanager', new Handlers()
    .on(configGet, ({ host: of, plugin }) => ({ host: of, plugin, data: values, defaults: [] }))
    .on(configSet, ({ host: of, plugin, ...change }) => {
      written.push('key' in change && { [change.key]: change.value });
      return { host: of, plugin };
    }));
  serving(`${host}.packagemanager`, new Handlers()
    .on(packageList, () => answered({ packages: installed === undefined ? [] : [installed] }))
    .on(packageDetail, async () => {
      await onDetail();
      answered(undefined);
      if (installed === undefined) throw refuse(packageDetail, 'PACKAGE_NOT_FOUND', 'no such plugin');
      return installed;
    }));
  client = parts.use(new Client({ endpoint }));
  await startManager('run 1');
});
afterEach(() => parts.disposeAsync());

describe('a plugin whose folder is gone', () => {
  beforeEach(async () => {
    install('1.0.0');
    expect(await plugins.start(name, AbortSignal.timeout(15_000))).toMatchObject({ state: 'not-ready' });
    // Its epoch is on disk before it is spawned, and a disk may be slower than its limit here.
    await expect.poll(() => supervisor.get(name).pid).not.toBeNull();
  });

  it('is let go of when it is not installed any more', async () => {
    uninstall();
    kill();
    await until('stopped');
    expect(await listed()).toEqual([]);
    await expect(plugins.status(name)).rejects.toMatchObject({ code: 'PLUGIN_NOT_FOUND' });
  });

  it('starts as the version that is installed by then', async () => {
    uninstall();
    install('2.0.0');
    kill();
    await until('backoff');
    await until('not-ready');
    // On a busy machine it is tried once more before packagemanager has answered.
    expect(await plugins.status(name)).toMatchObject({ version: '2.0.0', state: 'not-ready', lastError: expect.stringMatching(/killed|could not be spawned/) as string });
  });

  it('is kept while packagemanager does not answer, and runs on while its process does', async () => {
    uninstall();
    expect(await listed()).toEqual([{ version: '1.0.0', state: 'not-ready' }]);
    answers = false;
    kill();
    await until('failed');
    expect(await listed()).toEqual([{ version: '1.0.0', state: 'failed' }]);
    expect(await plugins.status(name)).toMatchObject({ version: '1.0.0', reason: expect.stringContaining('there is no folder') as string });
    answers = true;
    expect(await listed()).toEqual([]);
  });
});

it('a plugin that was stopped and uninstalled has no status any more, and can be installed again', async () => {
  install('1.0.0');
  await plugins.start(name, AbortSignal.timeout(15_000));
  await plugins.stop(name, AbortSignal.timeout(15_000));
  uninstall();
  await expect(plugins.status(name)).rejects.toMatchObject({ code: 'PLUGIN_NOT_FOUND' });
  install('2.0.0');
  await plugins.start(name, AbortSignal.timeout(15_000));
  expect(await listed()).toEqual([{ version: '2.0.0', state: 'not-ready' }]);
});

it('a plugin that is not for this version of Majordomus is not started, and runs on if it ran', async () => {
  install('1.0.0');
  if (installed !== undefined) installed = { ...installed, unfit: 'it works with Majordomus ^0.2.0' };
  await expect(plugins.start(name, AbortSignal.timeout(15_000))).rejects.toMatchObject({ code: 'ENGINE_MISMATCH', message: 'it works with Majordomus ^0.2.0' });
  expect(await listed()).toEqual([{ version: '1.0.0', state: 'stopped' }]);
  install('1.0.0');
  const { pid } = await plugins.start(name, AbortSignal.timeout(15_000));
  if (installed !== undefined) installed = { ...installed, unfit: 'it works with Majordomus ^0.2.0' };
  await expect(plugins.restart(name, AbortSignal.timeout(15_000))).rejects.toMatchObject({ code: 'ENGINE_MISMATCH' });
  expect(supervisor.get(name).pid).toBe(pid);
});

it('of what starts with the house, one that is not for this version of Majordomus is failed with its reason', async () => {
  install('1.0.0');
  if (installed !== undefined) installed = { ...installed, unfit: 'it works with Majordomus ^0.2.0' };
  values = { [`autostart.${name}`]: true };
  await plugins.startAll({ autostart: true }, AbortSignal.timeout(15_000));
  await expect(plugins.status(name)).resolves.toMatchObject({ state: 'failed', reason: 'it works with Majordomus ^0.2.0', pid: null });
});

it('whether a plugin starts with the house is told as a person has set it since', async () => {
  install('1.0.0');
  values = { [`autostart.${name}`]: true };
  await expect(plugins.list()).resolves.toMatchObject([{ autostart: true }]);
  values = { [`autostart.${name}`]: false };
  await expect(plugins.list()).resolves.toMatchObject([{ autostart: false }]);
  values = { [`autostart.${name}`]: true };
  await expect(plugins.status(name)).resolves.toMatchObject({ autostart: true });
});

it('a stop holds although the start before it still waits for packagemanager', async () => {
  install('1.0.0');
  await plugins.start(name, AbortSignal.timeout(15_000));
  await plugins.stop(name, AbortSignal.timeout(15_000));
  const asked = Promise.withResolvers<undefined>();
  const answer = Promise.withResolvers<undefined>();
  onDetail = () => {
    asked.resolve(undefined);
    return answer.promise;
  };
  const started = plugins.start(name, AbortSignal.timeout(15_000));
  await asked.promise;
  const stopped = plugins.stop(name, AbortSignal.timeout(15_000));
  // A stop that waited for nobody has been written down by then.
  await client.call(configGet, { host, plugin: 'manager' });
  answer.resolve(undefined);
  expect(await stopped).toMatchObject({ state: 'stopped' });
  await started;
  expect(written.slice(-2)).toEqual([{ [`autostart.${name}`]: true }, { [`autostart.${name}`]: false }]);
  expect(await plugins.status(name)).toMatchObject({ state: 'stopped' });
});

describe('what starts with the house, and whose package cannot be used,', () => {
  beforeEach(async () => {
    values = { [`autostart.${name}`]: true };
    await plugins.startAll({ autostart: true }, AbortSignal.timeout(15_000));
  });

  it('is failed, with what packagemanager says of it, until it is repaired', async () => {
    const failed = { name, version: '', state: 'failed', reason: 'no such plugin', autostart: true };
    expect(await plugins.list()).toMatchObject([failed]);
    expect(await plugins.status(name)).toMatchObject(failed);
    install('1.0.0');
    expect(await listed()).toEqual([{ version: '1.0.0', state: 'stopped' }]);
    expect(await plugins.start(name, AbortSignal.timeout(15_000))).toMatchObject({ state: 'not-ready' });
  });

  it('is told by a stop not to start any more', async () => {
    expect(await plugins.stop(name, AbortSignal.timeout(15_000))).toMatchObject({ state: 'stopped' });
    values = {};
    expect(await listed()).toEqual([]);
  });
});

describe('what ran under a manager that was killed, in a house that starts no plugins by itself,', () => {
  /** Its plugins end with a manager, and nobody has stopped them. */
  async function nextManager(run: string): Promise<void> {
    await supervisor[Symbol.asyncDispose]();
    await startManager(run);
  }

  beforeEach(async () => {
    install('1.0.0');
    values = { [`autostart.${name}`]: true };
    await plugins.startAll({ autostart: true }, AbortSignal.timeout(15_000));
  });

  it('runs under the next one, and is shown as starting until then', async () => {
    await nextManager('run 1');
    expect(await plugins.status(name)).toMatchObject({ state: 'starting', pid: null, reason: 'the manager was started anew' });
    await plugins.log(name, { lines: 1 });
    expect(await plugins.status(name)).toMatchObject({ state: 'starting' });
    await plugins.startAll({ autostart: false }, AbortSignal.timeout(15_000));
    expect(await plugins.status(name)).toMatchObject({ state: 'starting', reason: '' });
  });

  it('does not if it was stopped', async () => {
    await plugins.stop(name, AbortSignal.timeout(15_000));
    await nextManager('run 1');
    await plugins.startAll({ autostart: false }, AbortSignal.timeout(15_000));
    expect(await listed()).toEqual([{ version: '1.0.0', state: 'stopped' }]);
  });

  it('does not if it is stopped before the next one has come to it', async () => {
    await nextManager('run 1');
    await plugins.stop(name, AbortSignal.timeout(15_000));
    await plugins.startAll({ autostart: false }, AbortSignal.timeout(15_000));
    expect(await listed()).toEqual([{ version: '1.0.0', state: 'stopped' }]);
  });

  it('does not in another run of the house', async () => {
    await nextManager('run 2');
    await plugins.startAll({ autostart: false }, AbortSignal.timeout(15_000));
    expect(await listed()).toEqual([{ version: '1.0.0', state: 'stopped' }]);
  });
});

it('R15: a start has an epoch above the one that was run by hand, whose clock may be ahead', async () => {
  install('1.0.0');
  const epoch = Date.now() + 3_600_000;
  parts.use(new Worker({ endpoint, service: `${host}.${name}`, handlers: new Handlers(), epoch }).start());
  await expect.poll(() => client.manage('mmi.epoch', `${host}.${name}`)).toBe(String(epoch));
  await plugins.start(name, AbortSignal.timeout(15_000));
  // As above: its epoch is on disk before it is spawned.
  await expect.poll(() => supervisor.get(name).pid).not.toBeNull();
  expect(readFileSync(join(root, 'run', 'epochs', name), 'utf8')).toBe(`${epoch + 1}\n`);
  const { pid } = supervisor.get(name);
  if (existsSync('/proc/self/environ')) expect(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')).toContain(`${epochVariable}=${epoch + 1}`);
});
