// A damaged database: what can be read of it goes into a new one, what cannot is taken from its history and the newest backup, and the
// damaged files are set aside. Everything is read from copies, so that the damaged files stay as they were found. A value that was read
// wins over one of a backup; what is lost is told in a notice, which is part of the new database.
import { copyFileSync, existsSync, mkdirSync, openSync, readSync, closeSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { reasonOf, StartError, systemReason, isSystemError } from '@majordomus/runtime';
import { applicationId, sqliteCode } from './connection.ts';
import { backupsIn } from './backup-files.ts';
import { migrate, migrations, versionOf } from './migrations.ts';
import { addNotice, lostValuesTodo } from './notices.ts';
import { pageKeysOf, type PageKeys } from './page-keys.ts';
import { columnsOf, quoted, salvage, shapesOf, type Cell, type Row, type Salvaged, type TableShape } from './salvage.ts';
import { isSealed } from './secrets.ts';
import { finishReplacement, freePlace, replaceDamaged, workingFile } from './set-aside.ts';

export interface Recovery {
  /** What a person is told. */
  readonly text: string;
  /** Where the damaged files are. */
  readonly place: string;
}

export interface RecoveryOptions {
  /** The folder of the daily backups. */
  readonly backups: string;
  readonly wallMs: number;
  /** Called before each step that changes the disk: where a test lets the process die. */
  readonly beforeStep?: (step: RecoveryStep) => void;
}

export const recoverySteps = ['copy', 'make', 'read', 'fill', 'tell', 'replace'] as const;
export type RecoveryStep = (typeof recoverySteps)[number];

/** The columns that hold JSON, or what is encrypted: anything else in them is damage that SQLite cannot see. */
const jsonColumns: Readonly<Record<string, readonly string[]>> = { config: ['value'], plugin_schema: ['items'], config_history: ['old', 'new'] };
/** What a person calls the rows of a table. */
const nouns: Readonly<Record<string, string>> = { config: 'values', plugin_schema: 'schemas of plugins', config_history: 'changes of the history' };
const toldAtMost = 10;
const headerBytes = 100;
/** Every database of a house has pages of this size. */
const pageBytes = 4096;
const magic = 'SQLite format 3\0';
/** A header that says more than this is damaged itself. */
const mostMissingBytes = 1024 ** 3;

/**
 * Replaces a damaged database by what can be had of it. The old or the new one is there if it is interrupted.
 * @param damage what was found, in SQLite's words
 * @throws StartError CANNOT_START if there is no room for it, or it cannot be written; nothing was changed then
 */
export function recover(path: string, damage: string, { backups, wallMs, beforeStep = () => {} }: RecoveryOptions): Recovery {
  const working = workingFile(path);
  const place = freePlace(path, wallMs);
  try {
    finishReplacement(path);
    beforeStep('copy');
    const copy = copyOf(path, working);
    beforeStep('make');
    const made = makeDatabase(path, working, copy, beforeStep, { backups, damage, place, wallMs });
    beforeStep('replace');
    replaceDamaged(path, made.file, place);
    rmSync(`${working}-source`, { recursive: true, force: true });
    return { text: made.text, place };
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    const why = isSystemError(cause) ? systemReason(cause) : reasonOf(cause);
    throw new StartError('CANNOT_START', `${path} is damaged (${damage}), and what is in it cannot be recovered: ${why}; nothing was changed: ${sqliteCode(cause) === 'SQLITE_FULL' || isSystemError(cause, 'ENOSPC', 'EDQUOT') ? 'free some room on its disk, and start again' : 'put a backup in its place (domus restore), or move it away together with its -wal and -shm files'}`, { cause });
  }
}

/** The file and its log, in a folder of their own. */
function copyOf(path: string, working: string): string {
  const folder = `${working}-source`;
  mkdirSync(folder, { mode: 0o700 });
  const copy = join(folder, basename(path));
  for (const part of ['', '-wal', '-journal']) if (existsSync(path + part)) copyFileSync(path + part, copy + part);
  return copy;
}

interface Making {
  readonly backups: string;
  readonly damage: string;
  readonly place: string;
  readonly wallMs: number;
}

function makeDatabase(path: string, working: string, copy: string, beforeStep: (step: RecoveryStep) => void, { backups, damage, place, wallMs }: Making): { readonly file: string; readonly text: string } {
  const target = new Sqlite(working);
  let source: Database | undefined;
  try {
    target.pragma(`application_id = ${applicationId}`);
    migrate(target);
    source = openDamaged(copy, target, working);
    // The history is filled before the values that are taken from it.
    const shapes = shapesOf(target).sort((one, other) => Number(one.name === 'config') - Number(other.name === 'config'));
    beforeStep('read');
    const backup = firstWhole(backupsIn(backups).toReversed().map(({ file }) => join(backups, file)));
    try {
      const keys = keysIn(copy, source);
      const found = new Map(shapes.map((shape) => [shape.name, readTable(source, shape, keys)]));
      beforeStep('fill');
      const told = target.transaction(() => fill(target, shapes, found, backup?.connection)).immediate();
      raiseSequences(target, source);
      if (told.some(({ table, isWhole }) => !isWhole && table.startsWith('config'))) closeHistory(target);
      beforeStep('tell');
      const text = noticeText({ path, damage, place, told, backup: backup === undefined ? undefined : basename(backup.file) });
      addNotice(target, wallMs, text);
      return { file: working, text };
    } finally {
      backup?.connection.close();
    }
  } finally {
    source?.close();
    target.close();
  }
}

/** The copy as SQLite takes it; if it takes it not at all, with a header that says what that of every database of a house does. */
function openDamaged(copy: string, target: Database, working: string): Database | undefined {
  lengthen(copy);
  const opened = tryOpen(copy);
  if (opened !== undefined) return opened;
  if (statSync(copy).size < headerBytes) return undefined;
  mendHeader(copy, working, Number(target.pragma('page_size', { simple: true })));
  rmSync(`${copy}-shm`, { force: true });
  return tryOpen(copy);
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
function mendHeader(copy: string, model: string, pageBytes: number): void {
  const header = readHeader(model);
  const pages = Math.floor(statSync(copy).size / pageBytes);
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

/** The newest of these files that is whole, ours, and not newer than this program. */
function firstWhole(files: readonly string[]): { readonly file: string; readonly connection: Database } | undefined {
  for (const file of files) {
    let connection: Database | undefined;
    try {
      connection = new Sqlite(file, { readonly: true, fileMustExist: true });
      const isUsable = connection.pragma('application_id', { simple: true }) === applicationId && versionOf(connection) <= migrations.length && connection.pragma('quick_check(1)', { simple: true }) === 'ok';
      if (isUsable) return { file, connection };
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
    }
    connection?.close();
  }
  return undefined;
}

/** The keys in the pages of the copy, into which its log is brought before. */
function keysIn(copy: string, source: Database | undefined): PageKeys {
  if (source === undefined) return { rowids: [], records: [] };
  try {
    source.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // Then the keys of pages that are in the log alone are missing.
    if (sqliteCode(error) === undefined) throw error;
  }
  return pageKeysOf(copy, pageBytes);
}

function readTable(source: Database | undefined, shape: TableShape, keys: PageKeys): Salvaged {
  const nothing: Salvaged = { rows: [], isWhole: false, lost: [] };
  const known = source === undefined ? undefined : sharedShape(source, shape);
  if (source === undefined || known === undefined) return nothing;
  const found = salvage(source, known, keys);
  return { ...found, rows: widened(found.rows, known, shape) };
}

/** The table with the columns that another database has of it, too; undefined if it has no such table. An older version has fewer. */
function sharedShape(other: Database, shape: TableShape): TableShape | undefined {
  try {
    const columns = new Set((other.pragma(`table_info(${quoted(shape.name)})`) as { readonly name: string }[]).map(({ name }) => name));
    if (columns.size === 0) return undefined;
    const indexes = new Set((other.pragma(`index_list(${quoted(shape.name)})`) as { readonly name: string }[]).map(({ name }) => name));
    return { ...shape, columns: shape.columns.filter((name) => columns.has(name)), indexes: shape.indexes.filter(({ name }) => indexes.has(name)) };
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
    return undefined;
  }
}

function widened(rows: readonly Row[], from: TableShape, to: TableShape): Row[] {
  const at = columnsOf(to).map((name) => columnsOf(from).indexOf(name));
  return rows.map((row) => at.map((index) => (index < 0 ? null : (row[index] ?? null))));
}

function allRows(connection: Database, shape: TableShape): Row[] {
  const known = sharedShape(connection, shape);
  if (known === undefined) return [];
  const rows = connection.prepare<[], Row>(`SELECT ${columnsOf(known).map(quoted).join(', ')} FROM ${quoted(shape.name)}`).raw().all();
  return widened(rows, known, shape);
}

/** What became of a table. */
interface Told {
  readonly table: string;
  readonly read: number;
  readonly fromHistory: number;
  readonly fromBackup: number;
  readonly isWhole: boolean;
  readonly lost: readonly string[];
}

/** A value whose row is lost is what its newest change made of it; the changes of the newest backup are among them. Beside a lone max(), SQLite takes the other columns from the row that has it. */
const newestOfHistory = `
  INSERT OR IGNORE INTO config (host, plugin, key, value, updated_ms)
  SELECT host, plugin, key, new, at_ms FROM (SELECT host, plugin, key, new, at_ms, max(change) FROM config_history GROUP BY host, plugin, key) WHERE new IS NOT NULL`;

function fill(target: Database, shapes: readonly TableShape[], found: ReadonlyMap<string, Salvaged>, backup: Database | undefined): Told[] {
  return shapes.flatMap((shape) => {
    const salvaged = found.get(shape.name);
    if (salvaged === undefined) return [];
    const columns = columnsOf(shape);
    const insert = target.prepare<Cell[]>(`INSERT OR IGNORE INTO ${quoted(shape.name)} (${columns.map(quoted).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`);
    const put = (row: Row): number => (isSound(shape, row) ? attemptInsert(() => insert.run(...row).changes) : 0);
    const read = salvaged.rows.reduce((sum, row) => sum + put(row), 0);
    const isWhole = salvaged.isWhole && read === salvaged.rows.length;
    const fromHistory = isWhole || shape.name !== 'config' ? 0 : target.prepare(newestOfHistory).run().changes;
    const fromBackup = isWhole || backup === undefined ? 0 : allRows(backup, shape).reduce((sum, row) => sum + put(row), 0);
    return [{ table: shape.name, read, fromHistory, fromBackup, isWhole, lost: salvaged.lost }];
  });
}

function attemptInsert(insert: () => number): number {
  try {
    return insert();
  } catch (error) {
    // What is not of the column's type is damage, too.
    if (sqliteCode(error)?.startsWith('SQLITE_CONSTRAINT') === true) return 0;
    throw error;
  }
}

function isSound(shape: TableShape, row: Row): boolean {
  const columns = columnsOf(shape);
  return row.every((cell, at) => typeof cell !== 'string' || (!cell.includes('\uFFFD') && (jsonColumns[shape.name]?.includes(columns[at] ?? '') !== true || isSealed(cell) || isJson(cell))));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A number that was given is not given again, even if what had it could not be read. */
function raiseSequences(target: Database, source: Database | undefined): void {
  let sequences: { readonly name: string; readonly seq: number }[] = [];
  try {
    sequences = (source?.prepare('SELECT name, seq FROM sqlite_sequence').all() ?? []) as typeof sequences;
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
  }
  for (const { name, seq } of sequences) {
    if (!Number.isSafeInteger(seq)) continue;
    if (target.prepare('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?').run(seq, name).changes === 0) {
      target.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(name, seq);
    }
  }
}

/** A history with holes would give back values that never were: nothing goes back behind them. */
function closeHistory(target: Database): void {
  target.exec(`
    DELETE FROM config_history_pruned;
    INSERT INTO config_history_pruned (host, plugin, change)
      SELECT host, plugin, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'config_history'), 0)
      FROM (SELECT host, plugin FROM config UNION SELECT host, plugin FROM config_history);`);
}

interface Story {
  readonly path: string;
  readonly damage: string;
  readonly place: string;
  readonly told: readonly Told[];
  readonly backup: string | undefined;
}

function noticeText({ path, damage, place, told, backup }: Story): string {
  const shown = told.filter(({ table }) => nouns[table] !== undefined);
  const counted = (count: (one: Told) => number): string => shown.filter((one) => count(one) > 0).map((one) => `${count(one)} ${nouns[one.table]}`).join(', ');
  const read = counted(({ read: rows }) => rows);
  const remembered = counted(({ fromHistory }) => fromHistory);
  const filled = counted(({ fromBackup }) => fromBackup);
  const holes = shown.filter(({ isWhole }) => !isWhole).map(({ table, lost }) => `${nouns[table]}${lost.length === 0 ? '' : ` (${lost.slice(0, toldAtMost).join(', ')}${lost.length > toldAtMost ? ', …' : ''})`}`);
  const facts = [
    `the database ${path} was damaged (${damage.replaceAll(/\s+/g, ' ').slice(0, 200)})`,
    `recovered: ${read === '' ? 'nothing' : read}`,
    ...(holes.length === 0 ? ['nothing is missing'] : [
      `not all could be read of: ${holes.join(', ')}`,
      ...(remembered === '' ? [] : [`taken from the history: ${remembered}`]),
      backup === undefined ? 'there is no backup to fill it from' : `taken from the backup ${backup}: ${filled === '' ? 'nothing that was missing' : filled}`,
    ]),
    `the damaged files are kept as ${place}`,
  ];
  // Who reads the first words knows what to do.
  return `${holes.length === 0 ? '' : `look through the configuration for what is old or missing (domus config list); ${lostValuesTodo}; `}see that the disk is healthy: ${facts.join('; ')}`;
}
