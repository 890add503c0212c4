// Reads what can be read of one table of a damaged database: from either end up to the damage, from the keys that stand in its
// pages, and through each index. It writes nothing, and knows nothing of what the tables are for.
import Sqlite, { type Database } from 'better-sqlite3';
import type { PageKeys } from './page-keys.ts';

/** What stands in a column. */
export type Cell = string | number | Buffer | null;
export type Row = readonly Cell[];

/** A table as the undamaged schema has it. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** What its rows are ordered by: `rowid`, or the columns of its primary key. */
  readonly key: readonly string[];
  /** Other orders in which they can be found, each an index of a table with rowids. */
  readonly indexes: readonly { readonly name: string; readonly columns: readonly string[] }[];
}

export interface Salvaged {
  /** In the order of `columns`, after the `rowid` where the table has one. */
  readonly rows: readonly Row[];
  /** Whether every row was read: no damage was met. */
  readonly isWhole: boolean;
  /** What an index names and the table does not give any more, as the columns of that index. */
  readonly lost: readonly string[];
}

/** The shape of every table of a database. */
export function shapesOf(connection: Database): TableShape[] {
  const tables = connection.pragma('table_list') as { readonly schema: string; readonly name: string; readonly type: string; readonly wr: number }[];
  return tables.filter(({ schema, type, name }) => schema === 'main' && type === 'table' && !name.startsWith('sqlite_')).map(({ name, wr }) => {
    const info = connection.pragma(`table_info(${quoted(name)})`) as { readonly name: string; readonly pk: number }[];
    const indexes = connection.pragma(`index_list(${quoted(name)})`) as { readonly name: string }[];
    return {
      name,
      columns: info.map((column) => column.name),
      key: wr === 1 ? info.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk).map((column) => column.name) : ['rowid'],
      indexes: wr === 1 ? [] : indexes.map((index) => ({ name: index.name, columns: indexColumns(connection, index.name) })),
    };
  });
}

/** The columns of a row as they are read and written: with the rowid where there is one. */
export function columnsOf({ columns, key }: TableShape): string[] {
  return key[0] === 'rowid' ? ['rowid', ...columns] : [...columns];
}

/**
 * Reads a table.
 * @param keys those that stand in the pages of its file, to look behind damage from there
 */
export function salvage(source: Database, shape: TableShape, keys: PageKeys): Salvaged {
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
      const found = attempt(() => source.prepare<Cell[], Row>(`SELECT ${list(columnsOf(shape))} FROM ${quoted(shape.name)} WHERE rowid = ?`).raw().get(rowid));
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
  const where = from === undefined ? '' : `WHERE (${list(key)}) ${direction === 'up' ? '>=' : '<='} (${key.map(() => '?').join(', ')})`;
  const sorted = key.map((name) => `${quoted(name)} ${direction === 'up' ? 'ASC' : 'DESC'}`).join(', ');
  const isRead = attempt(() => {
    const statement = source.prepare<Cell[], Row>(`SELECT ${list(select)} FROM ${table} ${where} ORDER BY ${sorted} LIMIT ${limit}`).raw();
    for (const row of statement.iterate(...(from ?? []))) rows.set(asText(keyOf(row)), row);
    return true;
  });
  return isRead === true;
}

function indexColumns(connection: Database, index: string): string[] {
  return (connection.pragma(`index_info(${quoted(index)})`) as { readonly name: string }[]).map(({ name }) => name);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) return undefined;
    throw error;
  }
}

function list(columns: readonly string[]): string {
  return columns.map(quoted).join(', ');
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function asText(key: Row): string {
  return JSON.stringify(key);
}
