// Reads what can be read of one table of a damaged database: from either end up to the damage, from the keys that stand in its
// pages, and through each index. It writes nothing, and knows nothing of what the tables are for.
import type { Database } from 'better-sqlite3';
import { sqliteCode } from '../file/sqlite-code.ts';
import type { PageKeys } from './page-keys.ts';
import { columnsOf, listed, quoted, sharedShape, widened, type Cell, type Row, type TableShape } from './table-shape.ts';

export interface Salvaged {
  /** In the order of `columns`, after the `rowid` where the table has one. */
  readonly rows: readonly Row[];
  /** Whether every row was read: no damage was met. */
  readonly isWhole: boolean;
  /** What an index names and the table does not give any more, as the columns of that index. */
  readonly lost: readonly string[];
}

/**
 * Reads a table.
 * @param source undefined if nothing of the database can be read
 * @param shape as the rows are given, also if the table has fewer columns
 * @param keys those that stand in the pages of its file, to look behind damage from there
 */
export function salvage(source: Database | undefined, shape: TableShape, keys: PageKeys): Salvaged {
  const known = source === undefined ? undefined : sharedShape(source, shape);
  if (source === undefined || known === undefined) return { rows: [], isWhole: false, lost: [] };
  const found = readTable(source, known, keys);
  return { ...found, rows: widened(found.rows, known, shape) };
}

function readTable(source: Database, shape: TableShape, keys: PageKeys): Salvaged {
  const columns = columnsOf(shape);
  const keyAt = shape.key.map((name) => columns.indexOf(name));
  const rows = new Map<string, Row>();
  const order: Order = { table: quoted(shape.name), select: columns, key: shape.key, keyOf: (row) => keyAt.map((at) => row[at] ?? null) };
  const isWhole = collect(source, order, rows, keysFor(shape.key, keys));
  return { rows: [...rows.values()], isWhole, lost: isWhole ? [] : throughIndexes(source, shape, rows, keys) };
}

/** Rows that an index knows are asked for one by one, since a damaged page then hides only its own. */
function throughIndexes(source: Database, shape: TableShape, rows: Map<string, Row>, keys: PageKeys): string[] {
  const lost = new Map<string, string>();
  for (const { name, columns } of shape.indexes) {
    const key = [...columns, 'rowid'];
    const known = new Map<string, Row>();
    collect(source, { table: `${quoted(shape.name)} INDEXED BY ${quoted(name)}`, select: key, key, keyOf: (row) => row }, known, keysFor(key, keys));
    for (const entry of known.values()) {
      const rowid = entry.at(-1) ?? null;
      if (rows.has(asText([rowid]))) continue;
      const found = attempt(() => source.prepare<Cell[], Row>(`SELECT ${listed(columnsOf(shape))} FROM ${quoted(shape.name)} WHERE rowid = ?`).raw().get(rowid));
      if (found === undefined) lost.set(String(rowid), entry.slice(0, -1).join(' '));
      else rows.set(asText([rowid]), found);
    }
  }
  return [...lost.values()];
}

function keysFor(key: readonly string[], { rowids, records }: PageKeys): Row[] {
  if (key[0] === 'rowid') return rowids.map((rowid) => [rowid]);
  return records.filter((record) => record.length >= key.length).map((record) => record.slice(0, key.length));
}

interface Order {
  /** As SQL. */
  readonly table: string;
  readonly select: readonly string[];
  readonly key: readonly string[];
  readonly keyOf: (row: Row) => Row;
}

const directions = ['up', 'down'] as const;
type Direction = (typeof directions)[number];

/** Reads what can be read into `rows`, by their keys: from both ends, and from each seed both ways. False if there was damage. */
function collect(source: Database, order: Order, rows: Map<string, Row>, seeds: readonly Row[]): boolean {
  if (run(source, order, rows, 'up')) return true;
  run(source, order, rows, 'down');
  for (const seed of seeds) {
    if (rows.has(asText(seed))) continue;
    for (const direction of directions) {
      const before = rows.size;
      run(source, order, rows, direction, { from: seed, limit: 1 });
      // Else what is there was read before.
      if (rows.size > before) run(source, order, rows, direction, { from: seed, limit: -1 });
    }
  }
  return false;
}

/** Reads on from a key, and from the row that has it, until the end, or so many rows. False if it met damage. */
function run(source: Database, { table, select, key, keyOf }: Order, rows: Map<string, Row>, direction: Direction, { from, limit }: { readonly from?: Row; readonly limit: number } = { limit: -1 }): boolean {
  const where = from === undefined ? '' : `WHERE (${listed(key)}) ${direction === 'up' ? '>=' : '<='} (${key.map(() => '?').join(', ')})`;
  const sorted = key.map((name) => `${quoted(name)} ${direction === 'up' ? 'ASC' : 'DESC'}`).join(', ');
  const isRead = attempt(() => {
    const statement = source.prepare<Cell[], Row>(`SELECT ${listed(select)} FROM ${table} ${where} ORDER BY ${sorted} LIMIT ${limit}`).raw();
    for (const row of statement.iterate(...(from ?? []))) rows.set(asText(keyOf(row)), row);
    return true;
  });
  return isRead === true;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
    return undefined;
  }
}

function asText(key: Row): string {
  return JSON.stringify(key);
}
