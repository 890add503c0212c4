// The tables of a database as an undamaged schema has them, and rows of another database as one of these takes them. It knows
// nothing of what the tables are for.
import type { Database } from 'better-sqlite3';
import { sqliteCode } from '../file/sqlite-code.ts';

/** What stands in a column. */
export type Cell = string | number | Buffer | null;
export type Row = readonly Cell[];

export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** What its rows are ordered by: `rowid`, or the columns of its primary key. */
  readonly key: readonly string[];
  /** Other orders in which they can be found, each an index of a table with rowids. */
  readonly indexes: readonly { readonly name: string; readonly columns: readonly string[] }[];
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

function indexColumns(connection: Database, index: string): string[] {
  return (connection.pragma(`index_info(${quoted(index)})`) as { readonly name: string }[]).map(({ name }) => name);
}

/** The columns of a row as they are read and written: with the rowid where there is one. */
export function columnsOf({ columns, key }: TableShape): string[] {
  return key[0] === 'rowid' ? ['rowid', ...columns] : [...columns];
}

/** The table with the columns that another database has of it, too; undefined if it has no such table. An older version has fewer. */
export function sharedShape(other: Database, shape: TableShape): TableShape | undefined {
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

/** Rows of a table that has fewer columns, with nothing in those that it has not. */
export function widened(rows: readonly Row[], from: TableShape, to: TableShape): Row[] {
  const at = columnsOf(to).map((name) => columnsOf(from).indexOf(name));
  return rows.map((row) => at.map((index) => (index < 0 ? null : (row[index] ?? null))));
}

/** Names as SQL has them in a list. */
export function listed(names: readonly string[]): string {
  return names.map(quoted).join(', ');
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
