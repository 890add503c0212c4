import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { configGet, configSet, noticeList, schemaSet } from '@majordomus/contracts';
import { silentLog, type Log } from '@majordomus/runtime';
import { folderOfEachTest } from '../../test/folder-of-each-test.ts';
import { copyDatabase } from '../backup/copy.ts';
import { openConnection } from '../file/connection.ts';
import { integrityOfFile } from '../file/integrity.ts';
import { Store } from './store.ts';
import type { ThreadData } from './thread-messages.ts';

const owner = { host: 'igor', plugin: 'velbus' } as const;
let path: string;
let backup: string;
folderOfEachTest((folder) => {
  path = join(folder, 'db', 'x.sqlite');
  backup = join(folder, 'backup.sqlite');
  mkdirSync(dirname(path));
});

const valuesOf = (value: string, count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, `${value} ${'x'.repeat(100)}`]));
/** Until what was overwritten is opened anew. */
async function untilOpen(store: Store): Promise<void> {
  await expect.poll(() => store.do(configGet, owner).then(() => true, () => false), { interval: 20, timeout: 30_000 }).toBe(true);
}
const notices = async (store: Store): Promise<string[]> => (await store.do(noticeList, {})).notices.map(({ text }) => text);
const overwritten = expect.stringMatching(/^see what writes to files of the house: .*x\.sqlite was written to by another program while the house ran \(\d{4}-\d\d-\d\dT\d\d:\d\dZ\); .*look through the configuration/) as string;

it('a database that is overwritten in place under a house in which nobody asks anything is read anew, whole again, and told', async () => {
  {
    await using store = await Store.open({ path, log: silentLog });
    await store.do(configSet, { ...owner, data: valuesOf('old', 50) });
    copyDatabase(path, backup);
    await store.do(configSet, { ...owner, data: valuesOf('newer', 100) });
  }
  const reopened = Promise.withResolvers<void>();
  const log: Log = Object.assign(Object.create(silentLog) as Log, { error: () => reopened.resolve() });
  await using store = await Store.open({ path, log, lookMs: 20, settleMs: 20 });
  await store.do(configSet, { ...owner, key: 'last', value: 1 });
  copyFileSync(backup, path);
  await reopened.promise;
  expect(await notices(store)).toContainEqual(overwritten);
  await store.do(configSet, { ...owner, key: 'after', value: 2 });
  expect(await store.do(configGet, { ...owner, key: 'after' })).toMatchObject({ value: 2 });
  expect(integrityOfFile(path).problems).toEqual([]);
});

it('what is asked before that is noticed is refused, and what only has another time loses nothing', async () => {
  const settleMs: (number | undefined)[] = [];
  const startThread = (workerData: ThreadData): Worker => {
    settleMs.push(workerData.settleMs);
    return new Worker(new URL('./store-thread.ts', import.meta.url), { workerData });
  };
  await using store = await Store.open({ path, log: silentLog, lookMs: 20, settleMs: 20, startThread });
  await store.do(configSet, { ...owner, data: valuesOf('old', 50) });
  utimesSync(path, 1, 1);
  await expect(store.do(configSet, { ...owner, key: 'one', value: 1 })).rejects.toMatchObject({ code: 'STORAGE_ERROR', message: expect.stringMatching(/was refused, and nothing was changed: .*another program.*do it again/) });
  await untilOpen(store);
  await store.do(configSet, { ...owner, key: 'one', value: 1 });
  expect(await store.do(configGet, owner)).toMatchObject({ data: { ...valuesOf('old', 50), one: 1 } });
  expect(await notices(store)).toEqual([overwritten]);
  // Who does it again and again is waited for longer.
  expect(settleMs).toEqual([20, 40]);
});

it('a damaged one is set aside as it was copied, the log of the house not in it', async () => {
  await using store = await Store.open({ path, log: silentLog, lookMs: 20, settleMs: 20 });
  await store.do(configSet, { ...owner, data: valuesOf('old', 50) });
  writeFileSync(backup, Buffer.alloc(100_000, 0xee));
  copyFileSync(backup, path);
  await untilOpen(store);
  const aside = readdirSync(dirname(path)).find((name) => /\.corrupt-[^.]*Z$/.test(name));
  expect(readFileSync(join(dirname(path), aside ?? '')).equals(readFileSync(backup))).toBe(true);
});

it('nothing is acknowledged into a log that is overwritten', async () => {
  const log = `${path}-wal`;
  await using store = await Store.open({ path, log: silentLog, lookMs: 600_000, settleMs: 20 });
  await store.do(configSet, { ...owner, key: 'one', value: 1 });
  const before = readFileSync(log);
  await store.do(configSet, { ...owner, key: 'two', value: 2 });
  writeFileSync(log, before);
  await expect(store.do(configSet, { ...owner, key: 'three', value: 3 })).rejects.toMatchObject({ code: 'STORAGE_ERROR' });
  await untilOpen(store);
  await store.do(configSet, { ...owner, key: 'three', value: 3 });
  expect(integrityOfFile(path).problems).toEqual([]);
  expect(await store.do(configGet, owner)).toMatchObject({ data: { one: 1, three: 3 } });
  expect(await notices(store)).toEqual([overwritten]);
});

it('what is overwritten just before the house stops stays as it is, and the next start tells why', async () => {
  {
    await using store = await Store.open({ path, log: silentLog, lookMs: 600_000 });
    await store.do(configSet, { ...owner, data: valuesOf('old', 50) });
    writeFileSync(backup, Buffer.alloc(100_000, 0xee));
    copyFileSync(backup, path);
  }
  expect(readFileSync(path).equals(readFileSync(backup))).toBe(true);
  for (let start = 0; start < 2; start++) {
    await using store = await Store.open({ path, log: silentLog });
    expect((await notices(store)).filter((text) => text.startsWith('see what writes'))).toEqual([overwritten]);
  }
});

it('what the house itself writes into the file is not another program’s', async () => {
  const told: unknown[] = [];
  const tell = (text: unknown): number => told.push(text);
  const log: Log = Object.assign(Object.create(silentLog) as Log, { error: tell, warn: tell });
  const connection = openConnection(path);
  // The file is written anew at the start, too.
  connection.exec('INSERT INTO scrub_due VALUES (0)');
  connection.close();
  await using store = await Store.open({ path, log, lookMs: 5 });
  expect(await notices(store)).toEqual([]);
  const before = statSync(path, { bigint: true }).mtimeNs;
  for (let round = 0; round < 6; round++) await store.do(configSet, { ...owner, data: valuesOf(`${round}`.repeat(2000), 400) });
  expect(statSync(path, { bigint: true }).mtimeNs).not.toBe(before);
  // Clears the file of plain text, which writes it anew.
  await store.do(schemaSet, { plugin: 'velbus', version: '1.0.0', items: { 'key-1': { type: 'string', description: 'secret now', example: 'x', secret: true } } });
  await store.do(configGet, owner);
  expect(readFileSync(`${path}-wal`).length).toBeLessThan(10_000);
  expect(await notices(store)).toEqual([]);
  expect(told).toEqual([]);
});
