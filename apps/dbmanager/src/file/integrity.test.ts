import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { folderOfEachTest } from '../../test/folder-of-each-test.ts';
import { ConfigurationDatabase } from '../database/database.ts';
import { openConnection } from './connection.ts';
import { integrityOf, integrityOfFile } from './integrity.ts';

let path: string;
folderOfEachTest((folder) => (path = join(folder, 'x.sqlite')));

/** Enough values for several pages. */
function fill(): void {
  const connection = openConnection(path);
  const data = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`key-${index}`, 'x'.repeat(100)]));
  new ConfigurationDatabase(connection).run([{ action: 'config.set', data: { host: 'igor', plugin: 'velbus', data } }]);
  connection.close();
}

it('a whole database is whole, and its size is known, while it is open and in its file', () => {
  fill();
  using connection = opened();
  const expected = { problems: [], bytes: statSync(path).size };
  expect(integrityOf(connection.database)).toEqual(expected);
  expect(integrityOfFile(path)).toEqual(expected);
});

it('a damaged page is told, and nothing is written', () => {
  fill();
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, 3 * 4096);
  closeSync(file);
  const before = readFileSync(path);
  expect(integrityOfFile(path).problems).not.toEqual([]);
  expect(readFileSync(path).equals(before)).toBe(true);
});

it.each([['is none', 'This is text, and none of SQLite.'.repeat(100), /not a database/]])('a file that %s is told', (_what, content, expected) => {
  writeFileSync(path, content);
  expect(integrityOfFile(path)).toEqual({ problems: [expect.stringMatching(expected)], bytes: 0 });
});

it('the program says it as JSON', () => {
  fill();
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  expect(JSON.parse(execFileSync(process.execPath, [main, 'check', path], { encoding: 'utf8' }))).toEqual(integrityOfFile(path));
  expect(JSON.parse(execFileSync(process.execPath, [main, 'check', `${path}.absent`], { encoding: 'utf8' }))).toMatchObject({ problems: [expect.stringMatching(/./)] });
});

function opened(): { readonly database: ReturnType<typeof openConnection> } & Disposable {
  const database = openConnection(path);
  return { database, [Symbol.dispose]: () => void database.close() };
}
