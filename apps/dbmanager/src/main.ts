// dbmanager as a process. With one of these words it only looks at a database that no house uses, and says so as JSON:
// `check FILE` whether it is whole, `copy FILE TARGET` that it was copied, `unreadable FILE KEY` which secrets the key does not open.
import { reasonOf, runPart } from '@majordomus/runtime';
import { readSettings } from './config.ts';
import { copyDatabase } from './copy.ts';
import { integrityOfFile } from './integrity.ts';
import { start } from './service.ts';
import { unreadableSecrets } from './unreadable-secrets.ts';

const [word, file, other] = process.argv.slice(2);

/** What is asked of a database in place of a start; undefined if nothing is. */
function answer(): object | undefined {
  if (word === 'check' && file !== undefined) return integrityOfFile(file);
  if (word === 'copy' && file !== undefined && other !== undefined) return { bytes: copyDatabase(file, other) };
  if (word === 'unreadable' && file !== undefined && other !== undefined) return { secrets: unreadableSecrets(file, other) };
  return undefined;
}

try {
  const answered = answer();
  if (answered === undefined) await runPart({ name: 'dbmanager', readSettings, start });
  else process.stdout.write(`${JSON.stringify(answered)}\n`);
} catch (error) {
  process.stderr.write(`dbmanager: ${file} cannot be used: ${reasonOf(error)}\n`);
  process.exitCode = 1;
}
