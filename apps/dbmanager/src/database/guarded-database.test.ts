import { statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { OpenDatabase, done, owner, refusal } from '../../test/open-database.ts';
import type { Operation } from '../actions.ts';
import { leastBytes, type Room } from '../file/room.ts';
import { GuardedDatabase } from './guarded-database.ts';

const room: Room = { shortage: () => undefined, freeBytes: () => Infinity };
const set: Operation = { action: 'config.set', data: { ...owner, key: 'name', value: 'ann' } };

/** Somebody who looks into the file, and so needs what is in the log, with a commit behind it. */
function readerOf(house: OpenDatabase): Sqlite.Database {
  const reader = new Sqlite(house.path, { readonly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT * FROM config').all();
  house.set({ name: 'bea' });
  return reader;
}

it('somebody who reads the file when it is opened keeps nobody from writing', () => {
  using house = new OpenDatabase();
  house.set({ name: 'old' });
  using reader = closing(readerOf(house));
  expect(reader.open).toBe(true);
  const startMs = performance.now();
  const guarded = new GuardedDatabase(house.database, house.connection, { room, isWithoutRoom: false, hasDiskFailed: false });
  expect(guarded.run([set])).toMatchObject({ outcomes: [done(owner)], committed: true });
  expect(performance.now() - startMs).toBeLessThan(4000);
  expect(house.values()).toEqual({ name: 'ann' });
});

it('after the disk has failed nothing is written while somebody reads the file, until the log can be emptied', () => {
  using house = new OpenDatabase();
  house.set({ name: 'old' });
  using reader = closing(readerOf(house));
  const guarded = new GuardedDatabase(house.database, house.connection, { room, isWithoutRoom: false, hasDiskFailed: true });
  for (let tries = 0; tries < 2; tries++) {
    expect(guarded.run([set]).outcomes).toEqual([refusal('STORAGE_ERROR', expect.stringContaining('what was written before cannot be brought into the database file (another program reads it; close that one)'))]);
  }
  expect(house.values()).toEqual({ name: 'bea' });
  reader.close();
  expect(guarded.run([set]).outcomes).toEqual([done(owner)]);
  expect(statSync(`${house.path}-wal`).size).toBeGreaterThan(0);
});

it('what was opened without room is opened anew when there is enough, also where nothing is left alone', () => {
  using house = new OpenDatabase();
  let free = 0;
  const guarded = new GuardedDatabase(house.database, house.connection, { room: { ...room, freeBytes: () => free }, isWithoutRoom: true, hasDiskFailed: false });
  const get: Operation = { action: 'config.list', data: {} };
  expect(guarded.run([get]).renew).toBeUndefined();
  free = leastBytes;
  expect(guarded.run([get]).renew).toMatchObject({ why: 'room again' });
});

function closing(connection: Sqlite.Database): Sqlite.Database & Disposable {
  return Object.assign(connection, { [Symbol.dispose]: () => void connection.close() });
}
