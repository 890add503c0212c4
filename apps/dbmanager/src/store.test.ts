import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jsonValue, type JsonValue } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { temporaryFolder, type TemporaryFolder } from '../test/temporary-folder.ts';
import { openConnection } from './connection.ts';
import type { OperationResult } from './operation.ts';
import type { ThreadData } from './store-thread.ts';
import { Store } from './store.ts';

const owner = { host: 'igor', plugin: 'velbus' } as const;

let folder: TemporaryFolder;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, 'x.sqlite');
});
afterEach(() => folder[Symbol.dispose]());

const open = (): Promise<Store> => Store.open({ path, log: silentLog });
const set = (store: Store, key: string, value: number): Promise<OperationResult<'config.set'>> => store.set({ ...owner, key, value });
const valueOf = async (store: Store, key: string): Promise<unknown> => {
  const result = await store.get({ ...owner, key });
  return 'value' in result ? result.value : expect.unreachable();
};

/** A store whose threads the test holds. */
async function openWithThreads(): Promise<{ store: Store; threads: Worker[] }> {
  const threads: Worker[] = [];
  const startThread = (workerData: unknown): Worker => {
    const thread = new Worker(new URL('./store-thread.ts', import.meta.url), { workerData });
    threads.push(thread);
    return thread;
  };
  return { store: await Store.open({ path, log: silentLog, startThread }), threads };
}

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
    expect(await store.schemaSet({ plugin: 'velbus', version: '1.0.0', items })).toEqual({ plugin: 'velbus' });
    expect(await store.schemaGet({ plugin: 'velbus' })).toEqual({ plugin: 'velbus', version: '1.0.0', items });
    expect(await store.get({ ...owner, key: 'port' })).toEqual({ ...owner, key: 'port', value: 1, default: true });
    expect(await store.set({ ...owner, data: { port: 2 } })).toEqual(owner);
    expect(await store.get(owner)).toEqual({ ...owner, data: { port: 2 }, defaults: [] });
    expect(await store.list()).toEqual({ configurations: [{ ...owner, keys: 1 }] });
    expect(await store.delete(owner)).toEqual({ ...owner, deleted: 1 });
  });

  it('refuses with an ActionFailure that has the code, the reason and the fields', async () => {
    await using store = await open();
    await store.schemaSet({ plugin: 'velbus', version: '1.0.0', items: {} });
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
    const result = await store.get(owner);
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
    await store.set({ ...owner, key: 'deep', value });
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
    const result = await again.get(owner);
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

describe('the thread of the store', () => {
  it('that dies inside a transaction is replaced: what it held fails, what waited is done, what was acknowledged is there', async () => {
    const { store, threads } = await openWithThreads();
    await set(store, 'kept', 1);
    // Someone else's lock holds the thread at the begin of its transaction, until it is doomed.
    const other = new Sqlite(path);
    other.exec('BEGIN IMMEDIATE');
    const held = Promise.allSettled(Array.from({ length: 100 }, (_, index) => set(store, `held${index}`, index)));
    // One turn of the loop later the batch is with the thread.
    await new Promise(setImmediate);
    const waited = set(store, 'waited', 2);
    const dead = threads[0]?.terminate();
    other.exec('ROLLBACK');
    other.close();
    await dead;
    const failed = { status: 'rejected', reason: expect.objectContaining({ code: 'STORAGE_ERROR', message: expect.stringContaining('config.set may or may not be done') }) };
    expect(await held).toEqual(Array.from({ length: 100 }, () => failed));
    expect(await waited).toEqual(owner);
    expect(await store.get(owner)).toEqual({ ...owner, data: { kept: 1, waited: 2 }, defaults: [] });
    expect(threads.length).toBe(2);
    await store.close();
  });

  it('that dies idle is replaced as well', async () => {
    const { store, threads } = await openWithThreads();
    for (let value = 1; value <= 3; value++) {
      await set(store, 'counter', value);
      await threads.at(-1)?.terminate();
      expect(await valueOf(store, 'counter')).toBe(value);
    }
    expect(threads.length).toBe(4);
    await store.close();
  });

  it('that dies while the store closes leaves no promise pending', async () => {
    const { store, threads } = await openWithThreads();
    const asked = set(store, 'counter', 1);
    const closing = store.close();
    await Promise.all([closing, threads[0]?.terminate(), asked.catch(() => undefined)]);
  });

  it('that throws fails what it held with the reason', async () => {
    const connection = openConnection(path);
    connection.close();
    let first = true;
    const startThread = (workerData: unknown): Worker => {
      const broken = `
        const { parentPort } = require('node:worker_threads');
        parentPort.on('message', () => { throw new RangeError('out of luck') });
        parentPort.postMessage({ kind: 'opened' });
      `;
      const thread = first ? new Worker(broken, { eval: true }) : new Worker(new URL('./store-thread.ts', import.meta.url), { workerData });
      first = false;
      return thread;
    };
    await using store = await Store.open({ path, log: silentLog, startThread });
    await expect(set(store, 'counter', 1)).rejects.toMatchObject({ code: 'STORAGE_ERROR', message: expect.stringContaining('out of luck') });
    expect(await set(store, 'counter', 2)).toEqual(owner);
  });

  it('under which the disk has failed is replaced, and every later one knows it: what is in the log is not trusted', async () => {
    openConnection(path).close();
    const known: boolean[] = [];
    const startThread = (workerData: ThreadData): Worker => {
      const failing = `
        const { parentPort } = require('node:worker_threads');
        parentPort.on('message', () => {
          parentPort.postMessage({ kind: 'renew', text: 'the disk failed', why: 'failed disk' });
          parentPort.postMessage({ kind: 'done', outcomes: [JSON.stringify({ done: false, refusal: { code: 'STORAGE_ERROR', reason: 'no', details: {} } })], committed: false });
          parentPort.close();
        });
        parentPort.postMessage({ kind: 'opened' });
      `;
      known.push(workerData.hasDiskFailed);
      return known.length <= 2 ? new Worker(known.length === 1 ? failing : failing.replace('failed disk', 'room again'), { eval: true }) : new Worker(new URL('./store-thread.ts', import.meta.url), { workerData });
    };
    await using store = await Store.open({ path, log: silentLog, startThread });
    for (let failure = 0; failure < 2; failure++) await expect(set(store, 'counter', 1)).rejects.toMatchObject({ code: 'STORAGE_ERROR' });
    expect(await set(store, 'counter', 2)).toEqual(owner);
    expect(known).toEqual([false, true, true]);
  });

  it('that dies again and again is given up: every operation ends, and the store says that it is lost', async () => {
    const threads: Worker[] = [];
    const startThread = (workerData: unknown): Worker => {
      const thread = threads.length === 0 ? new Worker(new URL('./store-thread.ts', import.meta.url), { workerData }) : new Worker('process.exit(3)', { eval: true });
      threads.push(thread);
      return thread;
    };
    const store = await Store.open({ path, log: silentLog, startThread });
    const asked = [set(store, 'a', 1), set(store, 'b', 2)];
    const ends = Promise.allSettled(asked);
    await threads[0]?.terminate();
    await expect(store.ended).rejects.toMatchObject({ name: 'StoreLost', code: 'STORE_LOST', message: expect.stringContaining('ended 6 times within 60 s, last because: exit code 3') });
    expect(await ends).toEqual(asked.map(() => ({ status: 'rejected', reason: expect.objectContaining({ code: 'STORAGE_ERROR' }) })));
    await expect(set(store, 'late', 1)).rejects.toMatchObject({ code: 'STOPPING' });
    expect(threads.length).toBe(6);
    await store.close();
  });
});
