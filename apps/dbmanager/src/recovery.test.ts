import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '@majordomus/runtime';
import type { DeadlyRecovery } from '../test/recover-and-die.ts';
import { temporaryFolder, type TemporaryFolder } from '../test/temporary-folder.ts';
import { backupName } from './backup-files.ts';
import { applicationId, openConnection } from './connection.ts';
import { copyDatabase } from './copy.ts';
import { ConfigurationDatabase } from './database.ts';
import { migrations } from './migrations.ts';
import { openDatabase, type Opened } from './opening.ts';
import { recoverySteps } from './recovery.ts';
import { roomOf } from './room.ts';
import { finishReplacement } from './set-aside.ts';
import { Store } from './store.ts';

const pageBytes = 4096;
const wallMs = Date.UTC(2026, 10, 22, 3, 4, 5);
const setAside = 'majordomus.sqlite.corrupt-2026-11-22T03-04-05Z';
const values = 800;
const dying = fileURLToPath(new URL('../test/recover-and-die.ts', import.meta.url));

let folder: TemporaryFolder;
let path: string;
let backups: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, 'db', 'majordomus.sqlite');
  backups = join(folder.path, 'backups');
  mkdirSync(dirname(path));
  mkdirSync(backups);
});
afterEach(() => folder[Symbol.dispose]());

const keyOf = (index: number): string => `key-${String(index).padStart(5, '0')}`;
const valueOf = (index: number): string => `value ${index} ${'x'.repeat(index % 200)}`;
const names = (): string[] => readdirSync(dirname(path)).sort();
const open = (isSuspect = false): Opened => openDatabase(path, { backups, room: roomOf(folder.path, 0), wallMs, isSuspect });

/** A database of several levels of pages, closed in order. */
function fill(count = values): void {
  const { connection } = open();
  const database = new ConfigurationDatabase(connection);
  const items = { limit: { type: 'integer', description: 'the limit', default: 5 } } as const;
  const data = Object.fromEntries(Array.from({ length: count }, (_, index) => [keyOf(index), valueOf(index)]));
  database.run([
    { action: 'config.set', data: { host: 'igor', plugin: 'velbus', data } },
    { action: 'schema.set', data: { plugin: 'diskfree', version: '1.0.0', items } },
  ]);
  connection.close();
}

/** Every value of a database by its key, each checked against what was written. */
function valuesIn(connection: Sqlite.Database): Map<string, string> {
  const rows = connection.prepare<[], { key: string; value: string }>("SELECT key, value FROM config WHERE plugin = 'velbus'").all();
  for (const { key, value } of rows) expect(JSON.parse(value)).toBe(valueOf(Number(key.slice(4))));
  return new Map(rows.map(({ key, value }) => [key, value]));
}

const noticesIn = (connection: Sqlite.Database): string[] => connection.prepare<[], string>('SELECT text FROM notice').pluck().all();

function damagePages(file: string, pages: readonly number[], byte = 0xa5): void {
  const bytes = readFileSync(file);
  for (const page of pages) bytes.fill(byte, (page - 1) * pageBytes, page * pageBytes);
  writeFileSync(file, bytes);
}

/** The pages that hold rows of a table, the leaves of its tree. */
function leavesOf(table: string): number[] {
  const connection = new Sqlite(path, { readonly: true });
  try {
    return connection.prepare<[string], number>("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path").pluck().all(table);
  } finally {
    connection.close();
  }
}

