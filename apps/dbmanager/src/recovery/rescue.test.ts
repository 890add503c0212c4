// The files of the database are deleted or replaced while it is open: nothing more is acknowledged into what nobody finds any more, and
// nothing that was is lost.
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { noticesIn } from '../../test/damaged-home.ts';
import { done, OpenDatabase, owner, refusal } from '../../test/open-database.ts';
import type { Operation } from '../actions.ts';
import { GuardedDatabase } from '../database/guarded-database.ts';
import type { Loss } from '../file/open-files.ts';
import { integrityOf } from '../file/integrity.ts';
import { rescue } from './rescue.ts';

const room = { shortage: () => undefined, freeBytes: () => Infinity };
const set: Operation = { action: 'config.set', data: { ...owner, key: 'two', value: 2 } };
const get: Operation = { action: 'config.get', data: { ...owner, key: 'one' } };

/** A database with a value that stands in its log alone; what is done to its files is seen by the guard. */
function lossAfter(house: OpenDatabase, harm: () => void): Loss {
  house.set({ one: 0 });
  const guarded = new GuardedDatabase(house.database, house.connection, { room, isWithoutRoom: false, hasDiskFailed: false });
  house.set({ one: 1 });
  expect(guarded.run([get]).renew).toBeUndefined();
  harm();
  const { outcomes, committed, renew } = guarded.run([set, get]);
  expect({ outcomes, committed }).toEqual({ outcomes: [refusal('STORAGE_ERROR', expect.stringMatching(/^config\.set of vault on igor was refused, and nothing was changed: .* while the house ran; it is opened anew: do it again$/)), done({ ...owner, key: 'one', value: 1 })], committed: false });
  return renew?.why === 'lost files' ? renew.loss : expect.unreachable();
}

const names = (house: OpenDatabase): string[] => readdirSync(dirname(house.path)).sort();

describe('what was deleted', () => {
  it.each([
    ['with its log', ['', '-wal', '-shm'], 'x.sqlite'],
    ['but for its log', [''], 'x.sqlite'],
    ['of its log alone', ['-wal'], 'x.sqlite-wal'],
  ])('%s, is written anew from what is open', (_what, parts, deleted) => {
    using house = new OpenDatabase();
    const loss = lossAfter(house, () => {
      for (const part of parts) rmSync(house.path + part);
    });
    const text = `see what deletes files of the house: ${join(dirname(house.path), deleted)} was deleted while the house ran; the database was written anew from what was still open, and nothing is missing`;
    expect(rescue(house.connection, loss, house.nowMs)).toBe(text);
    expect(names(house)).toEqual(['x.sqlite']);
    house.reopen();
    expect(house.values()).toEqual({ one: 1 });
    expect(noticesIn(house.connection)).toEqual([text]);
    expect(integrityOf(house.connection).problems).toEqual([]);
  });

  it('with its folder, has it again', () => {
    using house = new OpenDatabase();
    rescue(house.connection, lossAfter(house, () => rmSync(dirname(house.path), { recursive: true })), house.nowMs);
    house.reopen();
    expect(house.values()).toEqual({ one: 1 });
  });
});

it('what was replaced is kept beside the file that has its name now, and its log does not come into that', () => {
  using house = new OpenDatabase();
  using another = new OpenDatabase();
  another.set({ one: 100 });
  another.connection.close();
  rescue(house.connection, lossAfter(house, () => renameSync(another.path, house.path)), house.nowMs);
  house.reopen();
  expect(house.values()).toEqual({ one: 100 });
  const [kept = ''] = names(house).filter((name) => name.startsWith('x.sqlite.replaced-'));
  const connection = new Sqlite(join(dirname(house.path), kept), { readonly: true });
  expect(connection.prepare('SELECT key, value FROM config').all()).toEqual([{ key: 'one', value: '1' }]);
  connection.close();
});
