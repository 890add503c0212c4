import { copyFileSync, existsSync, mkdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { configGet, configSet, noticeList } from '@majordomus/contracts';
import { silentLog, type Log } from '@majordomus/runtime';
import { temporaryFolder, type TemporaryFolder } from '../../test/temporary-folder.ts';
import { copyDatabase } from '../backup/copy.ts';
import { applicationId } from '../file/connection.ts';
import { Store } from './store.ts';

const owner = { host: 'igor', plugin: 'velbus' } as const;
let folder: TemporaryFolder;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, 'db', 'x.sqlite');
  mkdirSync(dirname(path));
});
afterEach(() => folder[Symbol.dispose]());

it('a database that is gone under a house in which nobody asks anything is there again, with all that was acknowledged, and is written to', async () => {
  await using store = await Store.open({ path, log: silentLog, lookMs: 20 });
  await store.do(configSet, { ...owner, key: 'one', value: 1 });
  // In one step, so that it is not noticed halfway.
  renameSync(dirname(path), join(folder.path, 'away'));
  await expect.poll(() => existsSync(path), { timeout: 15_000 }).toBe(true);
  await store.do(configSet, { ...owner, key: 'two', value: 2 });
  expect(await store.do(configGet, owner)).toMatchObject({ data: { one: 1, two: 2 } });
  expect((await store.do(noticeList, {})).notices).toEqual([expect.objectContaining({ text: expect.stringContaining('was deleted while the house ran') as string })]);
  expect(store.stats.operations).toBe(4);
});

it('while it cannot be written anew it is read and not written to, one error says so, and it is tried until it is done', async () => {
  const errors: unknown[] = [];
  const log: Log = Object.assign(Object.create(silentLog) as Log, { error: (text: unknown) => void errors.push(text) });
  await using store = await Store.open({ path, log, lookMs: 20 });
  await store.do(configSet, { ...owner, key: 'one', value: 1 });
  const inTheWay = `${path}.recovering`;
  mkdirSync(inTheWay);
  rmSync(path);
  const refused = { code: 'STORAGE_ERROR', message: expect.stringContaining('was deleted while the house ran') as string };
  await expect.poll(() => errors, { timeout: 15_000 }).toEqual([expect.stringMatching(/cannot be written anew: .*this is tried again/)]);
  await expect(store.do(configSet, { ...owner, key: 'two', value: 2 })).rejects.toMatchObject(refused);
  expect(await store.do(configGet, owner)).toMatchObject({ data: { one: 1 } });
  rmdirSync(inTheWay);
  await expect.poll(() => existsSync(path), { timeout: 15_000 }).toBe(true);
  await store.do(configSet, { ...owner, key: 'two', value: 2 });
  expect(await store.do(configGet, owner)).toMatchObject({ data: { one: 1, two: 2 } });
  expect(errors).toEqual([expect.stringContaining('this is tried again'), expect.stringContaining('opened anew')]);
});

it('one that is deleted just before the house stops is written anew', async () => {
  const store = await Store.open({ path, log: silentLog, lookMs: 600_000 });
  await store.do(configSet, { ...owner, key: 'one', value: 1 });
  rmSync(path);
  await store.close();
  await using again = await Store.open({ path, log: silentLog });
  expect(await again.do(configGet, owner)).toMatchObject({ data: { one: 1 } });
});

it('the index of its log is needed by nobody: without it all is written on, and found by a backup, and after a kill or a stop', async () => {
  const all = { data: { one: 1, two: 2 } };
  const valuesAt = async (at: string): Promise<unknown> => {
    await using store = await Store.open({ path: at, log: silentLog });
    return await store.do(configGet, owner);
  };
  {
    await using store = await Store.open({ path, log: silentLog });
    await store.do(configSet, { ...owner, key: 'one', value: 1 });
    rmSync(`${path}-shm`);
    await store.do(configSet, { ...owner, key: 'two', value: 2 });
    expect(await store.do(configGet, owner)).toMatchObject(all);
    const backup = join(folder.path, 'backup');
    copyDatabase(path, backup);
    expect(await valuesAt(backup)).toMatchObject(all);
    const killed = join(folder.path, 'killed');
    for (const part of ['', '-wal']) copyFileSync(path + part, killed + part);
    expect(await valuesAt(killed)).toMatchObject(all);
    expect((await store.do(noticeList, {})).notices).toEqual([]);
  }
  expect(await valuesAt(path)).toMatchObject(all);
});

it('what replaced it is used, and a notice in it says so', async () => {
  await using store = await Store.open({ path, log: silentLog, lookMs: 600_000 });
  await store.do(configSet, { ...owner, key: 'one', value: 1 });
  const backup = join(folder.path, 'backup');
  copyDatabase(path, backup);
  await store.do(configSet, { ...owner, key: 'one', value: 2 });
  renameSync(backup, path);
  await expect(store.do(configSet, { ...owner, key: 'two', value: 2 })).rejects.toMatchObject({ code: 'STORAGE_ERROR' });
  expect(await store.do(configGet, owner)).toMatchObject({ data: { one: 1 } });
  expect((await store.do(noticeList, {})).notices).toEqual([expect.objectContaining({ text: expect.stringMatching(/was replaced by another file while the house ran; that other file is used now, and what was in the old one is kept as /) as string })]);
});

it('what replaced it and cannot be opened ends the store at once, with the reason', async () => {
  const newer = join(folder.path, 'newer');
  const connection = new Sqlite(newer);
  connection.pragma(`application_id = ${applicationId}`);
  connection.pragma('user_version = 99');
  connection.exec('CREATE TABLE config (key)');
  connection.close();
  await using store = await Store.open({ path, log: silentLog, lookMs: 20 });
  renameSync(newer, path);
  await expect(store.ended).rejects.toMatchObject({ name: 'StoreLost', cause: { name: 'StartError', code: 'DATABASE_TOO_NEW' } });
});

it('is there again with the folder that the process was in', async () => {
  const before = process.cwd();
  process.chdir(dirname(path));
  try {
    let wasLost = false;
    const log: Log = Object.assign(Object.create(silentLog) as Log, { warn: () => void (wasLost = true) });
    await using store = await Store.open({ path, log, lookMs: 20 });
    await store.do(configSet, { ...owner, key: 'one', value: 1 });
    rmSync(dirname(path), { recursive: true });
    await expect.poll(() => wasLost, { timeout: 15_000 }).toBe(true);
    expect(await store.do(configGet, owner)).toMatchObject({ data: { one: 1 } });
    expect(process.cwd()).toBe(dirname(path));
    expect(statSync('.').nlink).toBeGreaterThan(0);
  } finally {
    process.chdir(before);
  }
});