describe('a damaged database is set aside and recovered', () => {
  it('with a header that is overwritten: nothing is lost', () => {
    fill();
    const bytes = readFileSync(path);
    bytes.fill(0, 0, 100);
    writeFileSync(path, bytes);
    const { connection, told } = open();
    expect(valuesIn(connection).size).toBe(values);
    expect(connection.prepare('SELECT version FROM plugin_schema').pluck().all()).toEqual(['1.0.0']);
    expect(told).toEqual([expect.stringMatching(/was damaged \(file is not a database\); recovered: .*800 values.*nothing is missing/)]);
    expect(noticesIn(connection)).toEqual(told);
    connection.close();
    expect(readFileSync(join(dirname(path), setAside)).equals(bytes)).toBe(true);
    expect(names()).toEqual(['majordomus.sqlite', setAside, 'majordomus.sqlite.known']);
  });

  it('with two damaged pages of rows: all rows of the other pages are there, and the holes that the history does not fill are told', () => {
    fill();
    const { connection: forgetting } = open();
    forgetting.exec('DELETE FROM config_history');
    forgetting.close();
    const leaves = leavesOf('config');
    expect(leaves.length).toBeGreaterThan(15);
    damagePages(path, [leaves[5] ?? 0, leaves[12] ?? 0]);
    const { connection, told } = open();
    const most = Math.ceil((values / leaves.length) * 4);
    expect(valuesIn(connection).size).toBeGreaterThan(values - most);
    expect(valuesIn(connection).size).toBeLessThan(values);
    expect(told[0]).toMatch(/not all could be read of: values; there is no backup to fill it from/);
    connection.close();
  });

  it('what cannot be read comes from the newest whole backup, and what was read wins', () => {
    fill();
    copyDatabase(path, join(backups, backupName(wallMs - 2 * 86_400_000)));
    writeFileSync(join(backups, backupName(wallMs - 86_400_000)), 'a backup that is damaged itself');
    const writer = openConnection(path);
    writer.prepare("UPDATE config SET value = '1' WHERE key = ?").run(keyOf(0));
    writer.close();
    const leaves = leavesOf('config');
    damagePages(path, leaves.slice(3, 6));
    const { connection, told } = open();
    expect(connection.prepare('SELECT count(*) FROM config').pluck().get()).toBe(values);
    expect(connection.prepare('SELECT value FROM config WHERE key = ?').pluck().get(keyOf(0))).toBe('1');
    expect(told[0]).toContain(`taken from the backup ${backupName(wallMs - 2 * 86_400_000)}: `);
    connection.close();
  });

  it('rows are found by an index where their own tree is damaged, and those that are lost are named', () => {
    const { connection: made } = open();
    const insert = made.prepare("INSERT INTO plugin_schema VALUES (?, '1.0.0', ?, 0)");
    for (let index = 0; index < 200; index++) insert.run(`plugin-${String(index).padStart(3, '0')}`, JSON.stringify({ text: 'x'.repeat(500) }));
    made.close();
    const leaves = leavesOf('plugin_schema');
    damagePages(path, [leaves[2] ?? 0, leaves[4] ?? 0, leaves[6] ?? 0]);
    const { connection, told } = open();
    const count = Number(connection.prepare('SELECT count(*) FROM plugin_schema').pluck().get());
    expect(count).toBeGreaterThanOrEqual(200 - 3 * 8);
    expect(count).toBeLessThan(200);
    expect(told[0]).toMatch(/not all could be read of: schemas of plugins \(plugin-\d+, /);
    connection.close();
  });

  it('whose history has holes does not go back behind them, and gives no number twice', () => {
    fill();
    const leaves = leavesOf('config_history');
    damagePages(path, leaves.slice(-3));
    const { connection, told } = open();
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
    fill(10);
    copyDatabase(path, join(backups, backupName(wallMs - 1000)));
    writeFileSync(path, Buffer.alloc(100 * pageBytes, 0xee));
    const { connection, told } = open();
    expect(valuesIn(connection).size).toBe(10);
    expect(told[0]).toMatch(/recovered: nothing; not all could be read of: .*taken from the backup/);
    connection.close();
  });

  it.each([
    ['is empty, and was not', () => truncateSync(path), 0],
    ['lost its last pages', () => truncateSync(path, statSync(path).size - 8 * pageBytes), 0],
    ['ends in the middle of a page', () => truncateSync(path, statSync(path).size - pageBytes - 1000), 100],
  ])('that %s', (_what, damage, atLeast) => {
    fill();
    damage();
    const { connection, told } = open();
    expect(told).toHaveLength(1);
    expect(valuesIn(connection).size).toBeGreaterThanOrEqual(atLeast);
    expect(existsSync(join(dirname(path), setAside))).toBe(true);
    connection.close();
  });

  it.each([3, values])('that lost its last page keeps what stands on the others (%s values)', (count) => {
    fill(count);
    truncateSync(path, statSync(path).size - pageBytes);
    const { connection, told } = open();
    expect(valuesIn(connection).size).toBeGreaterThanOrEqual(count - Math.ceil(values / leavesOf('config').length));
    expect(valuesIn(connection).size).toBeGreaterThan(0);
    expect(told).toHaveLength(1);
    connection.close();
  });

  it('an absent one is a new one, and told; an empty file of a first start that was interrupted is not', () => {
    writeFileSync(path, '');
    open().connection.close();
    renameSync(path, `${path}.away`);
    const { connection, told } = open();
    expect(told).toEqual([expect.stringContaining('was not there any more')]);
    expect(noticesIn(connection)).toEqual(told);
    connection.close();
    const again = open();
    expect(again.told).toEqual([]);
    again.connection.close();
  });

  it('its log goes with it, and nothing that was set aside is overwritten', () => {
    fill();
    const writer = openConnection(path);
    writer.prepare("UPDATE config SET value = '1' WHERE key = ?").run(keyOf(0));
    for (const part of ['', '-wal']) writeFileSync(join(folder.path, `saved${part}`), readFileSync(path + part));
    writer.close();
    for (let round = 0; round < 2; round++) {
      for (const part of ['', '-wal']) writeFileSync(path + part, readFileSync(join(folder.path, `saved${part}`)));
      damagePages(path, [3, 4, 5]);
      const { connection } = open();
      expect(connection.prepare('SELECT value FROM config WHERE key = ?').pluck().get(keyOf(0)) ?? '1').toBe('1');
      connection.close();
    }
    expect(names().filter((name) => !name.endsWith('-shm'))).toEqual([
      'majordomus.sqlite', setAside, `${setAside}-2`, `${setAside}-2-wal`, `${setAside}-wal`, 'majordomus.sqlite.known',
    ]);
    expect(readFileSync(join(dirname(path), `${setAside}-wal`)).equals(readFileSync(join(folder.path, 'saved-wal')))).toBe(true);
  });

  it('between damaged pages nothing that can be read is lost, however many they are', () => {
    const { connection: made } = open();
    const insert = made.prepare("INSERT INTO config VALUES ('igor', 'velbus', ?, ?, 0)");
    made.transaction(() => {
      for (let index = 0; index < 3000; index++) insert.run(keyOf(index), JSON.stringify(valueOf(index)));
    })();
    made.close();
    const leaves = leavesOf('config');
    const damaged = leaves.filter((_page, index) => index % 7 === 3);
    const reader = new Sqlite(path, { readonly: true });
    const inDamaged = Number(reader.prepare<[string], number>("SELECT sum(ncell) FROM dbstat WHERE name = 'config' AND pageno IN (SELECT value FROM json_each(?))").pluck().get(JSON.stringify(damaged)));
    reader.close();
    damagePages(path, [leaves[0] ?? 0, ...damaged, leaves.at(-1) ?? 0]);
    const { connection } = open();
    const most = (3 * 3000) / leaves.length;
    // What stands between two pages that follow each other is of neither.
    expect(valuesIn(connection).size).toBeGreaterThanOrEqual(3000 - inDamaged - damaged.length - most);
    connection.close();
  });

  it('a value whose row is lost is taken from its newest change, before an older backup', () => {
    fill();
    copyDatabase(path, join(backups, backupName(wallMs - 1000)));
    const { connection: used } = open();
    new ConfigurationDatabase(used).run([{ action: 'config.set', data: { host: 'igor', plugin: 'velbus', key: keyOf(400), value: 'newer' } }]);
    used.close();
    damagePages(path, leavesOf('config'));
    const { connection, told } = open();
    expect(connection.prepare('SELECT value FROM config WHERE key = ?').pluck().get(keyOf(400))).toBe('"newer"');
    expect(connection.prepare('SELECT count(*) FROM config').pluck().get()).toBe(values);
    expect(told[0]).toMatch(/taken from the history: \d+ values; taken from the backup/);
    connection.close();
  });

  it('whatever pages are damaged: no value is wrong, and with a backup none is missing', () => {
    fill();
    const whole = readFileSync(path);
    copyDatabase(path, join(backups, backupName(wallMs - 1000)));
    const pages = whole.length / pageBytes;
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: pages }), { minLength: 1, maxLength: 12 }), fc.constantFrom(0, 0x0d, 0x55, 0xff), (damaged, byte) => {
        writeFileSync(path, whole);
        damagePages(path, damaged, byte);
        const { connection } = open();
        expect(valuesIn(connection).size).toBe(values);
        expect(connection.pragma('integrity_check', { simple: true })).toBe('ok');
        connection.close();
      }),
      { numRuns: 8 },
    );
  });
});

