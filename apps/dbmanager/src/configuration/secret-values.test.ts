import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { maskedSecret, type ConfigurationItems } from '@majordomus/contracts';
import { done, OpenDatabase, owner, refusal } from '../../test/open-database.ts';
import { applicationId } from '../file/connection.ts';
import { migrate, migrations } from '../file/migrations.ts';

const items: ConfigurationItems = {
  password: { type: 'string', description: 'what it is let in by', example: 'abcdef', secret: true, min: 6 },
  pin: { type: 'integer', description: 'the number', example: 1234, secret: true },
  name: { type: 'string', description: 'who', default: 'admin' },
};
const plain: ConfigurationItems = { ...items, password: { type: 'string', description: 'not a secret any more', example: 'x' } };
const unreadable = /cannot be decrypted/;

/** Whether the bytes of a text stand in any file of the house: the database, its log, the key. */
function standsInFiles(house: OpenDatabase, text: string): boolean {
  return readdirSync(house.folder.path, { recursive: true, withFileTypes: true }).some((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text));
}

describe('a secret', () => {
  it('is masked whatever its type, and named, unless it is to be revealed', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2', pin: 1234 });
    expect(house.get()).toEqual(done({ ...owner, data: { name: 'admin', password: maskedSecret, pin: maskedSecret }, defaults: ['name'], masked: ['password', 'pin'] }));
    expect(house.get({ key: 'pin' })).toEqual(done({ ...owner, key: 'pin', value: maskedSecret, masked: ['pin'] }));
    expect(house.get({ reveal: true })).toEqual(done({ ...owner, data: { name: 'admin', password: 'hunter2', pin: 1234 }, defaults: ['name'], revealed: ['password', 'pin'] }));
    expect(house.get({ key: 'password', reveal: true })).toEqual(done({ ...owner, key: 'password', value: 'hunter2', revealed: ['password'] }));
    expect(house.get({ key: 'name', reveal: true })).toEqual(done({ ...owner, key: 'name', value: 'admin', default: true }));
  });

  it('is in no byte of any file, before and after a checkpoint and a close, in the history neither', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2' });
    house.set({ password: 'hunter3' });
    house.delete('password');
    for (const text of ['hunter2', 'hunter3']) expect(standsInFiles(house, text)).toBe(false);
    house.connection.pragma('wal_checkpoint(TRUNCATE)');
    house.reopen();
    for (const text of ['hunter2', 'hunter3']) expect(standsInFiles(house, text)).toBe(false);
    expect(house.history({ reveal: true }).changes).toMatchObject([{ old: 'hunter3' }, { old: 'hunter2', new: 'hunter3' }, { new: 'hunter2' }]);
  });

  it('stands in the history masked, or in clear for who asks for it', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2', name: 'ann' });
    expect(house.history()).toEqual({ ...owner, latest: 2, changes: [
      { change: 2, key: 'name', new: 'ann', atMs: house.nowMs },
      { change: 1, key: 'password', new: maskedSecret, atMs: house.nowMs, masked: true },
    ] });
    expect(house.history({ reveal: true })).toMatchObject({ revealed: ['password'], changes: [{ new: 'ann' }, { new: 'hunter2' }] });
  });

  it('that is set again to the same is no change, though it would be encrypted otherwise', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2' });
    const before = house.connection.prepare('SELECT value FROM config').pluck().get();
    house.set({ password: 'hunter2' });
    expect(house.connection.prepare('SELECT value FROM config').pluck().get()).toBe(before);
    expect(house.history().latest).toBe(1);
  });

  it('is put back by a revert, encrypted', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2' });
    house.set({ password: 'hunter3' });
    expect(house.revert(1)).toEqual(done({ ...owner, changed: ['password'] }));
    expect(house.values({ reveal: true })).toMatchObject({ password: 'hunter2' });
    expect(house.revert(1)).toEqual(done({ ...owner, changed: [] }));
    expect(standsInFiles(house, 'hunter2')).toBe(false);
  });

  it('that is refused is not in the reason, nor its length', () => {
    using house = new OpenDatabase();
    house.schema(items);
    expect(house.set({ password: 'abc', pin: 12.5 })).toEqual(refusal('CONFIG_INVALID', 'vault on igor: password: length must be at least 6; pin: must be a whole number, not a number; nothing was changed'));
  });

  it('is never the text that stands for one: that was not meant', () => {
    using house = new OpenDatabase();
    house.schema(items);
    expect(house.set({ password: maskedSecret, name: 'bea' })).toEqual(refusal('CONFIG_INVALID', expect.stringContaining('password: is the text that stands for a secret that is not shown')));
    expect(house.values()).toEqual({ name: 'admin' });
    expect(house.set({ name: maskedSecret })).toEqual(done(owner));
  });

  it('stays one when the schema does not have it any more', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2' });
    house.schema({ name: items['name'] ?? expect.unreachable() });
    expect(house.get({ key: 'password' })).toMatchObject({ result: { value: maskedSecret } });
    expect(house.get({ key: 'password', reveal: true })).toMatchObject({ result: { value: 'hunter2' } });
  });

  it('whose row was copied from elsewhere is refused, and the others are read', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2', name: 'ann' });
    house.connection.exec("INSERT INTO config SELECT 'attic', plugin, key, value, updated_ms FROM config");
    expect(house.get({ host: 'attic', reveal: true })).toEqual(refusal('SECRET_UNREADABLE', 'vault on attic: the secret password cannot be decrypted: it is damaged, or was copied here from another host, plugin or key; or set it again: domus config set vault password VALUE'));
    expect(house.get({ host: 'attic' })).toMatchObject({ result: { data: { name: 'ann', password: maskedSecret }, masked: ['password'], unreadable: ['password'] } });
  });
});

