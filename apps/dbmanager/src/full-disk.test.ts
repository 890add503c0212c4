// On a real file system of a few MiB, mounted for the test: what a full disk does to a real dbmanager, and what it does not.
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupMake, configGet, configSet, schemaGet } from '@majordomus/contracts';
import { Broker, Client } from '@majordomus/mq';
import { homePaths, silentLog } from '@majordomus/runtime';
import { temporaryFolder, type TemporaryFolder } from '../test/temporary-folder.ts';
import { backupsIn } from './backup/backup-files.ts';
import { Backups } from './backup/backups.ts';
import { readSettings } from './config.ts';
import { integrityOfFile } from './file/integrity.ts';
import { start } from './service.ts';

const owner = { host: 'igor', plugin: 'velbus' };
const diskMib = 12;
const full = { code: 'STORAGE_FULL' };

let folder: TemporaryFolder;
let home: string;
let broker: Broker;
let client: Client;
/** Of every dbmanager that was started: one that a failed test has left must not hold the disk. */
let stops: (() => Promise<void>)[] = [];

/** Why these tests cannot run here; undefined if they can, or if they must (tools/system-programs.txt). */
function whyNot(): string | undefined {
  if (process.env['CI'] === 'true') return undefined;
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a file system is mounted, for which Linux and root are needed';
  using probe = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe.path], { stdio: 'pipe' });
    execFileSync('umount', [probe.path]);
    return undefined;
  } catch (error) {
    return `no file system can be mounted: ${String(error)}`;
  }
}

const reason = whyNot();
if (reason !== undefined) console.warn(`left out: ${reason}`);

/** Takes all room but `leaveBytes` from the disk. */
function fillDisk(leaveBytes = 0): void {
  const file = openSync(join(folder.path, 'filler'), 'a');
  const block = Buffer.alloc(4096);
  try {
    while (freeBytes() > leaveBytes) writeSync(file, block);
  } catch {
    // It is full.
  } finally {
    closeSync(file);
  }
}

function freeDisk(): void {
  rmSync(join(folder.path, 'filler'));
}

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(folder.path);
  return bavail * bsize;
}

async function running(...args: string[]): Promise<{ stop: () => Promise<void> }> {
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  const ended = start(readSettings(['--home', home, '--broker', broker.endpoint, ...args], {}), { signal: stopping.signal, log: silentLog, ready: () => ready.resolve(), notReady: () => undefined });
  const stop = (): Promise<void> => {
    stopping.abort();
    return ended;
  };
  stops.push(stop);
  await Promise.race([ready.promise, ended]);
  return { stop };
}

const set = (key: string, value: string): Promise<unknown> => client.call(configSet, { ...owner, key, value });
const get = (key: string): Promise<unknown> => client.call(configGet, { ...owner, key });

