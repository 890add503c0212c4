import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { configGet } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { owner, set, valueOf } from '../../test/asked-store.ts';
import { folderOfEachTest } from '../../test/folder-of-each-test.ts';
import { openConnection } from '../file/connection.ts';
import { Store } from './store.ts';
import type { ThreadData } from './thread-messages.ts';

let path: string;
folderOfEachTest((folder) => (path = join(folder, 'x.sqlite')));

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
    expect(await store.do(configGet, owner)).toEqual({ ...owner, data: { kept: 1, waited: 2 }, defaults: [] });
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

  it('that cannot open the database any more is no wrong setting of the process, which would be the end for its supervisor', async () => {
    const threads: Worker[] = [];
    const startThread = (workerData: unknown): Worker => {
      const refused = `require('node:worker_threads').parentPort.postMessage({ kind: 'refused', code: 'CANNOT_START', message: 'no room on the disk' })`;
      const thread = threads.length === 0 ? new Worker(new URL('./store-thread.ts', import.meta.url), { workerData }) : new Worker(refused, { eval: true });
      threads.push(thread);
      return thread;
    };
    const store = await Store.open({ path, log: silentLog, startThread });
    await threads[0]?.terminate();
    await expect(store.ended).rejects.toMatchObject({ name: 'StoreLost', code: 'STORE_LOST', message: 'the database cannot be opened any more: no room on the disk', cause: { code: 'CANNOT_START' } });
    await expect(set(store, 'late', 1)).rejects.toMatchObject({ code: 'STOPPING' });
    await store.close();
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
