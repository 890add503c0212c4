// dbmanager as a process. With one of these words it only looks at a database that no house uses, and says so as JSON:
// `check FILE` whether it is whole, `copy FILE TARGET` that it was copied, `unreadable FILE KEY` which secrets the key does not open.
import { reasonOf, runPart } from '@majordomus/runtime';
import { copyDatabase } from './backup/copy.ts';
import { readSettings } from './config.ts';
import { integrityOfFile } from './file/integrity.ts';
import { unreadableSecrets } from './secrets/unreadable-secrets.ts';
import { start } from './service.ts';

const [question, database, other] = process.argv.slice(2);

/** What is asked of a database in place of a start; undefined if nothing is. */
function answer(): object | undefined {
  if (database === undefined) return undefined;
  if (question === 'check') return integrityOfFile(database);
  if (other === undefined) return undefined;
  if (question === 'copy') return { bytes: copyDatabase(database, other) };
  return question === 'unreadable' ? { secrets: unreadableSecrets(database, other) } : undefined;
}

try {
  const answered = answer();
  if (answered === undefined) await runPart({ name: 'dbmanager', readSettings, start });
  else process.stdout.write(`${JSON.stringify(answered)}\n`);
} catch (error) {
  process.stderr.write(`dbmanager: ${database} cannot be used: ${reasonOf(error)}\n`);
  process.exitCode = 1;
}
