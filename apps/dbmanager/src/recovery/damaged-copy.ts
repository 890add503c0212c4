// Copies a damaged database and opens the copy, mended so far that SQLite takes it: nothing is written to the damaged files
// themselves. What of its rows can be read is not this file's business.
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { sqliteCode } from '../file/sqlite-code.ts';
import { pageKeysOf, type PageKeys } from './page-keys.ts';

const headerBytes = 100;
/** Every database of a house has pages of this size. */
const pageBytes = 4096;
const magic = 'SQLite format 3\0';
/** A header that says more than this is damaged itself. */
const mostMissingBytes = 1024 ** 3;

/**
 * Copies the file and its log.
 * @param folder is made for them
 * @returns the copy of the file
 */
export function copyDamaged(path: string, folder: string): string {
  mkdirSync(folder, { mode: 0o700 });
  const copy = join(folder, basename(path));
  for (const part of ['', '-wal', '-journal']) if (existsSync(path + part)) copyFileSync(path + part, copy + part);
  return copy;
}

/**
 * The copy as SQLite takes it; if it takes it not at all, with a header that says what that of every database of a house does.
 * @param model such a database, whose header is written
 * @returns undefined if none of its tables can be found
 */
export function openDamaged(copy: string, model: Database): Database | undefined {
  lengthen(copy);
  const opened = tryOpen(copy);
  if (opened !== undefined) return opened;
  if (statSync(copy).size < headerBytes) return undefined;
  mendHeader(copy, model);
  rmSync(`${copy}-shm`, { force: true });
  return tryOpen(copy);
}

/** The keys in the pages of the copy, into which its log is brought before. */
export function keysIn(copy: string, source: Database | undefined): PageKeys {
  if (source === undefined) return { rowids: [], records: [] };
  try {
    source.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // Then the keys of pages that are in the log alone are missing.
    if (sqliteCode(error) === undefined) throw error;
  }
  return pageKeysOf(copy, pageBytes);
}

/** A file that was cut is as long again as its header says, or SQLite would not read even what stands before the cut. */
function lengthen(copy: string): void {
  const { size } = statSync(copy);
  if (size < headerBytes) return;
  const header = readHeader(copy);
  const saidBytes = header.readUInt16BE(16) * header.readUInt32BE(28);
  if (header.toString('latin1', 0, magic.length) === magic && saidBytes > size && saidBytes <= size + mostMissingBytes) truncateSync(copy, saidBytes);
}

function tryOpen(file: string): Database | undefined {
  let connection: Database | undefined;
  try {
    connection = new Sqlite(file);
    const tables = connection.prepare<[], string>('SELECT name FROM sqlite_schema').pluck().all();
    if (tables.includes('config')) return connection;
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
  }
  connection?.close();
  return undefined;
}

/** The first 100 bytes (sqlite.org/fileformat2.html, "The Database Header") of another database of the same program, with the size of this one and no free pages. */
function mendHeader(copy: string, model: Database): void {
  const header = readHeader(model.name);
  const pages = Math.floor(statSync(copy).size / Number(model.pragma('page_size', { simple: true })));
  header.writeUInt32BE(pages, 28);
  header.copy(header, 92, 24, 28);
  header.fill(0, 32, 40);
  const to = openSync(copy, 'r+');
  writeSync(to, header, 0, headerBytes, 0);
  closeSync(to);
}

function readHeader(file: string): Buffer {
  const header = Buffer.alloc(headerBytes);
  const from = openSync(file, 'r');
  readSync(from, header, 0, headerBytes, 0);
  closeSync(from);
  return header;
}
