import { existsSync, mkdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DamagedHome, keyOf, noticesIn, pageBytes, setAside, valueOf, values, valuesIn, wallMs } from '../../test/damaged-home.ts';
import { backupName } from '../backup/backup-files.ts';
import { copyDatabase } from '../backup/copy.ts';
import { ConfigurationDatabase } from '../database/database.ts';
import { openConnection } from '../file/connection.ts';

let home: DamagedHome;

beforeEach(() => {
  home = new DamagedHome();
});
afterEach(() => home[Symbol.dispose]());

describe('a damaged database is set aside and recovered', () => {
  it('with a header that is overwritten: nothing is lost', () => {
    home.fill();
    const bytes = readFileSync(home.path);
    bytes.fill(0, 0, 100);
    writeFileSync(home.path, bytes);
    const { connection, told } = home.open();
    expect(valuesIn(connection).size).toBe(values);
    expect(connection.prepare('SELECT version FROM plugin_schema').pluck().all()).toEqual(['1.0.0']);
    expect(told).toEqual([expect.stringMatching(/was damaged \(file is not a database\); recovered: .*800 values.*all that is in it could be read/)]);
    expect(noticesIn(connection)).toEqual(told);
    connection.close();
    expect(readFileSync(join(dirname(home.path), setAside)).equals(bytes)).toBe(true);
    expect(home.names()).toEqual(['majordomus.sqlite', setAside, 'majordomus.sqlite.known']);
  });

  it('with two damaged pages of rows: all rows of the other pages are there, and the holes that the history does not fill are told', () => {
    home.fill();
    const { connection: forgetting } = home.open();
    forgetting.exec('DELETE FROM config_history');
    forgetting.close();
    const leaves = home.leavesOf('config');
    expect(leaves.length).toBeGreaterThan(15);
    home.damagePages([leaves[5] ?? 0, leaves[12] ?? 0]);
    const { connection, told } = home.open();
    const most = Math.ceil((values / leaves.length) * 4);
    expect(valuesIn(connection).size).toBeGreaterThan(values - most);
    expect(valuesIn(connection).size).toBeLessThan(values);
    expect(told[0]).toMatch(/not all could be read of: values; there is no backup to fill it from/);
    connection.close();
  });

  it('what cannot be read comes from the newest whole backup, and what was read wins', () => {
    home.fill();
    copyDatabase(home.path, join(home.backups, backupName(wallMs - 2 * 86_400_000)));
    writeFileSync(join(home.backups, backupName(wallMs - 86_400_000)), 'a backup that is damaged itself');
    const writer = openConnection(home.path);
    writer.prepare("UPDATE config SET value = '1' WHERE key = ?").run(keyOf(0));
    writer.close();
    const leaves = home.leavesOf('config');
    home.damagePages(leaves.slice(3, 6));
    const { connection, told } = home.open();
    expect(connection.prepare('SELECT count(*) FROM config').pluck().get()).toBe(values);
    expect(connection.prepare('SELECT value FROM config WHERE key = ?').pluck().get(keyOf(0))).toBe('1');
    expect(told[0]).toContain(`taken from the backup ${backupName(wallMs - 2 * 86_400_000)}: `);
    connection.close();
  });

  it('what comes from a backup is named, in full beside the damaged files; what is known to be deleted since then does not come back', () => {
    home.fill();
    copyDatabase(home.path, join(home.backups, backupName(wallMs - 86_400_000)));
    const leaves = home.leavesOf('config');
    const { connection: writer } = home.open();
    const hidden = writer.prepare<[], string>('SELECT key FROM config ORDER BY key').pluck().all().slice(200, 260);
    const database = new ConfigurationDatabase(writer);
    for (const key of hidden.slice(0, 2)) database.run([{ action: 'config.delete', data: { host: 'igor', plugin: 'velbus', key } }]);
    // Nothing but the backup knows the others.
    const [first = '', last = ''] = [hidden[2], hidden.at(-1)];
    writer.prepare('DELETE FROM config_history WHERE key BETWEEN ? AND ?').run(first, last);
    writer.close();
    home.damagePages(leaves);
    const { connection, told } = home.open();
    const keys = connection.prepare<[], string>('SELECT key FROM config').pluck().all();
    for (const key of hidden.slice(0, 2)) expect(keys).not.toContain(key);
    expect(keys).toHaveLength(values - 2);
    const report = `${join(dirname(home.path), setAside)}.report`;
    expect(told[0]).toMatch(new RegExp(String.raw`taken from the backup \S+: 58 values \(${keyOf(202)} of velbus on igor, .*, …\); what was deleted after it was made may be among them; each is named in ${report.replaceAll('.', String.raw`\.`)}`));
    const lines = readFileSync(report, 'utf8').split('\n');
    expect(lines.filter((line) => line.startsWith('from the backup'))).toHaveLength(1);
    for (const key of hidden.slice(2)) expect(lines).toContain(`${key} of velbus on igor`);
    expect(statSync(report).mode & 0o777).toBe(0o600);
    connection.close();
  });

  it('rows are found by an index where their own tree is damaged, and those that are lost are named', () => {
    const { connection: made } = home.open();
    const insert = made.prepare("INSERT INTO plugin_schema VALUES (?, '1.0.0', ?, 0)");
    for (let index = 0; index < 200; index++) insert.run(`plugin-${String(index).padStart(3, '0')}`, JSON.stringify({ text: 'x'.repeat(500) }));
    made.close();
    const leaves = home.leavesOf('plugin_schema');
    home.damagePages([leaves[2] ?? 0, leaves[4] ?? 0, leaves[6] ?? 0]);
    const { connection, told } = home.open();
    const count = Number(connection.prepare('SELECT count(*) FROM plugin_schema').pluck().get());
    expect(count).toBeGreaterThanOrEqual(200 - 3 * 8);
    expect(count).toBeLessThan(200);
    expect(told[0]).toMatch(/not all could be read of: schemas of plugins \(plugin-\d+, /);
    connection.close();
  });

  it('whose history has holes does not go back behind them, and gives no number twice', () => {
    home.fill();
    const leaves = home.leavesOf('config_history');
    home.damagePages(leaves.slice(-3));
    const { connection, told } = home.open();
    expect(told[0]).toContain('not all could be read of: changes of the history');
    expect(valuesIn(connection).size).toBe(values);
    const database = new ConfigurationDatabase(connection);
    const owner = { host: 'igor', plugin: 'velbus' };
    expect(database.run([{ action: 'config.revert', data: { ...owner, to: 0 } }]).outcomes).toEqual([expect.objectContaining({ refusal: expect.objectContaining({ code: 'HISTORY_NOT_FOUND' }) })]);
    const latest = Number(connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'config_history'").pluck().get());
    expect(latest).toBe(values);
    database.run([{ action: 'config.set', data: { ...owner, key: keyOf(0), value: 1 } }]);
    expect(database.run([{ action: 'config.revert', data: { ...owner, to: latest } }]).outcomes).toEqual([{ done: true, result: { ...owner, changed: [keyOf(0)] } }]);
    connection.close();
  });

  it('of which nothing is left is the newest backup', () => {
    home.fill(10);
    copyDatabase(home.path, join(home.backups, backupName(wallMs - 1000)));
    writeFileSync(home.path, Buffer.alloc(100 * pageBytes, 0xee));
    const { connection, told } = home.open();
    expect(valuesIn(connection).size).toBe(10);
    expect(told[0]).toMatch(/recovered: nothing; not all could be read of: .*taken from the backup/);
    connection.close();
    expect(readFileSync(`${join(dirname(home.path), setAside)}.report`, 'utf8')).toMatch(/^from the backup \S+: 1 schema of a plugin\ndiskfree\n/m);
  });

  it('is recovered, too, where the report of what comes from a backup cannot be written, which is told', () => {
    home.fill(10);
    copyDatabase(home.path, join(home.backups, backupName(wallMs - 1000)));
    writeFileSync(home.path, Buffer.alloc(100 * pageBytes, 0xee));
    mkdirSync(`${join(dirname(home.path), setAside)}.report`);
    const { connection, told } = home.open();
    expect(valuesIn(connection).size).toBe(10);
    expect(told[0]).toMatch(/; but \S+\.report was not written \(.*EISDIR\)+$/);
    connection.close();
  });

  it('of which only the history comes from a backup: no report, since a change has no name', () => {
    home.fill();
    copyDatabase(home.path, join(home.backups, backupName(wallMs - 1000)));
    home.damagePages(home.leavesOf('config_history').slice(3, 5));
    const { connection, told } = home.open();
    expect(told[0]).toMatch(/taken from the backup \S+: \d+ changes of the history; what was deleted/);
    expect(told[0]).not.toContain('.report');
    connection.close();
    expect(home.names().filter((name) => name.endsWith('.report'))).toEqual([]);
  });

  it.each([
    ['is empty, and was not', () => truncateSync(home.path), 0],
    ['lost its last pages', () => truncateSync(home.path, statSync(home.path).size - 8 * pageBytes), 0],
    ['ends in the middle of a page', () => truncateSync(home.path, statSync(home.path).size - pageBytes - 1000), 100],
  ])('that %s', (_what, damage, atLeast) => {
    home.fill();
    damage();
    const { connection, told } = home.open();
    expect(told).toHaveLength(1);
    expect(valuesIn(connection).size).toBeGreaterThanOrEqual(atLeast);
    expect(existsSync(join(dirname(home.path), setAside))).toBe(true);
    connection.close();
  });

  it.each([3, values])('that lost its last page keeps what stands on the others (%s values)', (count) => {
    home.fill(count);
    truncateSync(home.path, statSync(home.path).size - pageBytes);
    const { connection, told } = home.open();
    expect(valuesIn(connection).size).toBeGreaterThanOrEqual(count - Math.ceil(values / home.leavesOf('config').length));
    expect(valuesIn(connection).size).toBeGreaterThan(0);
    expect(told).toHaveLength(1);
    connection.close();
  });

  it('an absent one is a new one, and told; an empty file of a first start that was interrupted is not', () => {
    writeFileSync(home.path, '');
    home.open().connection.close();
    renameSync(home.path, `${home.path}.away`);
    const { connection, told } = home.open();
    expect(told).toEqual([expect.stringContaining('was not there any more')]);
    expect(noticesIn(connection)).toEqual(told);
    connection.close();
    const again = home.open();
    expect(again.told).toEqual([]);
    again.connection.close();
  });

  it('its log goes with it, and nothing that was set aside is overwritten', () => {
    home.fill();
    const writer = openConnection(home.path);
    writer.prepare("UPDATE config SET value = '1' WHERE key = ?").run(keyOf(0));
    for (const part of ['', '-wal']) writeFileSync(join(home.folder.path, `saved${part}`), readFileSync(home.path + part));
    writer.close();
    for (let round = 0; round < 2; round++) {
      for (const part of ['', '-wal']) writeFileSync(home.path + part, readFileSync(join(home.folder.path, `saved${part}`)));
      home.damagePages([3, 4, 5]);
      const { connection } = home.open();
      expect(connection.prepare('SELECT value FROM config WHERE key = ?').pluck().get(keyOf(0)) ?? '1').toBe('1');
      connection.close();
    }
    expect(home.names().filter((name) => !name.endsWith('-shm'))).toEqual([
      'majordomus.sqlite', setAside, `${setAside}-2`, `${setAside}-2-wal`, `${setAside}-wal`, 'majordomus.sqlite.known',
    ]);
    expect(readFileSync(join(dirname(home.path), `${setAside}-wal`)).equals(readFileSync(join(home.folder.path, 'saved-wal')))).toBe(true);
  });

  it('whose log belongs to a larger file, as after a copy over it: every page is whole, and the log could never be brought into it', () => {
    const older = join(home.backups, backupName(wallMs - 86_400_000));
    home.open().connection.close();
    copyDatabase(home.path, older);
    home.fill();
    const writer = openConnection(home.path);
    writer.prepare("UPDATE config SET value = '1' WHERE key = ?").run(keyOf(0));
    const log = readFileSync(`${home.path}-wal`);
    writer.close();
    writeFileSync(home.path, readFileSync(older));
    writeFileSync(`${home.path}-wal`, log);
    const { connection, told } = home.open();
    expect(told).toEqual([expect.stringMatching(/was damaged \(its log cannot be brought into it: database disk image is malformed\)/)]);
    new ConfigurationDatabase(connection).run([{ action: 'config.set', data: { host: 'igor', plugin: 'velbus', data: { [keyOf(1)]: 'new' } } }]);
    expect(connection.pragma('wal_checkpoint(TRUNCATE)')).toMatchObject([{ busy: 0 }]);
    connection.close();
  });

  it('between damaged pages nothing that can be read is lost, however many they are', () => {
    const { connection: made } = home.open();
    const insert = made.prepare("INSERT INTO config VALUES ('igor', 'velbus', ?, ?, 0)");
    made.transaction(() => {
      for (let index = 0; index < 3000; index++) insert.run(keyOf(index), JSON.stringify(valueOf(index)));
    })();
    made.close();
    const leaves = home.leavesOf('config');
    const damaged = leaves.filter((_page, index) => index % 7 === 3);
    const reader = new Sqlite(home.path, { readonly: true });
    const inDamaged = Number(reader.prepare<[string], number>("SELECT sum(ncell) FROM dbstat WHERE name = 'config' AND pageno IN (SELECT value FROM json_each(?))").pluck().get(JSON.stringify(damaged)));
    reader.close();
    home.damagePages([leaves[0] ?? 0, ...damaged, leaves.at(-1) ?? 0]);
    const { connection } = home.open();
    const most = (3 * 3000) / leaves.length;
    // What stands between two pages that follow each other is of neither.
    expect(valuesIn(connection).size).toBeGreaterThanOrEqual(3000 - inDamaged - damaged.length - most);
    connection.close();
  });

  it('a value whose row is lost is taken from its newest change, before an older backup', () => {
    home.fill();
    copyDatabase(home.path, join(home.backups, backupName(wallMs - 1000)));
    const { connection: used } = home.open();
    new ConfigurationDatabase(used).run([{ action: 'config.set', data: { host: 'igor', plugin: 'velbus', key: keyOf(400), value: 'newer' } }]);
    used.close();
    home.damagePages(home.leavesOf('config'));
    const { connection, told } = home.open();
    expect(connection.prepare('SELECT value FROM config WHERE key = ?').pluck().get(keyOf(400))).toBe('"newer"');
    expect(connection.prepare('SELECT count(*) FROM config').pluck().get()).toBe(values);
    expect(told[0]).toMatch(/taken from the history: \d+ values; taken from the backup/);
    connection.close();
  });

  it('whatever pages are damaged: no value is wrong, and with a backup none is missing', () => {
    home.fill();
    const whole = readFileSync(home.path);
    copyDatabase(home.path, join(home.backups, backupName(wallMs - 1000)));
    const pages = whole.length / pageBytes;
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: pages }), { minLength: 1, maxLength: 12 }), fc.constantFrom(0, 0x0d, 0x55, 0xff), (damaged, byte) => {
        writeFileSync(home.path, whole);
        home.damagePages(damaged, byte);
        const { connection } = home.open();
        expect(valuesIn(connection).size).toBe(values);
        expect(connection.pragma('integrity_check', { simple: true })).toBe('ok');
        connection.close();
      }),
      { numRuns: 8 },
    );
  });
});