/** What a power cut leaves of a log whose last transaction was being written: each of its blocks as it was before, or as it was to be. */
function tornLog(before: Buffer, after: Buffer, startBytes: number, unitBytes: number, isLost: (unit: number) => boolean): Buffer {
  const torn = Buffer.from(after);
  for (let at = startBytes, unit = 0; at < after.length; at += unitBytes, unit++) {
    if (!isLost(unit)) continue;
    torn.fill(0, at, Math.min(at + unitBytes, torn.length));
    if (at < before.length) before.copy(torn, at, at, at + unitBytes);
  }
  return torn;
}

describe('a power cut while a transaction is written to the log', () => {
  const frameBytes = pageBytes + 24;
  const acknowledged = Array.from({ length: 400 }, (_, index) => [`key-${String(2 * index).padStart(5, '0')}`, `acknowledged ${index} ${'x'.repeat(100)}`] as const);
  // Between the others, so that it splits their pages.
  const last = Array.from({ length: 30 }, (_, index) => [`key-${String(26 * index + 1).padStart(5, '0')}`, `last ${index} ${'y'.repeat(300)}`] as const);

  it.each([false, true])('loses nothing that was acknowledged, and the last one is whole or absent, without a word (over an earlier log: %s)', (isOverEarlier) => {
    const { connection } = open();
    const database = new ConfigurationDatabase(connection);
    const set = (values: readonly (readonly [string, string])[]): unknown => database.run([{ action: 'config.set', data: { host: 'igor', plugin: 'velbus', data: Object.fromEntries(values) } }]);
    for (let at = 0; at < acknowledged.length; at += 40) {
      set(acknowledged.slice(at, at + 40));
      if (at === 200 && isOverEarlier) connection.pragma('wal_checkpoint(RESTART)');
    }
    const [file, before] = [readFileSync(path), readFileSync(`${path}-wal`)];
    const start = lengthOfLog(before);
    set(last);
    const after = readFileSync(`${path}-wal`);
    const frames = (lengthOfLog(after) - start) / frameBytes;
    expect(frames).toBeGreaterThan(10);
    connection.close();

    const check = (log: Buffer): void => {
      for (const part of ['', '-wal', '-shm']) rmSync(path + part, { force: true });
      writeFileSync(path, file);
      writeFileSync(`${path}-wal`, log);
      const opened = open();
      const found = new Map(opened.connection.prepare<[], [string, string]>("SELECT key, value FROM config WHERE plugin = 'velbus'").raw().all());
      opened.connection.close();
      expect(opened.told).toEqual([]);
      expect(acknowledged.filter(([key, value]) => found.get(key) !== JSON.stringify(value))).toEqual([]);
      expect([0, last.length]).toContain(last.filter(([key, value]) => found.get(key) === JSON.stringify(value)).length);
    };
    for (let lost = 0; lost < frames; lost++) check(tornLog(before, after, start, frameBytes, (frame) => frame === lost));
    const disk = Math.ceil(start / pageBytes) * pageBytes;
    fc.assert(fc.property(fc.array(fc.boolean(), { minLength: frames + 1, maxLength: frames + 1 }), (lost) => check(tornLog(before, after, disk, pageBytes, (block) => lost[block] === true))), { numRuns: 40 });
  });

  /** Up to the end of the frames that belong to it (sqlite.org/fileformat2.html, "The Write-Ahead Log"): others have another salt. */
  function lengthOfLog(log: Buffer): number {
    let at = 32;
    while (at + frameBytes <= log.length && log.compare(log, 16, 24, at + 8, at + 16) === 0) at += frameBytes;
    return at;
  }
});