beforeEach(async () => {
  folder = temporaryFolder();
  if (reason === undefined) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMib}m`, 'tmpfs', folder.path]);
  home = join(folder.path, 'home');
  broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
  client = new Client({ endpoint: broker.endpoint });
});
afterEach(async () => {
  await Promise.allSettled(stops.map((stop) => stop()));
  stops = [];
  await client.close();
  await broker.close();
  if (reason === undefined) execFileSync('umount', [folder.path]);
  folder[Symbol.dispose]();
});

describe.skipIf(reason !== undefined)('a full disk', () => {
  it.each([['with room left alone', '4'], ['to the last byte', '0']])('%s refuses every write, reads go on, and all is well when there is room again', async (_what, minFreeMib) => {
    const dbmanager = await running('--min-free-mib', minFreeMib);
    await set('kept', 'before');
    fillDisk();
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => set(`big-${index}`, 'x'.repeat(60_000))));
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(failures.length).toBeGreaterThan(0);
    for (const failure of failures) expect(failure).toMatchObject(full);
    const acknowledged = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [`big-${index}`] : []));
    expect(await get('kept')).toMatchObject({ value: 'before' });
    freeDisk();
    await set('kept', 'after');
    await dbmanager.stop();
    const again = await running('--min-free-mib', minFreeMib);
    expect(await get('kept')).toMatchObject({ value: 'after' });
    for (const key of acknowledged) expect(await get(key)).toMatchObject({ value: 'x'.repeat(60_000) });
    await again.stop();
    expect(integrityOfFile(homePaths(home).database).problems).toEqual([]);
  });

  it('at the start: it is only read, and written to when there is room again, without another start', async () => {
    const dbmanager = await running('--min-free-mib', '1');
    await set('kept', 'before');
    await dbmanager.stop();
    fillDisk();
    expect(freeBytes()).toBe(0);
    const again = await running('--min-free-mib', '1');
    expect(await get('kept')).toMatchObject({ value: 'before' });
    await expect(set('kept', 'after')).rejects.toMatchObject(full);
    await expect(client.call(schemaGet, { plugin: 'velbus' })).rejects.toMatchObject({ code: 'SCHEMA_NOT_FOUND' });
    freeDisk();
    await client.call(configGet, owner);
    await set('kept', 'after');
    await again.stop();
    expect(integrityOfFile(homePaths(home).database).problems).toEqual([]);
  });

  it('has no backup of no bytes: none is made, and those that are there stay', async () => {
    const dbmanager = await running('--min-free-mib', '0');
    await set('kept', 'x'.repeat(100_000));
    const { database, backups: backupFolder } = homePaths(home);
    await using backups = new Backups({ path: database, folder: backupFolder, keep: 1, minFreeBytes: 0, log: silentLog });
    const first = await backups.look();
    expect(first).toBeDefined();
    const bytes = readFileSync(join(backupFolder, first ?? ''));
    // The room of the rule, and less than the copy needs: the copy itself fails.
    for (const leave of [0, 64 * 1024]) {
      fillDisk(leave);
      let now = Date.now() + 2 * 86_400_000;
      await using later = new Backups({ path: database, folder: backupFolder, keep: 1, minFreeBytes: 0, log: silentLog, clock: { wallMs: () => now++, monotonicMs: () => performance.now() } });
      expect(await later.look()).toBeUndefined();
      await expect(client.call(backupMake, {})).rejects.toMatchObject(full);
      expect(readdirSync(backupFolder)).toEqual([first]);
      freeDisk();
    }
    expect(readFileSync(join(backupFolder, first ?? '')).equals(bytes)).toBe(true);
    const { file } = await client.call(backupMake, {});
    expect(integrityOfFile(file).problems).toEqual([]);
    await dbmanager.stop();
  });

  it('during a recovery leaves the damaged files, and the next start with room recovers', async () => {
    const dbmanager = await running('--min-free-mib', '0');
    await set('kept', 'x'.repeat(100_000));
    await dbmanager.stop();
    const { database } = homePaths(home);
    const bytes = readFileSync(database);
    bytes.fill(0, 0, 100);
    writeFileSync(database, bytes);
    fillDisk();
    await expect(running('--min-free-mib', '0')).rejects.toMatchObject({ code: 'CANNOT_START', message: expect.stringMatching(/cannot be recovered.*free some room/) });
    expect(readFileSync(database).equals(bytes)).toBe(true);
    freeDisk();
    const again = await running('--min-free-mib', '0');
    expect(await get('kept')).toMatchObject({ value: 'x'.repeat(100_000) });
    expect(readdirSync(dirname(database)).some((name) => name.includes('.corrupt-'))).toBe(true);
    await again.stop();
  });
});

describe('the backups', () => {
  it('are made once a day by the clock on the wall, kept in number, and whole', async () => {
    const { database, backups: folderOf } = homePaths(home);
    mkdirSync(dirname(database), { recursive: true });
    const dbmanager = await running();
    await set('kept', 'before');
    let wallMs = Date.UTC(2026, 10, 1);
    let monotonicMs = 0;
    await using backups = new Backups({ path: database, folder: folderOf, keep: 3, minFreeBytes: 0, log: silentLog, clock: { wallMs: () => wallMs, monotonicMs: () => monotonicMs } });
    for (let day = 0; day < 5; day++) {
      expect(await backups.look()).toBeDefined();
      expect(await backups.look()).toBeUndefined();
      wallMs += 86_400_000;
      monotonicMs += 86_400_000;
    }
    const made = backupsIn(folderOf).map(({ file }) => file);
    expect(made).toEqual(['majordomus-2026-11-03T00-00-00Z.sqlite', 'majordomus-2026-11-04T00-00-00Z.sqlite', 'majordomus-2026-11-05T00-00-00Z.sqlite']);
    for (const file of made) expect(integrityOfFile(join(folderOf, file)).problems).toEqual([]);
    expect(existsSync(join(folderOf, 'majordomus-2026-11-05T00-00-00Z.sqlite.unfinished'))).toBe(false);
    await dbmanager.stop();
  });
});
