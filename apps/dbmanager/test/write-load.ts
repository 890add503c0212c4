// A program for the tests: writes to the store of a home as fast as it can, many at once, and says on file descriptor 3
// what was acknowledged, `<writer> <number>` a line, until it is killed. Each writer counts on from what is stored.
import { writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensureFolder, homePaths, lockHome, silentLog } from '@majordomus/runtime';
import { Store } from '../src/store.ts';

const writers = 32;
/** Nobody makes this one non-blocking, as can happen to standard output: a line waits until it is taken. */
const acknowledgements = 3;
const [home = ''] = process.argv.slice(2);
const { database } = homePaths(home);
ensureFolder(dirname(database));
using _held = lockHome(home, 'dbmanager');
const store = await Store.open({ path: database, log: silentLog });

async function count(writer: number): Promise<never> {
  const owner = { host: 'load', plugin: `writer${writer}` };
  const stored = await store.get(owner);
  let last = 'data' in stored && typeof stored.data['number'] === 'number' ? stored.data['number'] : 0;
  for (;;) {
    last++;
    // Two keys, so that half of a write would show.
    await store.set({ ...owner, data: { number: last, same: last } });
    writeSync(acknowledgements, `${writer} ${last}\n`);
  }
}

await Promise.all(Array.from({ length: writers }, (_, writer) => count(writer)));
