import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { migrate, MigrationFailure, migrations, versionOf, type Migration } from './migrations.ts';

/** Every table and index, as SQLite keeps it. */
function form(connection: Database): unknown[] {
  return connection.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all();
}

const addNote: Migration = { name: 'notes', up: (connection) => connection.exec("CREATE TABLE note (text TEXT NOT NULL) STRICT; INSERT INTO note VALUES ('kept')") };
const failHalfWay: Migration = {
  name: 'half',
  up: (connection) => {
    connection.exec("CREATE TABLE half (x TEXT) STRICT; UPDATE note SET text = 'overwritten'");
    connection.exec('INSERT INTO nowhere VALUES (1)');
  },
};

describe('migrations', () => {
  it('bring a new database to the newest version', () => {
    const connection = new Sqlite(':memory:');
    migrate(connection);
    expect(versionOf(connection)).toBe(migrations.length);
    expect(form(connection)).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'config' }), expect.objectContaining({ name: 'plugin_schema' })]));
  });

  it('bring every older version to the same form', () => {
    const fresh = new Sqlite(':memory:');
    migrate(fresh);
    for (let version = 0; version <= migrations.length; version++) {
      const older = new Sqlite(':memory:');
      migrate(older, migrations.slice(0, version));
      expect(versionOf(older)).toBe(version);
      migrate(older);
      expect(form(older)).toEqual(form(fresh));
    }
  });

  it('run only the steps that are missing, and keep what is stored', () => {
    const connection = new Sqlite(':memory:');
    migrate(connection, [...migrations, addNote]);
    connection.exec("INSERT INTO config VALUES ('igor', 'velbus', 'protocol', '1', 0)");
    migrate(connection, [...migrations, addNote, { name: 'more', up: (open) => open.exec('ALTER TABLE note ADD COLUMN more TEXT') }]);
    expect(versionOf(connection)).toBe(migrations.length + 2);
    expect(connection.prepare('SELECT * FROM note').all()).toEqual([{ text: 'kept', more: null }]);
    expect(connection.prepare('SELECT value FROM config').pluck().all()).toEqual(['1']);
  });

  it('that fail leave the database as the step before left it', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'x.sqlite');
    const connection = new Sqlite(path);
    const steps = [...migrations, addNote];
    migrate(connection, steps);
    const before = form(connection);
    expect(() => migrate(connection, [...steps, failHalfWay])).toThrow(MigrationFailure);
    expect(() => migrate(connection, [...steps, failHalfWay])).toThrow(`the step to version ${steps.length + 1} (half) failed: no such table: nowhere; it is still at version ${steps.length}`);
    connection.close();
    const again = new Sqlite(path);
    expect(versionOf(again)).toBe(steps.length);
    expect(form(again)).toEqual(before);
    expect(again.prepare('SELECT text FROM note').pluck().all()).toEqual(['kept']);
    again.close();
  });

  it('before the one that fails stand', () => {
    const connection = new Sqlite(':memory:');
    expect(() => migrate(connection, [...migrations, addNote, failHalfWay])).toThrow(MigrationFailure);
    expect(versionOf(connection)).toBe(migrations.length + 1);
  });
});
