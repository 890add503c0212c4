import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DamagedHome, noticesIn, setAside, valuesIn } from '../../test/damaged-home.ts';
import { copyDatabase } from '../backup/copy.ts';
import { applicationId } from '../file/connection.ts';
import { migrations } from '../file/migrations.ts';

let home: DamagedHome;

beforeEach(() => {
  home = new DamagedHome();
});
afterEach(() => home[Symbol.dispose]());

describe('what is not damaged is not touched', () => {
  it.each([
    ['of another program', (other: Sqlite.Database) => other.exec('CREATE TABLE theirs (x)'), 'is a database of another program'],
    ['of a newer Majordomus', (other: Sqlite.Database) => void (other.pragma(`application_id = ${applicationId}`), other.pragma(`user_version = ${migrations.length + 1}`)), 'written by a newer Majordomus'],
  ])('a database %s', (_what, make, message) => {
    const other = new Sqlite(home.path);
    make(other);
    other.close();
    const before = readFileSync(home.path);
    expect(() => home.open()).toThrow(message);
    expect(readFileSync(home.path).equals(before)).toBe(true);
    expect(home.names()).toEqual(['majordomus.sqlite']);
  });

  it('one that was only suspected', () => {
    home.fill(10);
    const { connection, told } = home.open(true);
    expect(told).toEqual([]);
    connection.close();
    expect(home.names()).toEqual(['majordomus.sqlite', 'majordomus.sqlite.known']);
  });
});

describe('a start without a database', () => {
  /** What is told, and kept as a notice. */
  function told(): readonly string[] {
    const { connection, told: all } = home.open();
    expect(noticesIn(connection)).toEqual(all);
    connection.close();
    return all;
  }

  it('is told where there are backups, though nothing else says that there was one; the newest is named', () => {
    expect(told()).toEqual([]);
    for (const part of ['', '.known']) rmSync(home.path + part);
    // The clock was ahead when the last one was made.
    for (const time of ['2026-11-20T03-00-00Z', '2026-11-21T03-00-00Z', '2031-01-01T00-00-00Z']) writeFileSync(join(home.backups, `majordomus-${time}.sqlite`), '');
    expect(told()).toEqual([expect.stringContaining(`put a backup back (the newest: domus restore --force ${home.backups}/majordomus-2026-11-21T03-00-00Z.sqlite)`)]);
  });

  it('is told where there was one, also without a backup', () => {
    home.fill(1);
    rmSync(home.path);
    expect(told()).toEqual([expect.stringMatching(/was not there any more, and is a new and empty one now; .*put a backup back \(domus restore\)/)]);
  });
});

describe('a rescue that was killed', () => {
  const rescued = 'majordomus.sqlite.rescued-2026-11-22T03-04-04Z';
  let copy: string;

  beforeEach(() => {
    home.fill(10);
    copy = join(home.path, '..', rescued);
  });

  /** What is told at the start, which reads the ten values. */
  function told(): string {
    const { connection, told: all } = home.open();
    expect(valuesIn(connection).size).toBe(10);
    connection.close();
    return all.join();
  }

  it('before its copy had the name of the database, is finished by the next start, without the old log', () => {
    copyDatabase(home.path, copy);
    rmSync(home.path);
    writeFileSync(`${home.path}-wal`, 'of the deleted database');
    expect(told()).toContain('nothing is missing');
    expect(home.names()).toEqual(['majordomus.sqlite', 'majordomus.sqlite.known']);
  });

  it('when its copy had both names, is finished, too', () => {
    copyDatabase(home.path, copy);
    rmSync(home.path);
    linkSync(copy, home.path);
    expect(told()).toContain('was written anew');
    expect(home.names()).toEqual(['majordomus.sqlite', 'majordomus.sqlite.known']);
  });

  it('and another database came: that one is used, and the copy is kept', () => {
    copyDatabase(home.path, copy);
    expect(told()).toContain('that other file is used now');
    expect(home.names()).toEqual(['majordomus.sqlite', 'majordomus.sqlite.known', 'majordomus.sqlite.replaced-2026-11-22T03-04-05Z']);
  });

  it('and its copy was damaged: that is set aside', () => {
    writeFileSync(copy, 'x'.repeat(5000));
    expect(told()).toContain('is damaged, and kept');
    expect(home.names()).toEqual(['majordomus.sqlite', setAside, 'majordomus.sqlite.known']);
  });
});
