// What dbmanager's program says of a database that no house uses: the command line opens none itself.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { partProgram } from '../parts.ts';
import { CommandError } from '../failure.ts';

/** Reading a large database takes a while on a slow card. */
const limitMs = 30 * 60_000;

/** Copies a database of a stopped house. */
export async function copyDatabase(file: string, target: string): Promise<void> {
  await run('copy', file, target);
}

/** What is damaged in a database; nothing if it is whole. */
export async function problemsOf(file: string): Promise<readonly string[]> {
  return (await run('check', file)).problems as string[];
}

export interface UnreadableSecret {
  readonly host: string;
  readonly plugin: string;
  readonly key: string;
}

/** The secrets that a key, which may be absent, does not open. */
export async function unreadableSecrets(file: string, keyFile: string): Promise<readonly UnreadableSecret[]> {
  return (await run('unreadable', file, keyFile)).secrets as UnreadableSecret[];
}

async function run(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [partProgram('dbmanager'), ...args], { timeout: limitMs });
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const said = typeof cause === 'object' && cause !== null && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new CommandError('DATABASE_UNREADABLE', said === '' ? `dbmanager could not ${args[0]} ${args[1]}` : said.replace(/^dbmanager: /, ''), { cause });
  }
}
