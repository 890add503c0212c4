// Fills the tables of a new database: with what was read of the damaged one, then, where that has holes, with what the history
// says and the newest backup has. A value that was read wins.
import type { Database } from 'better-sqlite3';
import type { Place } from '../configuration/place.ts';
import { sqliteCode } from '../file/sqlite-code.ts';
import { isSealed } from '../secrets/secrets.ts';
import type { Salvaged } from './salvage.ts';
import { columnsOf, listed, quoted, sharedShape, widened, type Cell, type Row, type TableShape } from './table-shape.ts';

/** What became of a table. */
export interface Filled {
  readonly table: string;
  /** How many rows were read of the damaged one, and are sound. */
  readonly read: number;
  /** The names of the rows that are what the history says. */
  readonly fromHistory: readonly string[];
  /** The names of the rows that the backup has. */
  readonly fromBackup: readonly string[];
  /** Whether nothing was damaged. */
  readonly isWhole: boolean;
  readonly lost: readonly string[];
}

/** The columns that hold JSON, or what is encrypted: anything else in them is damage that SQLite cannot see. */
const jsonColumns: Readonly<Record<string, readonly string[]>> = { config: ['value'], plugin_schema: ['items'], config_history: ['old', 'new'] };

/** The newest change of each value; those of the newest backup are among them. Beside a lone max(), SQLite takes the other columns from the row that has it. */
const newestChanges = '(SELECT host, plugin, key, new, at_ms, max(change) FROM config_history GROUP BY host, plugin, key)';

/** A value whose row is lost is what its newest change made of it. */
const newestOfHistory = `
  INSERT OR IGNORE INTO config (host, plugin, key, value, updated_ms)
  SELECT host, plugin, key, new, at_ms FROM ${newestChanges} WHERE new IS NOT NULL RETURNING key, plugin, host`;

/** What was deleted since the backup was made is not taken from it. */
const deleted = `SELECT key, plugin, host FROM ${newestChanges} WHERE new IS NULL`;

/**
 * Fills each table in turn, inside the transaction of its caller.
 * @param found what was read of each, in the order in which they are filled
 */
export function fill(target: Database, found: ReadonlyMap<TableShape, Salvaged>, backup: Database | undefined): Filled[] {
  return [...found].map(([shape, salvaged]) => {
    const columns = columnsOf(shape);
    const insert = target.prepare<Cell[]>(`INSERT OR IGNORE INTO ${quoted(shape.name)} (${listed(columns)}) VALUES (${columns.map(() => '?').join(', ')})`);
    const put = (row: Row): number => (isSound(shape, row) ? attemptInsert(() => insert.run(...row).changes) : 0);
    const names = (statement: string): string[] => (shape.name === 'config' ? target.prepare<[], Place>(statement).all().map(valueName) : []);
    const read = salvaged.rows.reduce((sum, row) => sum + put(row), 0);
    const isWhole = salvaged.isWhole && read === salvaged.rows.length;
    if (isWhole) return { table: shape.name, read, fromHistory: [], fromBackup: [], isWhole, lost: [] };
    const fromHistory = names(newestOfHistory);
    const left = new Set(names(deleted));
    const fromBackup = backup === undefined ? [] : allRows(backup, shape).filter((row) => !left.has(nameOf(shape, row)) && put(row) > 0).map((row) => nameOf(shape, row));
    return { table: shape.name, read, fromHistory, fromBackup, isWhole, lost: salvaged.lost };
  });
}

function valueName({ key, plugin, host }: Place): string {
  return `${key} of ${plugin} on ${host}`;
}

/** As a person calls a value, and a schema; nobody has a name for the others. */
function nameOf(shape: TableShape, row: Row): string {
  const columns = columnsOf(shape);
  const cell = (name: string): string => String(row[columns.indexOf(name)]);
  return shape.name === 'config' ? valueName({ key: cell('key'), plugin: cell('plugin'), host: cell('host') }) : cell(shape.name === 'plugin_schema' ? 'plugin' : (shape.key[0] ?? ''));
}

function allRows(connection: Database, shape: TableShape): Row[] {
  const known = sharedShape(connection, shape);
  if (known === undefined) return [];
  const rows = connection.prepare<[], Row>(`SELECT ${listed(columnsOf(known))} FROM ${quoted(shape.name)}`).raw().all();
  return widened(rows, known, shape);
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
export function raiseSequences(target: Database, source: Database | undefined): void {
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
export function closeHistory(target: Database): void {
  target.exec(`
    DELETE FROM config_history_pruned;
    INSERT INTO config_history_pruned (host, plugin, change)
      SELECT host, plugin, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'config_history'), 0)
      FROM (SELECT host, plugin FROM config UNION SELECT host, plugin FROM config_history);`);
}
