import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { OpenDatabase } from '../../test/open-database.ts';
import { pageKeysOf } from './page-keys.ts';

const pageBytes = 4096;

it('the first key of each page of a table or an index is found', () => {
  using house = new OpenDatabase();
  house.set(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`key-${index}`, `é${'x'.repeat(60)}`])));
  house.connection.pragma('wal_checkpoint(TRUNCATE)');
  const { rowids, records } = pageKeysOf(house.path, pageBytes);
  expect(rowids).toContain(1);
  const leaves = Number(house.connection.prepare("SELECT count(*) FROM dbstat WHERE name = 'config' AND pagetype = 'leaf'").pluck().get());
  const found = records.filter((record) => record[1] === 'vault' && String(record[2]).startsWith('key-'));
  // And each that stands between two leaves.
  expect(found).toHaveLength(2 * leaves - 1);
  for (const record of found) expect(record).toEqual(['igor', 'vault', expect.stringMatching(/^key-\d+$/), JSON.stringify(`é${'x'.repeat(60)}`), expect.any(Number)]);
});

it('garbage is read without harm', () => {
  using house = new OpenDatabase();
  const file = join(house.folder.path, 'garbage');
  fc.assert(
    fc.property(fc.constantFrom(0x02, 0x0a, 0x0d), fc.uint8Array({ minLength: 200, maxLength: 400 }), fc.constantFrom(0, 0x81, 0xff), (kind, bytes, rest) => {
      const pages = Buffer.alloc(2 * pageBytes, rest);
      pages.set(bytes, pageBytes - bytes.length);
      pages.set(bytes, pageBytes);
      pages[pageBytes] = kind;
      writeFileSync(file, pages);
      const { rowids, records } = pageKeysOf(file, pageBytes);
      expect(rowids.length + records.length).toBeLessThan(2 * pageBytes);
    }),
    { numRuns: 200 },
  );
});
