import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { done, OpenDatabase, owner, refusal } from '../../test/open-database.ts';
import { applicationId } from '../file/connection.ts';
import { migrate, migrations, versionOf } from '../file/migrations.ts';

const dayMs = 86_400_000;

describe('the history', () => {
  it('has every change: what was, what is, when and on whose behalf, the newest first', () => {
    using house = new OpenDatabase();
    house.set({ port: 1 }, 'ann@igor');
    house.nowMs += 1000;
    house.set({ port: 2, device: '/dev/a' }, 'igor.vault');
    house.nowMs += 1000;
    house.delete('port');
    expect(house.history()).toEqual({
      ...owner,
      latest: 4,
      changes: [
        { change: 4, key: 'port', old: 2, atMs: house.nowMs },
        { change: 3, key: 'device', new: '/dev/a', atMs: house.nowMs - 1000, by: 'igor.vault' },
        { change: 2, key: 'port', old: 1, new: 2, atMs: house.nowMs - 1000, by: 'igor.vault' },
        { change: 1, key: 'port', new: 1, atMs: house.nowMs - 2000, by: 'ann@igor' },
      ],
    });
  });

  it('has a null that was set as a value, and not as nothing', () => {
    using house = new OpenDatabase();
    house.set({ port: null });
    house.delete();
    expect(house.history().changes).toMatchObject([{ old: null }, { new: null }]);
    expect(house.history().changes.map((change) => Object.keys(change).filter((side) => side === 'old' || side === 'new'))).toEqual([['old'], ['new']]);
  });

  it('has nothing of a write that changes nothing: one that is tried again is not doubled, and needs no sync', () => {
    using house = new OpenDatabase();
    const set = { action: 'config.set', data: { ...owner, data: { a: { b: 1 }, c: 'x' } } } as const;
    expect(house.database.run([set]).committed).toBe(true);
    expect(house.database.run([set, set])).toEqual({ outcomes: [done(owner), done(owner)], committed: false });
    house.delete('none');
    expect(house.history().changes).toHaveLength(2);
    expect(house.connection.prepare("SELECT updated_ms FROM config WHERE key = 'a'").pluck().get()).toBe(house.nowMs);
  });

  it('has nothing of what was refused, nor of what was undone with it', () => {
    using house = new OpenDatabase();
    house.connection.exec("CREATE TRIGGER fail BEFORE INSERT ON config WHEN new.key = 'z' BEGIN SELECT RAISE(ABORT, 'no such luck'); END");
    expect(house.set({ a: 1, z: 2 })).toMatchObject({ done: false });
    house.schema({ port: { type: 'integer', description: 'where', default: 1 } });
    expect(house.set({ port: 'x' })).toMatchObject({ done: false });
    expect(house.history()).toEqual({ ...owner, latest: 0, changes: [] });
    house.set({ port: 2 });
    expect(house.history().changes).toMatchObject([{ change: 1 }]);
  });

  it('is asked for one key, and page by page', () => {
    using house = new OpenDatabase();
    for (let value = 1; value <= 4; value++) house.set({ a: value, b: value });
    expect(house.history({ key: 'b' }).changes.map(({ change }) => change)).toEqual([8, 6, 4, 2]);
    expect(house.history({ limit: 2 }).changes.map(({ change }) => change)).toEqual([8, 7]);
    expect(house.history({ limit: 2, before: 7, key: 'a' }).changes.map(({ change }) => change)).toEqual([5, 3]);
    expect(house.history({ before: 1 })).toEqual({ ...owner, latest: 8, changes: [] });
  });

  it('belongs to one plugin on one host, and its numbers to the house', () => {
    using house = new OpenDatabase();
    house.set({ a: 1 });
    house.run({ action: 'config.set', data: { host: 'attic', plugin: 'vault', key: 'a', value: 2 } });
    expect(house.history()).toMatchObject({ latest: 2, changes: [{ change: 1 }] });
    expect(house.history({ host: 'attic' })).toMatchObject({ latest: 2, changes: [{ change: 2 }] });
  });
});

describe('a revert', () => {
  it('puts all of a plugin back as it was just after a change, and forgets what was not set then', () => {
    using house = new OpenDatabase();
    house.set({ a: 1, b: 1 });
    house.set({ a: 2, c: 1 });
    house.delete('b');
    house.run({ action: 'config.set', data: { host: 'attic', plugin: 'vault', key: 'a', value: 9 } });
    expect(house.revert(2, { by: 'ann@igor' })).toEqual(done({ ...owner, changed: ['a', 'b', 'c'] }));
    expect(house.values()).toEqual({ a: 1, b: 1 });
    expect(house.history({ limit: 3 }).changes).toMatchObject([
      { change: 9, key: 'c', old: 1, by: 'ann@igor' },
      { change: 8, key: 'b', new: 1, by: 'ann@igor' },
      { change: 7, key: 'a', old: 2, new: 1, by: 'ann@igor' },
    ]);
    expect(house.revert(6)).toEqual(done({ ...owner, changed: ['a', 'b', 'c'] }));
    expect(house.values()).toEqual({ a: 2, c: 1 });
    expect(house.values({ host: 'attic' })).toEqual({ a: 9 });
    expect(house.revert(0)).toMatchObject({ done: true });
    expect(house.values()).toEqual({});
  });

  it('puts one key back and leaves the others; done again it changes nothing', () => {
    using house = new OpenDatabase();
    house.set({ a: 1, b: 1 });
    house.set({ a: 2, b: 2 });
    expect(house.revert(2, { key: 'a' })).toEqual(done({ ...owner, changed: ['a'] }));
    expect(house.revert(2, { key: 'a' })).toEqual(done({ ...owner, changed: [] }));
    expect(house.values()).toEqual({ a: 1, b: 2 });
    expect(house.history().latest).toBe(5);
  });

  it('is checked against the schema of now, as a set is: all or nothing', () => {
    using house = new OpenDatabase();
    house.set({ port: 'any', old: 1 });
    house.delete();
    house.schema({ port: { type: 'integer', description: 'where', example: 1 } });
    house.set({ port: 5 });
    expect(house.revert(2)).toEqual(refusal('CONFIG_INVALID', 'vault on igor: old: is not known; known: port; port: must be a whole number, not a string; nothing was changed'));
    expect(house.values()).toEqual({ port: 5 });
    // What is as it was then is not written, and so not checked.
    house.schema({});
    expect(house.revert(5, { key: 'port' })).toEqual(done({ ...owner, changed: [] }));
  });

  it('to a change that is not there yet is refused', () => {
    using house = new OpenDatabase();
    house.set({ a: 1 });
    expect(house.revert(2)).toEqual(refusal('HISTORY_NOT_FOUND', 'there is no change 2 yet; the newest is 1; nothing was changed'));
  });
});

