// The files of the database are deleted or replaced while it is open: nothing more is acknowledged into what nobody finds any more, and
// nothing that was is lost.
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { noticesIn } from '../../test/damaged-home.ts';
import { done, OpenDatabase, owner, refusal } from '../../test/open-database.ts';
import type { Operation } from '../actions.ts';
import { GuardedDatabase } from '../database/guarded-database.ts';
import { integrityOf } from '../file/integrity.ts';

const room = { shortage: () => undefined, freeBytes: () => Infinity };
const set: Operation = { action: 'config.set', data: { ...owner, key: 'two', value: 2 } };
const get: Operation = { action: 'config.get', data: { ...owner, key: 'one' } };

/** The guard of a database with a value that stands in its log alone; what is done to its files is seen by it. */
function guardAfter(house: OpenDatabase, harm: () => void): GuardedDatabase {
  house.set({ one: 0 });
  const guarded = new GuardedDatabase(house.database, house.connection, { room, isWithoutRoom: false, hasDiskFailed: false });
  house.set({ one: 1 });
  expect(guarded.run([get]).renew).toBeUndefined();
  harm();
  const { outcomes, committed, renew } = guarded.run([set, get]);
  expect({ outcomes, committed }).toEqual({ outcomes: [refusal('STORAGE_ERROR', expect.stringMatching(/^config\.set of vault on igor was refused, and nothing was changed: .* while the house ran; it is written anew: do it again, and see the log of dbmanager if that fails, too$/)), done({ ...owner, key: 'one', value: 1 })], committed: false });
  expect(renew?.why).toBe('lost files');
  return guarded;
}

const rescue = (guarded: GuardedDatabase, { nowMs: wallMs }: OpenDatabase): string | undefined => guarded.rescue({ wallMs, isLast: false });
const names = (house: OpenDatabase): string[] => readdirSync(dirname(house.path)).sort();

describe('what was deleted', () => {
  it.each([
    ['with its log', ['', '-wal', '-shm'], 'x.sqlite'],
    ['but for its log', [''], 'x.sqlite'],
    ['of its log alone', ['-wal'], 'x.sqlite-wal'],
  ])('%s, is written anew from what is open', (_what, parts, deleted) => {
    using house = new OpenDatabase();
    const guarded = guardAfter(house, () => {
      for (const part of parts) rmSync(house.path + part);
    });
    const text = `see what deletes files of the house: ${join(dirname(house.path), deleted)} was deleted while the house ran; the database was written anew from what was still open, and nothing is missing`;
    expect(rescue(guarded, house)).toBe(text);
    expect(names(house)).toEqual(['x.sqlite']);
    expect(statSync(house.path).mode & 0o777).toBe(0o600);
    house.reopen();
    expect(house.values()).toEqual({ one: 1 });
    expect(noticesIn(house.connection)).toEqual([text]);
    expect(integrityOf(house.connection).problems).toEqual([]);
  });

  it('with its folder, has it again', () => {
    using house = new OpenDatabase();
    rescue(guardAfter(house, () => rmSync(dirname(house.path), { recursive: true })), house);
    house.reopen();
    expect(house.values()).toEqual({ one: 1 });
  });

  it('stays open where it cannot be written anew, and is read and tried again', () => {
    using house = new OpenDatabase();
    const inTheWay = `${house.path}.recovering`;
    const guarded = guardAfter(house, () => rmSync(house.path));
    mkdirSync(inTheWay);
    for (let tries = 0; tries < 2; tries++) {
      expect(() => rescue(guarded, house)).toThrow(expect.objectContaining({ code: 'ERR_FS_EISDIR' }));
      expect(guarded.run([get]).outcomes).toEqual([done({ ...owner, key: 'one', value: 1 })]);
    }
    rmdirSync(inTheWay);
    expect(rescue(guarded, house)).toContain('nothing is missing');
    house.reopen();
    expect(house.values()).toEqual({ one: 1 });
  });

  it('and is there again, needs nothing', () => {
    using house = new OpenDatabase();
    const guarded = guardAfter(house, () => renameSync(house.path, `${house.path}.away`));
    renameSync(`${house.path}.away`, house.path);
    expect(rescue(guarded, house)).toBeUndefined();
    expect(guarded.run([set]).outcomes).toEqual([done(owner)]);
  });

  it('leaves what came to its place meanwhile as it is', () => {
    using house = new OpenDatabase();
    using another = new OpenDatabase();
    another.set({ one: 100 });
    another.connection.close();
    const guarded = guardAfter(house, () => rmSync(house.path));
    renameSync(another.path, house.path);
    expect(rescue(guarded, house)).toContain('that other file is used now');
    house.reopen();
    expect(house.values()).toEqual({ one: 100 });
  });
});

it('what was replaced is kept beside the file that has its name now, and its log does not come into that', () => {
  using house = new OpenDatabase();
  using another = new OpenDatabase();
  another.set({ one: 100 });
  another.connection.close();
  rescue(guardAfter(house, () => renameSync(another.path, house.path)), house);
  house.reopen();
  expect(house.values()).toEqual({ one: 100 });
  const [kept = ''] = names(house).filter((name) => name.startsWith('x.sqlite.replaced-'));
  const connection = new Sqlite(join(dirname(house.path), kept), { readonly: true });
  expect(connection.prepare('SELECT key, value FROM config').all()).toEqual([{ key: 'one', value: '1' }]);
  connection.close();
});

it('what is replaced again and again is kept three times; then it is used on, and kept once more at the end', () => {
  using house = new OpenDatabase();
  const replace = (): void => {
    copyFileSync(house.path, `${house.path}.copy`);
    renameSync(`${house.path}.copy`, house.path);
  };
  const kept = (): number => names(house).filter((name) => name.startsWith('x.sqlite.replaced-')).length;
  for (let times = 1; times <= 3; times++) {
    expect(rescue(guardAfter(house, replace), house)).toContain('that other file is used now');
    house.reopen();
    expect(kept()).toBe(times);
  }
  const guarded = guardAfter(house, replace);
  expect(() => rescue(guarded, house)).toThrow(expect.objectContaining({ code: 'REPLACED_TOO_OFTEN', message: expect.stringContaining('replaced 3 times already') }));
  expect(guarded.run([get]).outcomes).toEqual([done({ ...owner, key: 'one', value: 1 })]);
  expect(guarded.rescue({ wallMs: house.nowMs, isLast: true })).toContain('is kept as');
  expect(kept()).toBe(4);
});
