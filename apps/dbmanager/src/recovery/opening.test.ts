import { readFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DamagedHome } from '../../test/damaged-home.ts';
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