describe('what is kept', () => {
  it('is bounded by number, for each plugin on each host', () => {
    using house = new OpenDatabase({ history: { days: 365, changes: 3 } });
    house.run({ action: 'config.set', data: { host: 'attic', plugin: 'vault', key: 'a', value: 0 } });
    for (let value = 1; value <= 10; value++) house.set({ a: value });
    expect(house.history().changes.map(({ change }) => change)).toEqual([11, 10, 9]);
    expect(house.history({ host: 'attic' }).changes).toHaveLength(1);
    expect(house.revert(7)).toEqual(refusal('HISTORY_NOT_FOUND', 'the history of vault on igor up to change 8 is not kept any more, so it cannot be as it was after change 7; nothing was changed'));
    expect(house.revert(8)).toEqual(done({ ...owner, changed: ['a'] }));
    expect(house.values()).toEqual({ a: 7 });
    // Another plugin's changes are not needed.
    expect(house.revert(0, { host: 'attic' })).toMatchObject({ done: true });
  });

  it('shrinks a little with each change when the number was lowered: no write waits for a large deletion', () => {
    using house = new OpenDatabase({ history: { days: 365, changes: 2 } });
    house.connection.exec(`
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
      INSERT INTO config_history (host, plugin, key, old, new, at_ms, "by") SELECT 'igor', 'vault', 'a', NULL, NULL, 0, NULL FROM n;
    `);
    house.set({ a: 1 });
    expect(house.history().changes).toHaveLength(19);
    for (let value = 2; value <= 30; value++) house.set({ a: value });
    expect(house.history().changes).toHaveLength(2);
  });

  it('is bounded by age, but for the newest 20: what was never pruned can still be gone back to', () => {
    using house = new OpenDatabase({ history: { days: 30, changes: 100 } });
    for (let value = 1; value <= 22; value++) house.set({ a: value });
    house.nowMs += 20 * dayMs;
    house.set({ a: 23 });
    house.nowMs += 11 * dayMs;
    expect(house.database.maintain()).toEqual([]);
    expect(house.history().changes.map(({ change }) => change)).toEqual(Array.from({ length: 20 }, (_, index) => 23 - index));
    expect(house.revert(2)).toMatchObject({ done: false, refusal: { code: 'HISTORY_NOT_FOUND' } });
    house.nowMs += 1000 * dayMs;
    expect(house.database.maintain()).toEqual([]);
    expect(house.history().changes).toHaveLength(20);
    expect(house.revert(3)).toEqual(done({ ...owner, changed: ['a'] }));
    expect(house.values()).toEqual({ a: 3 });
  });

  it('is not lost by a clock that is wrong for a while', () => {
    using house = new OpenDatabase();
    for (let value = 1; value <= 3; value++) house.set({ a: value });
    house.nowMs += 3 * 365 * dayMs;
    house.reopen();
    house.database.maintain();
    house.set({ a: 4 });
    house.nowMs -= 3 * 365 * dayMs;
    house.reopen();
    house.database.maintain();
    expect(house.history().changes).toHaveLength(4);
    expect(house.revert(1)).toEqual(done({ ...owner, changed: ['a'] }));
  });

  it('goes on from the same number over closing and opening', () => {
    using house = new OpenDatabase();
    house.set({ a: 1, b: 1 });
    house.reopen();
    house.set({ a: 2 });
    expect(house.history()).toMatchObject({ latest: 3, changes: [{ change: 3 }, {}, {}] });
  });
});

it('a database of version 1 comes to have a history without loss', () => {
  using house = new OpenDatabase({
    prepare: (path) => {
      const old = new Sqlite(path);
      migrate(old, migrations.slice(0, 1));
      old.pragma(`application_id = ${applicationId}`);
      old.exec(`INSERT INTO config VALUES ('igor', 'vault', 'port', '1', 5), ('attic', 'vault', 'list', '["a"]', 6)`);
      old.exec(`INSERT INTO plugin_schema VALUES ('vault', '1.0.0', '{"port":{"type":"integer","description":"where","default":2}}', 7)`);
      old.close();
    },
  });
  expect(versionOf(house.connection)).toBe(migrations.length);
  expect(house.values()).toEqual({ port: 1 });
  expect(house.values({ host: 'attic' })).toEqual({ list: ['a'], port: 2 });
  expect(house.history()).toEqual({ ...owner, latest: 0, changes: [] });
  house.set({ port: 3 });
  expect(house.revert(0)).toEqual(done({ ...owner, changed: ['port'] }));
  expect(house.values()).toEqual({ port: 1 });
});
