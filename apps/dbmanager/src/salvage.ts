// Reads what can be read of one table of a damaged database: up to the damage, from behind it, and around it by keys, in both
// directions and through each index. It writes nothing, and knows nothing of what the tables are for.
import Sqlite, { type Database } from 'better-sqlite3';

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

/** No row of a house is read by more steps than this around one damaged place. */
const maxSteps = 4000;
const lastCharacter = 0x7e;
const firstCharacter = 0x20;
const afterAllText = '\u{10ffff}';

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
 * @param seeds keys that rows may have, to look behind damage from there
 */
export function salvage(source: Database, shape: TableShape, seeds: readonly Row[]): Salvaged {
  const columns = columnsOf(shape);
  const keyAt = shape.key.map((name) => columns.indexOf(name));
  const rows = new Map<string, Row>();
  const keyOf = (row: Row): Row => keyAt.map((at) => row[at] ?? null);
  const take = (row: Row): void => void rows.set(asText(keyOf(row)), row);
  const order = { table: shape.name, select: columns, key: shape.key, keyOf, take };
  const isWhole = walk(source, order, 'up');
  if (isWhole) return { rows: [...rows.values()], isWhole, lost: [] };
  walk(source, order, 'down');
  for (const seed of seeds) {
    if (rows.has(asText(seed))) continue;
    run(source, order, 'up', seed, true);
    run(source, order, 'down', seed, false);
  }
  return { rows: [...rows.values()], isWhole, lost: throughIndexes(source, shape, rows, take) };
}

/** Rows that an index knows are asked for one by one, since a damaged page then hides only its own. */
function throughIndexes(source: Database, shape: TableShape, rows: ReadonlyMap<string, Row>, take: (row: Row) => void): string[] {
  const lost = new Map<string, string>();
  for (const { name, columns } of shape.indexes) {
    const key = [...columns, 'rowid'];
    const known: Row[] = [];
    walk(source, { table: `${quoted(shape.name)} INDEXED BY ${quoted(name)}`, isQuoted: true, select: key, key, keyOf: (row) => row, take: (row) => void known.push(row) }, 'up');
    walk(source, { table: `${quoted(shape.name)} INDEXED BY ${quoted(name)}`, isQuoted: true, select: key, key, keyOf: (row) => row, take: (row) => void known.push(row) }, 'down');
    for (const entry of known) {
      const rowid = entry.at(-1) ?? null;
      if (rows.has(asText([rowid]))) continue;
      const found = attempt(() => source.prepare<Cell[], Row>(`SELECT ${list(columnsOf(shape))} FROM ${quoted(shape.name)} WHERE rowid = ?`).raw().get(rowid));
      if (found === undefined) lost.set(String(rowid), entry.slice(0, -1).join(' '));
      else take(found);
    }
  }
  return [...lost.values()];
}

interface Order {
  readonly table: string;
  /** Whether `table` is SQL already. */
  readonly isQuoted?: boolean;
  readonly select: readonly string[];
  readonly key: readonly string[];
  readonly keyOf: (row: Row) => Row;
  readonly take: (row: Row) => void;
}

type Direction = 'up' | 'down';
/** How a run ended: at the end of the table, or at damage, after the row with this key if it gave any. */
type RunEnd = { readonly end: 'done' } | { readonly end: 'damage'; readonly last: Row | undefined };

/** Goes from one end to the other and over each damage by the smallest step that leads behind it. False if there was any. */
function walk(source: Database, order: Order, direction: Direction): boolean {
  let at: Row | undefined;
  let ended = run(source, order, direction, undefined, false);
  if (ended.end === 'done') return true;
  let steps = 0;
  while (ended.end === 'damage') {
    at = ended.last ?? at;
    if (at === undefined) return false;
    let landed: RunEnd | undefined;
    for (const step of stepsFrom(at, direction)) {
      if (++steps > maxSteps) return false;
      const tried = run(source, order, direction, step, false);
      if (tried.end === 'done' || tried.last !== undefined) {
        landed = tried;
        break;
      }
    }
    if (landed === undefined) return false;
    ended = landed;
  }
  return false;
}

/** Reads on from a key until the end or the next damage. */
function run(source: Database, { table, isQuoted = false, select, key, keyOf, take }: Order, direction: Direction, from: Row | undefined, inclusive: boolean): RunEnd {
  const compare = (direction === 'up' ? '>' : '<') + (inclusive ? '=' : '');
  const where = from === undefined ? '' : `WHERE (${list(key)}) ${compare} (${key.map(() => '?').join(', ')})`;
  const sorted = key.map((name) => `${quoted(name)} ${direction === 'up' ? 'ASC' : 'DESC'}`).join(', ');
  let last: Row | undefined;
  try {
    const statement = source.prepare<Cell[], Row>(`SELECT ${list(select)} FROM ${isQuoted ? table : quoted(table)} ${where} ORDER BY ${sorted}`).raw();
    for (const row of statement.iterate(...(from ?? []))) {
      take(row);
      last = keyOf(row);
    }
    return { end: 'done' };
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error;
    return { end: 'damage', last };
  }
}

/** Ever coarser steps from a key: the next characters of its last column, those before, then the column before it. */
function* stepsFrom(key: Row, direction: Direction): Generator<Row> {
  for (let column = key.length - 1; column >= 0; column--) {
    const rest = key.slice(column + 1).map((cell) => edgeOf(cell, direction));
    for (const cell of cellsFrom(key[column] ?? null, direction)) yield [...key.slice(0, column), cell, ...rest];
  }
}

function* cellsFrom(cell: Cell, direction: Direction): Generator<Cell> {
  const sign = direction === 'up' ? 1 : -1;
  if (typeof cell === 'number') {
    for (let step = 1; Number.isSafeInteger(cell + sign * step); step *= 2) yield cell + sign * step;
  }
  if (typeof cell !== 'string') return;
  for (let at = cell.length - 1; at >= 0; at--) {
    const end = direction === 'up' ? lastCharacter : firstCharacter;
    for (let code = cell.charCodeAt(at) + sign; sign * code <= sign * end; code += sign) {
      yield cell.slice(0, at) + String.fromCharCode(code) + (direction === 'up' ? '' : afterAllText);
    }
  }
}

/** What stands before or behind all values of that type. */
function edgeOf(cell: Cell, direction: Direction): Cell {
  if (typeof cell === 'number') return direction === 'up' ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
  return direction === 'up' ? '' : afterAllText;
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
