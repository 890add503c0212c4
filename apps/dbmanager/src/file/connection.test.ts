import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { StartError } from '@majordomus/runtime';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { openConnection } from './connection.ts';
import { migrations } from './migrations.ts';

/** The StartError with which opening ends. */
function refusalOf(path: string, steps = migrations): StartError {
  try {
    openConnection(path, steps).close();
  } catch (error) {
    if (error instanceof StartError) return error;
    throw error;
  }
  return expect.unreachable(`${path} was opened`);
}

describe('the database file', () => {
  it('is opened for durable commits: write-ahead log, synced at each commit', () => {
    using folder = temporaryFolder();
    const connection = openConnection(join(folder.path, 'x.sqlite'));
    expect(connection.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(connection.pragma('synchronous', { simple: true })).toBe(2);
    expect(connection.pragma('foreign_keys', { simple: true })).toBe(1);
    connection.close();
  });

  it('may be empty, as an interrupted first start can leave it', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'x.sqlite');
    writeFileSync(path, '');
    openConnection(path).close();
    openConnection(path).close();
  });

  it('from a newer version is refused, says both versions, and is not changed', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'x.sqlite');
    openConnection(path, [...migrations, { name: 'future', up: (open) => open.exec('CREATE TABLE future (x)') }]).close();
    const before = readFileSync(path);
    const { code, message } = refusalOf(path);
    expect(code).toBe('DATABASE_TOO_NEW');
    expect(message).toContain(`has version ${migrations.length + 1}, and this program knows versions up to ${migrations.length}`);
    expect(message).toContain('upgrade this one');
    expect(message).not.toContain('\n');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('that is no database is damaged, and not changed', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'x.sqlite');
    writeFileSync(path, 'protocol = "velbus"\n'.repeat(1000));
    const before = readFileSync(path);
    const { code, message } = refusalOf(path);
    expect(code).toBe('CANNOT_START');
    expect(message).toMatch(/x\.sqlite is damaged or not a database \(file is not a database\); nothing was changed$/);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('with damaged pages is refused, and not changed', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'x.sqlite');
    const connection = openConnection(path);
    const fill = connection.prepare("INSERT INTO config VALUES ('igor', 'velbus', ?, ?, 0)");
    connection.transaction(() => {
      for (let index = 0; index < 500; index++) fill.run(`key${index}`, JSON.stringify('x'.repeat(100)));
    })();
    connection.close();
    const bytes = readFileSync(path);
    bytes.fill(0xab, 3 * 4096, 5 * 4096);
    writeFileSync(path, bytes);
    const { code, message } = refusalOf(path);
    expect(code).toBe('CANNOT_START');
    expect(message).toContain('is damaged or not a database');
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('of another program is refused, whatever it has', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'x.sqlite');
    const other = new Sqlite(path);
    other.exec('CREATE TABLE theirs (x)');
    other.close();
    const { code, message } = refusalOf(path);
    expect(code).toBe('CANNOT_START');
    expect(message).toContain('is a database of another program');
  });

  it('that cannot be opened is refused', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'x.sqlite');
    mkdirSync(path);
    const { code, message } = refusalOf(path);
    expect(code).toBe('HOME_NOT_WRITABLE');
    expect(message).toContain('choose another home with --home or DOMUS_HOME');
  });

  it('where no write-ahead log is possible is refused', () => {
    const { code, message } = refusalOf(':memory:');
    expect(code).toBe('CANNOT_START');
    expect(message).toContain('cannot use a write-ahead log (its journal mode is memory)');
  });

  it('whose migration fails is closed and stays at its version', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'x.sqlite');
    openConnection(path).close();
    const failing = [...migrations, { name: 'failing', up: (open: Sqlite.Database) => open.exec('DROP TABLE config; DROP TABLE nowhere') }];
    const { code, message } = refusalOf(path, failing);
    expect(code).toBe('CANNOT_START');
    expect(message).toContain(`the step to version ${failing.length} (failing) failed`);
    const connection = openConnection(path);
    expect(connection.prepare('SELECT count(*) FROM config').pluck().get()).toBe(0);
    connection.close();
  });
});
