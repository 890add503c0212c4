import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, statSync, truncateSync, utimesSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Clock } from '@majordomus/runtime';
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

describe('another program writes to the file', () => {
  let nowMs = 0;
  const clock: Clock = { monotonicMs: () => nowMs, wallMs: () => Date.UTC(2026, 10, 22, 3, 4, 5) };
  const guardOf = (house: OpenDatabase, checkpointMs = 0): GuardedDatabase =>
    new GuardedDatabase(house.database, house.connection, { room, isWithoutRoom: false, hasDiskFailed: false, settleMs: 1000, checkpointMs, clock });
  /** What the guard says so many milliseconds later. */
  const after = (guarded: GuardedDatabase, ms: number): unknown => {
    nowMs += ms;
    return guarded.run([]).renew?.why;
  };

  it.each([
    ['brings the log into it', "wal_checkpoint(PASSIVE)"],
    ['brings all of the log into it', "wal_checkpoint(FULL)"],
    ['empties the log', "wal_checkpoint(TRUNCATE)"],
    ['commits and empties the log', "user_version = 2; PRAGMA wal_checkpoint(TRUNCATE)"],
    ['empties the log and commits', "wal_checkpoint(TRUNCATE); PRAGMA user_version = 2"],
  ])('through SQLite, and %s: that is no alarm', (_what, pragmas) => {
    using house = new OpenDatabase();
    const guarded = guardOf(house);
    guarded.run([set]);
    const before = statSync(house.path, { bigint: true }).mtimeNs;
    const program = `const Sqlite = require('better-sqlite3'); const other = new Sqlite(process.argv[1]); other.exec(process.argv[2]); other.close();`;
    execFileSync(process.execPath, ['-e', program, house.path, `PRAGMA ${pragmas}`], { cwd: import.meta.dirname });
    expect(statSync(house.path, { bigint: true }).mtimeNs).not.toBe(before);
    expect(guarded.run([set]).outcomes).toEqual([done(owner)]);
    expect(after(guarded, 5000)).toBeUndefined();
    // And afterwards it is noticed still.
    utimesSync(house.path, 1, 1);
    expect([after(guarded, 0), after(guarded, 1000)]).toEqual([undefined, 'overwritten']);
  });

  it('through SQLite, and is not done yet: a request waits for it', async () => {
    using house = new OpenDatabase();
    const guarded = guardOf(house, 60_000);
    guarded.run([set]);
    // As a checkpoint does on a slow disk: it says so last.
    const program = `
      const other = new (require('better-sqlite3'))(process.argv[1]);
      require('fs').utimesSync(process.argv[1], 1, 1);
      console.log('writing');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      other.pragma('wal_checkpoint(PASSIVE)');
      other.close();`;
    const other = spawn(process.execPath, ['-e', program, house.path], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(other, 'exit');
    await once(other.stdout, 'data');
    expect(guarded.run([]).renew).toBeUndefined();
    expect(guarded.run([set]).outcomes).toEqual([done(owner)]);
    await ended;
  });

  it('past SQLite, bit by bit: it is opened anew when nobody has written for a while, and refused until then', () => {
    using house = new OpenDatabase();
    const guarded = guardOf(house);
    guarded.run([set]);
    truncateSync(house.path);
    expect(after(guarded, 900)).toBeUndefined();
    for (let part = 0; part < 20; part++) {
      appendFileSync(house.path, 'part');
      expect(after(guarded, 900)).toBeUndefined();
    }
    expect(guarded.run([set])).toMatchObject({ committed: false, outcomes: [refusal('STORAGE_ERROR', expect.stringContaining('another program'))] });
    expect(after(guarded, 99)).toBeUndefined();
    expect(after(guarded, 1000)).toBe('overwritten');
    expect(guarded.run([]).renew?.notice).toContain('(2026-11-22T03:04Z)');
  });

  it('on and on, and its size stays: it is opened anew in the end', () => {
    using house = new OpenDatabase();
    const guarded = guardOf(house);
    const why = Array.from({ length: 7 }, (_, second) => {
      utimesSync(house.path, second, second);
      return after(guarded, 999);
    });
    expect(why).toEqual([undefined, undefined, undefined, undefined, undefined, undefined, 'overwritten']);
  });

  it('past SQLite: what is due from time to time waits', () => {
    using house = new OpenDatabase();
    const guarded = guardOf(house);
    house.connection.exec('INSERT INTO scrub_due VALUES (0)');
    guarded.run([set]);
    utimesSync(house.path, 1, 1);
    expect(guarded.maintain()).toEqual([]);
    expect(house.connection.prepare('SELECT count(*) FROM scrub_due').pluck().get()).toBe(1);
  });
});

function closing(connection: Sqlite.Database): Sqlite.Database & Disposable {
  return Object.assign(connection, { [Symbol.dispose]: () => void connection.close() });
}
