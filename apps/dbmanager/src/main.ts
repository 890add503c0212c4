// dbmanager as a process; `check FILE` only says, as JSON, whether a database is whole.
import { runPart } from '@majordomus/runtime';
import { readSettings } from './config.ts';
import { integrityOfFile } from './integrity.ts';
import { start } from './service.ts';

const [first, file] = process.argv.slice(2);
if (first === 'check' && file !== undefined) {
  process.stdout.write(`${JSON.stringify(integrityOfFile(file))}\n`);
} else {
  await runPart({ name: 'dbmanager', readSettings, start });
}
