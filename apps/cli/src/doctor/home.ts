// The home of the house: whether it can be written, by whom, how much room is left, and whether the database in it is whole.
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { databaseCheck } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { homePaths, reasonOf, type StartError, systemReason } from '@majordomus/runtime';
import { partProgram } from '../parts.ts';
import { sizeText } from '../size-text.ts';
import { domus, noted, ok, problem, type Finding, type Patient } from './finding.ts';

const megabyte = 1024 * 1024;
const leastFree = 100 * megabyte;
const littleFree = 1024 * megabyte;
/** A log is 1 MiB, and three of each are kept. */
const muchLogs = 200 * megabyte;
/** Reading a whole database takes a while on a slow card. */
const databaseTimeoutMs = 60_000;

export function checkHome({ home, running, silent }: Patient): Finding[] {
  const what = 'home';
  if (!existsSync(home)) {
    const above = nearestFolder(home);
    return [isWritable(above)
      ? noted(what, `${home} is not there yet; the first start makes it`)
      : problem(what, `${home} cannot be made: ${above} is not writable by ${me()}`, 'choose another home with --home or DOMUS_HOME, or make it writable')];
  }
  const status = statSync(home);
  if (!status.isDirectory()) return [problem(what, `${home} is no folder`, 'move it away, or choose another home with --home or DOMUS_HOME')];
  const { database, logs, packages, run } = homePaths(home);
  const refused = [home, run, logs, packages, dirname(database), ...filesIn(dirname(database)), ...filesIn(logs)].find((path) => existsSync(path) && !isWritable(path));
  if (refused !== undefined) return [problem(what, `${refused} is not writable by ${me()}; it belongs to user ${statSync(refused).uid}`, `run domus as its owner, or: chown -R ${me()} ${home}`)];
  const uid = process.getuid?.();
  if (uid !== undefined && status.uid !== uid) return [problem(what, `${home} belongs to user ${status.uid}, and you are ${me()}: what you write there the other one cannot use`, 'run domus as its owner')];
  if ((status.mode & 0o022) !== 0) return [problem(what, `${home} can be written by others`, `chmod go-w ${home}`)];
  return [ok(what, `${home}, ${running === undefined && silent === undefined ? 'no house runs on it' : 'a house runs on it'}`), ...checkLock(home, running !== undefined, silent)];
}

export function checkSettings(home: string, wrong: StartError | undefined): Finding[] {
  const file = homePaths(home).settingsFile;
  if (wrong !== undefined) return [problem('settings', wrong.message, 'the house does not start like this; mend it, and ask again')];
  return [ok('settings', existsSync(file) ? file : 'the defaults, and what flags and variables say')];
}

export function checkRoom({ home }: Patient): Finding[] {
  const found: Finding[] = [];
  try {
    const { bavail, bsize } = statfsSync(nearestFolder(home));
    const free = bavail * bsize;
    const text = `${sizeText(free)} free on the disk of ${home}`;
    if (free < leastFree) found.push(problem('disk', text, 'free some: without room nothing that is set can be kept'));
    else found.push(free < littleFree ? noted('disk', text) : ok('disk', text));
  } catch (error) {
    found.push(problem('disk', `cannot be asked for its room: ${systemReason(error)}`, 'see that it is there and mounted'));
  }
  const { logs } = homePaths(home);
  const size = sizeOf(logs);
  if (size > muchLogs) found.push(problem('logs', `${sizeText(size)} in ${logs}`, 'see which file grows, and remove it: they should be rotated at 1 MiB'));
  else found.push(existsSync(logs) ? ok('logs', `${sizeText(size)} in ${logs}`) : noted('logs', `${logs} is not there; the house makes it with the next line`));
  return found;
}

/** dbmanager says it while it runs; else its program looks into the file. */
export async function checkDatabase(patient: Patient): Promise<Finding[]> {
  const { home, broker, running } = patient;
  const what = 'database';
  const file = homePaths(home).database;
  try {
    const { problems, bytes } = (broker === undefined ? undefined : await askDbmanager(broker)) ?? (await runDbmanager(file)) ?? { problems: [], bytes: 0 };
    if (problems.length > 0) return [problem(what, `${file} is damaged: ${problems.slice(0, 3).join('; ')}`, running === undefined ? 'start the house: it sets the file aside and recovers what can be read' : 'restart the house: it sets the file aside and recovers what can be read')];
    return [bytes === 0 ? noted(what, 'there is none yet') : ok(what, `whole, ${sizeText(bytes)}`)];
  } catch (error) {
    return [problem(what, `could not be checked: ${reasonOf(error)}`, `see: ${domus(patient, 'logs dbmanager')}`)];
  }
}

interface Checked {
  readonly problems: readonly string[];
  readonly bytes: number;
}

/** Undefined if it does not answer. */
async function askDbmanager(broker: string): Promise<Checked | undefined> {
  await using client = new Client({ endpoint: broker });
  try {
    return await client.call(databaseCheck, {}, { timeoutMs: databaseTimeoutMs });
  } catch (error) {
    if (error instanceof CallError) return undefined;
    throw error;
  }
}

/** Undefined if there is no database. */
async function runDbmanager(file: string): Promise<Checked | undefined> {
  if (!existsSync(file)) return undefined;
  const { stdout } = await promisify(execFile)(process.execPath, [partProgram('dbmanager'), 'check', file], { timeout: databaseTimeoutMs });
  return JSON.parse(stdout) as Checked;
}

function checkLock(home: string, isRunning: boolean, silent: Patient['silent']): Finding[] {
  if (silent !== undefined) return [problem('lock', silent.text, silent.todo)];
  const file = join(home, '.house.lock');
  return isRunning && !existsSync(file) ? [problem('lock', `${file} was deleted under the house, so that it keeps no other one from the home any more`, 'restart the house')] : [];
}

function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((file) => join(folder, file));
  } catch {
    return [];
  }
}

function sizeOf(folder: string): number {
  return filesIn(folder).reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function me(): string {
  return userInfo().username;
}
