// The settings of the broker as a process for the fuzz: each line of its input is a home, each line of its output says what became
// of the majordomus.toml in it.
import { createInterface } from 'node:readline';
import { StartError } from '@majordomus/runtime';
import { readSettings } from '../src/config.ts';

for await (const home of createInterface({ input: process.stdin })) {
  try {
    readSettings(['--home', home], {});
    console.log(JSON.stringify({ ok: true }));
  } catch (error) {
    console.log(JSON.stringify(error instanceof StartError
      ? { ok: false, code: error.code, reason: error.message }
      : { ok: false, code: 'THROWN', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }));
  }
}