describe('a recovery that is killed', () => {
  it.each(recoverySteps)('with -9 before the step "%s" leaves the old files, and the next start recovers', (last) => {
    fill(50);
    const bytes = readFileSync(path);
    bytes.fill(0, 0, 100);
    writeFileSync(path, bytes);
    const work: DeadlyRecovery = { path, backups, wallMs, step: last };
    expect(spawnSync(process.execPath, [dying, JSON.stringify(work)], { encoding: 'utf8' })).toMatchObject({ signal: 'SIGKILL', stderr: '' });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    const { connection } = open();
    expect(valuesIn(connection).size).toBe(50);
    connection.close();
    expect(names()).toEqual(['majordomus.sqlite', setAside, 'majordomus.sqlite.known']);
  });

  it('between any two of its last renames is finished by the next start', () => {
    const parts = ['-wal', '-shm', ''];
    for (let done = 0; done <= parts.length + 1; done++) {
      for (const part of parts) writeFileSync(path + part, `old${part}`);
      writeFileSync(`${path}.recovered-t${done}`, 'new');
      for (const part of parts.slice(0, done)) renameSync(path + part, `${path}.corrupt-t${done}${part}`);
      if (done > parts.length) renameSync(`${path}.recovered-t${done}`, path);
      finishReplacement(path);
      expect(readFileSync(path, 'utf8')).toBe('new');
      for (const part of parts) expect(readFileSync(`${path}.corrupt-t${done}${part}`, 'utf8')).toBe(`old${part}`);
      expect(existsSync(`${path}-wal`)).toBe(false);
    }
  });
});