describe('a schema that comes later', () => {
  it('and marks a value as secret encrypts what is stored, history included; no byte of it stays when it is answered', () => {
    using house = new OpenDatabase();
    // Long, many and moved about, so that SQLite leaves copies behind in its pages.
    for (let round = 0; round < 40; round++) house.set({ password: `hunter2-${round} `.repeat(50), name: `name ${round} `.repeat(30) });
    house.run({ action: 'config.set', data: { host: 'attic', plugin: 'vault', key: 'password', value: 'hunter2-attic' } });
    house.run({ action: 'config.set', data: { host: 'igor', plugin: 'lamp', key: 'password', value: 'not of this plugin' } });
    expect(standsInFiles(house, 'hunter2')).toBe(true);
    expect(house.schema(items)).toEqual(done({ plugin: 'vault' }));
    expect(standsInFiles(house, 'hunter2')).toBe(false);
    expect(standsInFiles(house, 'not of this plugin')).toBe(true);
    expect(house.values()).toMatchObject({ password: maskedSecret });
    expect(house.values({ host: 'attic', reveal: true })).toMatchObject({ password: 'hunter2-attic' });
    expect(house.history({ key: 'password', reveal: true, limit: 1 }).changes).toMatchObject([{ old: 'hunter2-38 '.repeat(50), new: 'hunter2-39 '.repeat(50) }]);
    house.reopen();
    expect(standsInFiles(house, 'hunter2')).toBe(false);
  });

  it('and marks it no more gives nobody the secret: it stays one, here and on every host, history included, until it is set anew', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2' });
    house.run({ action: 'config.set', data: { host: 'attic', plugin: 'vault', key: 'password', value: 'hunter2-attic' } });
    house.schema(plain, '2.0.0');
    for (const host of ['igor', 'attic']) expect(house.get({ host, key: 'password' })).toMatchObject({ result: { value: maskedSecret, masked: ['password'] } });
    expect(house.get({ reveal: true })).toMatchObject({ result: { data: { password: 'hunter2' }, revealed: ['password'] } });
    expect(house.history().changes).toMatchObject([{ new: maskedSecret, masked: true }]);
    expect(house.set({ password: maskedSecret })).toEqual(refusal('CONFIG_INVALID', expect.any(String)));
    house.set({ password: 'hunter2' });
    expect(house.get({ key: 'password' })).toEqual(done({ ...owner, key: 'password', value: 'hunter2' }));
    house.set({ password: 'open' });
    expect(house.history().changes).toMatchObject([{ old: 'hunter2', new: 'open' }, { old: maskedSecret, new: maskedSecret, masked: true }, { new: maskedSecret }]);
    house.schema(items);
    expect(house.values()).toMatchObject({ password: maskedSecret });
    expect(standsInFiles(house, 'hunter2')).toBe(false);
  });

  it('and marks it no more is no way to it by a revert either: what was a secret then is one again', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2' });
    house.set({ password: 'hunter3' });
    house.schema(plain, '2.0.0');
    house.set({ password: 'open' });
    const before = house.history().latest;
    expect(house.revert(1)).toEqual(done({ ...owner, changed: ['password'] }));
    expect(house.get({ key: 'password' })).toMatchObject({ result: { value: maskedSecret } });
    expect(house.get({ key: 'password', reveal: true })).toMatchObject({ result: { value: 'hunter2' } });
    expect(standsInFiles(house, 'hunter2')).toBe(false);
    house.revert(before);
    expect(house.get({ key: 'password' })).toEqual(done({ ...owner, key: 'password', value: 'open' }));
  });

  it('is not taken while the key is no key, and nothing is half encrypted', () => {
    using house = new OpenDatabase();
    house.schema(plain);
    house.set({ password: 'hunter2', pin: 1 });
    rmSync(house.keyFile, { force: true });
    writeFileSync(house.keyFile, 'no key');
    expect(house.schema(items, '2.0.0')).toEqual(refusal('STORAGE_ERROR', expect.stringContaining('schema.set of vault failed, and nothing was changed')));
    expect(house.run({ action: 'schema.get', data: { plugin: 'vault' } })).toMatchObject({ result: { version: '1.0.0' } });
    expect(house.values()).toMatchObject({ password: 'hunter2' });
  });

  it('while somebody else reads the file is taken, and the file is cleared when they are gone', () => {
    using house = new OpenDatabase();
    house.set({ password: 'hunter2' });
    const reader = new Sqlite(house.path);
    reader.exec('BEGIN; SELECT * FROM config');
    reader.prepare('SELECT * FROM config').all();
    const trouble = 'plain text of what is a secret now may still be in the database file: another program reads the file; it is tried again within the hour';
    const startMs = performance.now();
    expect(house.database.run([{ action: 'schema.set', data: { plugin: 'vault', version: '1.0.0', items } }])).toEqual({ outcomes: [done({ plugin: 'vault' })], committed: true, trouble });
    // Everybody else waits for it.
    expect(performance.now() - startMs).toBeLessThan(4000);
    expect(house.values()).toMatchObject({ password: maskedSecret });
    expect(house.database.maintain()).toEqual([trouble]);
    expect(standsInFiles(house, 'hunter2')).toBe(true);
    reader.close();
    expect(house.database.maintain()).toEqual([]);
    expect(standsInFiles(house, 'hunter2')).toBe(false);
  });
});

