// A home whose database the tests damage, and words for what is found in it afterwards.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect } from 'vitest';
import { ConfigurationDatabase } from '../src/database/database.ts';
import { roomOf } from '../src/file/room.ts';
import { openDatabase, type Opened } from '../src/recovery/opening.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const pageBytes = 4096;
export const wallMs = Date.UTC(2026, 10, 22, 3, 4, 5);
/** Where a database goes that is found damaged at `wallMs`. */
export const setAside = 'majordomus.sqlite.corrupt-2026-11-22T03-04-05Z';
/** How many values a database is filled with. */
export const values = 800;

export const keyOf = (index: number): string => `key-${String(index).padStart(5, '0')}`;
export const valueOf = (index: number): string => `value ${index} ${'x'.repeat(index % 200)}`;

export class DamagedHome implements Disposable {
  readonly folder = temporaryFolder();
  readonly path = join(this.folder.path, 'db', 'majordomus.sqlite');
  readonly backups = join(this.folder.path, 'backups');

  constructor() {
    mkdirSync(dirname(this.path));
    mkdirSync(this.backups);
  }

  names(): string[] {
    return readdirSync(dirname(this.path)).sort();
  }

  open(isSuspect = false): Opened {
    return openDatabase(this.path, { backups: this.backups, room: roomOf(this.folder.path, 0), wallMs, isSuspect });
  }

  /** A database of several levels of pages, closed in order. */
  fill(count = values): void {
    const { connection } = this.open();
    const database = new ConfigurationDatabase(connection);
    const items = { limit: { type: 'integer', description: 'the limit', default: 5 } } as const;
    const data = Object.fromEntries(Array.from({ length: count }, (_, index) => [keyOf(index), valueOf(index)]));
    database.run([
      { action: 'config.set', data: { host: 'igor', plugin: 'velbus', data } },
      { action: 'schema.set', data: { plugin: 'diskfree', version: '1.0.0', items } },
    ]);
    connection.close();
  }

  damagePages(pages: readonly number[], byte = 0xa5): void {
    const bytes = readFileSync(this.path);
    for (const page of pages) bytes.fill(byte, (page - 1) * pageBytes, page * pageBytes);
    writeFileSync(this.path, bytes);
  }

  /** The pages that hold rows of a table, the leaves of its tree. */
  leavesOf(table: string): number[] {
    const connection = new Sqlite(this.path, { readonly: true });
    try {
      return connection.prepare<[string], number>("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path").pluck().all(table);
    } finally {
      connection.close();
    }
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

/** Every value of a database by its key, each checked against what was written. */
export function valuesIn(connection: Sqlite.Database): Map<string, string> {
  const rows = connection.prepare<[], { key: string; value: string }>("SELECT key, value FROM config WHERE plugin = 'velbus'").all();
  for (const { key, value } of rows) expect(JSON.parse(value)).toBe(valueOf(Number(key.slice(4))));
  return new Map(rows.map(({ key, value }) => [key, value]));
}

export const noticesIn = (connection: Sqlite.Database): string[] => connection.prepare<[], string>('SELECT text FROM notice').pluck().all();