describe('damage that is found while the database is used', () => {
  it('ends the use of that connection: what was damaged is set aside, the rest is there, and it is written to again', async () => {
    await using store = await Store.open({ path, log: silentLog });
    const owner = { host: 'igor', plugin: 'velbus' };
    // More than SQLite keeps in memory.
    const count = 420;
    const large = (index: number): string => `${valueOf(index)}${'y'.repeat(60_000)}`;
    await store.set({ ...owner, data: Object.fromEntries(Array.from({ length: count }, (_, index) => [keyOf(index), large(index)])) });
    // Else the log has it all once more, and mends the file.
    const emptying = new Sqlite(path);
    emptying.pragma('wal_checkpoint(TRUNCATE)');
    const bytes = readFileSync(path);
    bytes.fill(0xa5, bytes.length / 2, bytes.length / 2 + 100 * pageBytes);
    writeFileSync(path, bytes);
    emptying.close();
    const answers = await Promise.allSettled(Array.from({ length: count }, (_, index) => store.get({ ...owner, key: keyOf(index) })));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    expect(refused.length).toBeGreaterThan(0);
    for (const reason of refused) expect(reason).toMatchObject({ code: expect.stringMatching(/^(STORAGE_ERROR|CONFIG_NOT_FOUND)$/) });
    await store.set({ ...owner, key: keyOf(0), value: 'after' });
    expect(await store.get({ ...owner, key: keyOf(0) })).toMatchObject({ value: 'after' });
    const all = await store.get(owner);
    expect(Object.keys('data' in all ? all.data : {}).length).toBeGreaterThan(count / 2);
    expect((await store.notices()).notices).toEqual([expect.objectContaining({ text: expect.stringContaining('was damaged') })]);
    expect(names().some((name) => name.includes('.corrupt-'))).toBe(true);
  });
});

describe('what is not damaged is not touched', () => {
  it.each([
    ['of another program', (other: Sqlite.Database) => other.exec('CREATE TABLE theirs (x)'), 'is a database of another program'],
    ['of a newer Majordomus', (other: Sqlite.Database) => void (other.pragma(`application_id = ${applicationId}`), other.pragma(`user_version = ${migrations.length + 1}`)), 'written by a newer Majordomus'],
  ])('a database %s', (_what, make, message) => {
    const other = new Sqlite(path);
    make(other);
    other.close();
    const before = readFileSync(path);
    expect(() => open()).toThrow(message);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(names()).toEqual(['majordomus.sqlite']);
  });

  it('one that was only suspected', () => {
    fill(10);
    const { connection, told } = open(true);
    expect(told).toEqual([]);
    connection.close();
    expect(names()).toEqual(['majordomus.sqlite', 'majordomus.sqlite.known']);
  });
});