it('what an older version kept as plain text is encrypted at the first start, and cleared out of the file', () => {
  using house = new OpenDatabase({
    prepare: (path) => {
      const old = new Sqlite(path);
      migrate(old, migrations.slice(0, 1));
      old.pragma(`application_id = ${applicationId}`);
      const insert = old.prepare("INSERT INTO config VALUES ('igor', 'vault', ?, ?, 5)");
      for (let round = 0; round < 200; round++) insert.run(`old${round}`, JSON.stringify('hunter2 '.repeat(20)));
      old.exec("DELETE FROM config WHERE key LIKE 'old%'");
      insert.run('password', JSON.stringify('hunter2'));
      old.prepare("INSERT INTO plugin_schema VALUES ('vault', '1.0.0', ?, 7)").run(JSON.stringify(items));
      old.close();
    },
  });
  expect(house.values()).toMatchObject({ password: maskedSecret });
  expect(standsInFiles(house, 'hunter2')).toBe(true);
  expect(house.database.maintain()).toEqual([]);
  expect(standsInFiles(house, 'hunter2')).toBe(false);
  expect(house.values({ reveal: true })).toMatchObject({ password: 'hunter2' });
});

describe('without its key', () => {
  it('a secret is told as unreadable, everything else goes on, and it can be set anew', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2', pin: 1234, name: 'ann' });
    rmSync(house.keyFile);
    expect(house.get()).toMatchObject({ result: { data: { name: 'ann', password: maskedSecret }, masked: ['password', 'pin'], unreadable: ['password', 'pin'] } });
    expect(house.get({ key: 'name', reveal: true })).toMatchObject({ result: { value: 'ann' } });
    // A plugin asks like this, and must not start without its password in silence.
    expect(house.get({ reveal: true })).toEqual(refusal('SECRET_UNREADABLE', expect.stringMatching(/^vault on igor: the secrets password, pin cannot be decrypted: the key .*secrets\.key is not there: put it back from a backup; or set them again: domus config set vault password VALUE; domus config set vault pin VALUE$/)));
    expect(house.history({ reveal: true }).changes).toMatchObject([{ new: 'ann' }, { masked: true }, { masked: true }]);
    expect(house.revert(0)).toEqual(done({ ...owner, changed: ['name', 'password', 'pin'] }));
    expect(house.revert(3)).toEqual(refusal('SECRET_UNREADABLE', 'vault on igor: password, pin of then cannot be decrypted; nothing was changed'));
    expect(house.set({ password: 'hunter3' })).toEqual(done(owner));
    expect(house.values({ reveal: true })).toEqual({ name: 'admin', password: 'hunter3' });
  });

  it('a secret that the schema does not have any more keeps no plugin from starting', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2', name: 'ann' });
    rmSync(house.keyFile);
    house.schema({ name: items['name'] ?? expect.unreachable() });
    expect(house.get({ reveal: true })).toMatchObject({ done: true, result: { data: { name: 'ann' }, unreadable: ['password'] } });
  });

  it('a schema that marks it no more is taken all the same, and it stays unreadable', () => {
    using house = new OpenDatabase();
    house.schema(items);
    house.set({ password: 'hunter2' });
    rmSync(house.keyFile);
    expect(house.schema(plain)).toEqual(done({ plugin: 'vault' }));
    expect(house.get({ reveal: true })).toEqual(refusal('SECRET_UNREADABLE', expect.stringMatching(unreadable)));
  });
});
