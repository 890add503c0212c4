// The machine under the house: its Node, its clock, and the program that ends children with their supervisor.
import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { homePaths } from '@majordomus/runtime';
import { noted, ok, problem, type Finding, type Patient } from './finding.ts';

const leastNode = [22, 18] as const;
/** No clock that is right is before it. */
const leastYear = 2026;
/** Files that are younger than now by more than this were written under another clock. */
const futureMs = 60_000;
/** How long the two clocks of the machine are compared, and by how much they may differ. */
const compareMs = 300;
const jumpMs = 250;
const programTimeoutMs = 2000;

export function checkNode(): Finding[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isOld = major < leastNode[0] || (major === leastNode[0] && minor < leastNode[1]);
  return [isOld
    ? problem('node', `${process.version} at ${process.execPath} is too old`, `install Node ${leastNode.join('.')} or later`)
    : ok('node', `${process.version} at ${process.execPath}`)];
}

export function checkSetpriv(): Finding[] {
  if (process.platform !== 'linux') return [ok('setpriv', 'is not needed on this system')];
  const found = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'setpriv')).find(isExecutable);
  return [found === undefined
    ? noted('setpriv', 'is not there: what a killed house leaves ends a moment later, by itself', 'install the package util-linux')
    : ok('setpriv', `${found} ends what a killed house would leave`)];
}

export async function checkClock({ home }: Patient): Promise<Finding[]> {
  const now = new Date();
  if (now.getFullYear() < leastYear) return [problem('clock', `says ${now.toISOString()}`, 'set the clock; a machine without a battery needs NTP before the house starts')];
  const youngestMs = youngestFile(home);
  if (youngestMs > now.getTime() + futureMs) {
    return [problem('clock', `says ${now.toISOString()}, and files of the home were written at ${new Date(youngestMs).toISOString()}`, 'set the clock: it is behind, or it was ahead when they were written')];
  }
  const driftMs = await drift();
  if (Math.abs(driftMs) > jumpMs) return [problem('clock', `jumped by ${Math.round(driftMs)} ms while it was watched`, 'see what sets it: two programs may both do')];
  const synchronised = await isSynchronised();
  return [synchronised === false ? noted('clock', `${now.toISOString()}, not synchronised`, 'let NTP set it: timedatectl set-ntp true') : ok('clock', `${now.toISOString()}${synchronised === true ? ', synchronised' : ''}`)];
}

/** What the wall clock has gained on the monotonic one, which nobody sets. */
async function drift(): Promise<number> {
  const [wallMs, monotonicMs] = [Date.now(), performance.now()];
  await delay(compareMs);
  return Date.now() - wallMs - (performance.now() - monotonicMs);
}

/** Undefined where nobody tells, as in a container. */
async function isSynchronised(): Promise<boolean | undefined> {
  try {
    const { stdout } = await promisify(execFile)('timedatectl', ['show', '--property=NTPSynchronized', '--value'], { timeout: programTimeoutMs });
    return stdout.trim() === '' ? undefined : stdout.trim() === 'yes';
  } catch {
    return undefined;
  }
}

function youngestFile(home: string): number {
  const { logs, run } = homePaths(home);
  let youngestMs = 0;
  for (const folder of [logs, run]) {
    for (const file of listed(folder)) youngestMs = Math.max(youngestMs, statSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  }
  return youngestMs;
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
