import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { configDelete, configGet, configList, configSet, jsonValue, schemaGet, schemaSet, type JsonValue } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { owner, set, valueOf } from '../../test/asked-store.ts';
import { folderOfEachTest } from '../../test/folder-of-each-test.ts';
import { Store } from './store.ts';

let path: string;
folderOfEachTest((folder) => (path = join(folder, 'x.sqlite')));

const open = (): Promise<Store> => Store.open({ path, log: silentLog });

/** How many transactions stand in the write-ahead log: each ends with a frame that carries the size of the database (sqlite.org/fileformat2.html, 4.1). */
function commitsInLog(): number {
  const log = readFileSync(`${path}-wal`);
  const frameBytes = 24 + log.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + frameBytes <= log.length; at += frameBytes) {
    const isOfThisLog = log.readBigUInt64BE(at + 8) === log.readBigUInt64BE(16);
    if (isOfThisLog && log.readUInt32BE(at + 4) > 0) commits++;
  }
  return commits;
}

describe('the store', () => {
  it('does every action', async () => {
    await using store = await open();
    const items = { port: { type: 'integer', description: 'where', default: 1 } } as const;
    expect(await store.do(schemaSet, { plugin: 'velbus', version: '1.0.0', items })).toEqual({ plugin: 'velbus' });
    expect(await store.do(schemaGet, { plugin: 'velbus' })).toEqual({ plugin: 'velbus', version: '1.0.0', items });
    expect(await store.do(configGet, { ...owner, key: 'port' })).toEqual({ ...owner, key: 'port', value: 1, default: true });
    expect(await store.do(configSet, { ...owner, data: { port: 2 } })).toEqual(owner);
    expect(await store.do(configGet, owner)).toEqual({ ...owner, data: { port: 2 }, defaults: [] });
    expect(await store.do(configList, {})).toEqual({ configurations: [{ ...owner, keys: 1 }] });
    expect(await store.do(configDelete, owner)).toEqual({ ...owner, deleted: 1 });
  });

  it('refuses with an ActionFailure that has the code, the reason and the fields', async () => {
    await using store = await open();
    await store.do(schemaSet, { plugin: 'velbus', version: '1.0.0', items: {} });
    await expect(set(store, 'port', 1)).rejects.toMatchObject({
      name: 'ActionFailure',
      code: 'CONFIG_INVALID',
      message: 'velbus on igor: port: is not known; nothing can be set; nothing was changed',
      details: { fields: { port: 'is not known; nothing can be set' } },
    });
  });

  it('keeps the order of the calls, so that a read sees every earlier write', async () => {
    await using store = await open();
    const reads: Promise<unknown>[] = [];
    for (let value = 0; value < 300; value++) {
      void set(store, 'counter', value);
      reads.push(valueOf(store, 'counter'));
    }
    expect(await Promise.all(reads)).toEqual(reads.map((_, index) => index));
  });

  it('lets 256 concurrent writers share commits, each value on disk', async () => {
    await using store = await open();
    await set(store, 'first', 0);
    const before = commitsInLog();
    const commits = store.stats.commits;
    await Promise.all(Array.from({ length: 256 }, (_, index) => set(store, `key${index}`, index)));
    expect(store.stats.operations).toBe(257);
    expect(commitsInLog() - before).toBe(store.stats.commits - commits);
    expect(store.stats.commits - commits).toBeLessThanOrEqual(4);
    const result = await store.do(configGet, owner);
    expect('data' in result && Object.keys(result.data).length).toBe(257);
  });

  it('commits once for each write of one caller', async () => {
    await using store = await open();
    await set(store, 'first', 0);
    const before = commitsInLog();
    for (let value = 0; value < 20; value++) await set(store, 'counter', value);
    expect(commitsInLog() - before).toBe(20);
    expect(store.stats.commits).toBe(21);
  });

  it('takes values that are nested as deeply as the contract accepts, and nothing else fails beside them', async () => {
    await using store = await open();
    let depth = 3000;
    const nested = (): JsonValue => JSON.parse('[{"a":'.repeat(depth) + '1' + '}]'.repeat(depth)) as JsonValue;
    const isAccepted = (value: JsonValue): boolean => {
      try {
        return jsonValue.safeParse(value).success;
      } catch {
        return false;
      }
    };
    while (!isAccepted(nested())) depth -= 50;
    const value = nested();
    const beside = set(store, 'beside', 1);
    await store.do(configSet, { ...owner, key: 'deep', value });
    await beside;
    expect(JSON.stringify(await valueOf(store, 'deep'))).toBe(JSON.stringify(value));
  });

  it('bounds what one commit holds', async () => {
    await using store = await open();
    await Promise.all(Array.from({ length: 5000 }, (_, index) => set(store, 'counter', index)));
    expect(store.stats.batches).toBeGreaterThanOrEqual(5);
    expect(await valueOf(store, 'counter')).toBe(4999);
  });

  it('writes nothing for reads', async () => {
    await using store = await open();
    await set(store, 'counter', 1);
    const before = commitsInLog();
    await Promise.all(Array.from({ length: 50 }, () => valueOf(store, 'counter')));
    expect(commitsInLog()).toBe(before);
    expect(store.stats.commits).toBe(1);
  });

  it('finishes what was asked before it closes, and refuses what comes after', async () => {
    const store = await open();
    const asked = Array.from({ length: 100 }, (_, index) => set(store, `key${index}`, index));
    const closing = store.close();
    await expect(set(store, 'late', 1)).rejects.toMatchObject({ code: 'STOPPING' });
    await closing;
    expect(await Promise.allSettled(asked)).toEqual(asked.map(() => ({ status: 'fulfilled', value: owner })));
    await using again = await open();
    const result = await again.do(configGet, owner);
    expect('data' in result && Object.keys(result.data).length).toBe(100);
  });

  it('may be closed twice, at once and later', async () => {
    const store = await open();
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await store.ended;
  });

  it('closes the database in order: nothing is left in the write-ahead log', async () => {
    const store = await open();
    await set(store, 'counter', 1);
    await store.close();
    expect(() => readFileSync(`${path}-wal`)).toThrow(/ENOENT/);
  });

  it('does not open a file of another program, and ends', async () => {
    const other = new Sqlite(path);
    other.exec('CREATE TABLE theirs (x)');
    other.close();
    await expect(open()).rejects.toMatchObject({ name: 'StartError', code: 'CANNOT_START', message: expect.stringContaining('is a database of another program') });
  });
});
