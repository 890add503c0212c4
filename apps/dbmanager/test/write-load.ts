// A program for the tests: says on file descriptor 3 what a home has stored for each writer, `stored <writer> <JSON>` a
// line, then writes as fast as it can, many at once, and says what was acknowledged, `<writer> <number>` a line, until it
// is killed, or told to end by the end of its standard input.
import { writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { configGet, configHistory, configSet, databaseCheck } from '@majordomus/contracts';
import { ensureFolder, homePaths, lockHome, silentLog } from '@majordomus/runtime';
import { Store } from '../src/store/store.ts';
import { historyDepth, numberIn, ownerOf, valuesOf, type Stored } from './ledger.ts';

/** Nobody makes this one non-blocking, as can happen to standard output: a line waits until it is taken. */
const told = 3;
const [home = '', writers = '1', load] = process.argv.slice(2);
const { database } = homePaths(home);
ensureFolder(dirname(database));
using _held = lockHome(home, 'dbmanager');
await using store = await Store.open({ path: database, log: silentLog });
const { problems } = await store.do(databaseCheck, {});
for (const problem of problems) writeSync(told, `damaged ${problem}\n`);

async function stored(writer: number): Promise<Stored> {
  const [values, { changes }] = await Promise.all([store.do(configGet, ownerOf(writer)), store.do(configHistory, { ...ownerOf(writer), limit: historyDepth })]);
  return { data: 'data' in values ? values.data : {}, changes };
}

const ending = new AbortController();
process.stdin.on('end', () => ending.abort()).resume();

async function count(writer: number, last: number): Promise<void> {
  for (let number = last + 1; !ending.signal.aborted; number++) {
    await store.do(configSet, { ...ownerOf(writer), data: valuesOf(number) });
    writeSync(told, `${writer} ${number}\n`);
  }
}

const found = await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => stored(writer)));
for (const [writer, one] of found.entries()) writeSync(told, `stored ${writer} ${JSON.stringify(one)}\n`);
writeSync(told, 'checked\n');
if (load !== undefined) await Promise.all(found.map((one, writer) => count(writer, numberIn(one))));
process.stdin.destroy();
