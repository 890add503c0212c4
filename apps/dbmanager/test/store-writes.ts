// A program for bench/: writes to a store by so many callers for so many seconds, and prints as JSON how many writes were
// acknowledged, in how many commits and milliseconds.
import { configSet } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { Store } from '../src/store/store.ts';

const [path = '', callers = '1', seconds = '1'] = process.argv.slice(2);
await using store = await Store.open({ path, log: silentLog });
const write = (caller: number, value: number): Promise<unknown> => store.do(configSet, { host: 'bench', plugin: `plugin${caller % 16}`, key: `value${caller}`, value });
const all = Array.from({ length: Number(callers) }, (_, caller) => caller);
await Promise.all(all.map((caller) => write(caller, -1)));

const before = store.stats;
const startMs = performance.now();
const endMs = startMs + Number(seconds) * 1000;
await Promise.all(all.map(async (caller) => {
  for (let value = 0; performance.now() < endMs; value++) await write(caller, value);
}));
const ms = performance.now() - startMs;
const { operations, commits } = store.stats;
process.stdout.write(`${JSON.stringify({ writes: operations - before.operations, commits: commits - before.commits, ms })}\n`);
