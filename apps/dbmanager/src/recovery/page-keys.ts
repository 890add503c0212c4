// The keys that stand in the pages of a database file (sqlite.org/fileformat2.html, "B-tree Pages" and "Record Format"), so that
// rows can be looked for from there, though what leads to them in order is damaged. It trusts nothing: what is no key finds nothing.
import { closeSync, openSync, readSync } from 'node:fs';
import type { Cell, Row } from './table-shape.ts';

export interface PageKeys {
  /** Of tables with rowids: the first of each page. */
  readonly rowids: readonly number[];
  /** Of indexes and tables without rowids: as many columns as stand in the page, of the first entry of each leaf and of all that are between leaves. */
  readonly records: readonly Row[];
}

const fileHeaderBytes = 100;
const pageKinds = { indexInterior: 0x02, indexLeaf: 0x0a, tableLeaf: 0x0d } as const;
/** No key of a house has more. */
const maxColumns = 8;

export function pageKeysOf(file: string, pageBytes: number): PageKeys {
  const rowids: number[] = [];
  const records: Row[] = [];
  const page = Buffer.alloc(pageBytes);
  const descriptor = openSync(file, 'r');
  try {
    for (let at = 0; readSync(descriptor, page, 0, pageBytes, at) === pageBytes; at += pageBytes) {
      const start = at === 0 ? fileHeaderBytes : 0;
      const kind = page[start];
      if (kind === pageKinds.tableLeaf) rowids.push(...cellsOf(page, start + 8, 1).map((cell) => varint(page, varint(page, cell).next).value));
      if (kind === pageKinds.indexLeaf) records.push(...cellsOf(page, start + 8, 1).map((cell) => recordAt(page, cell)));
      // Before each entry stands the page that is before it.
      if (kind === pageKinds.indexInterior) records.push(...cellsOf(page, start + 12, page.readUInt16BE(start + 3)).map((cell) => recordAt(page, cell + 4)));
    }
    return { rowids, records };
  } finally {
    closeSync(descriptor);
  }
}

/** Where the first entries of a page begin. */
function cellsOf(page: Buffer, pointers: number, atMost: number): number[] {
  const count = Math.min(atMost, Math.floor((page.length - pointers) / 2));
  return Array.from({ length: count }, (_, index) => page.readUInt16BE(pointers + 2 * index));
}

/** What of a record stands in the page: a long one goes on elsewhere, behind its key. */
function recordAt(page: Buffer, cell: number): Row {
  const start = varint(page, cell).next;
  const header = varint(page, start);
  const row: Cell[] = [];
  let value = start + header.value;
  for (let type = header.next; type < start + header.value && row.length < maxColumns; ) {
    const { value: kind, next } = varint(page, type);
    const bytes = bytesOf(kind);
    if (value + bytes > page.length) break;
    row.push(cellAt(page, value, kind, bytes));
    value += bytes;
    type = next;
  }
  return row;
}

function bytesOf(kind: number): number {
  if (kind >= 12) return Math.floor((kind - 12) / 2);
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][kind] ?? 0;
}

function cellAt(page: Buffer, at: number, kind: number, bytes: number): Cell {
  if (kind >= 12) return kind % 2 === 0 ? Buffer.from(page.subarray(at, at + bytes)) : page.toString('utf8', at, at + bytes);
  if (kind === 7) return page.readDoubleBE(at);
  if (kind === 6) return Number(page.readBigInt64BE(at));
  if (kind === 8 || kind === 9) return kind - 8;
  return bytes === 0 ? null : page.readIntBE(at, bytes);
}

/** A number of one to nine bytes; what is beyond the page is taken as 0. */
function varint(page: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let index = 0; index < 8; index++) {
    const byte = page[at + index] ?? 0;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  return { value: value * 256 + (page[at + 8] ?? 0), next: at + 9 };
}
