// What a house that runs tells the other commands on its home: where its broker listens, and what its host is called.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkHomeFree, homePaths, lockHolder, StartError } from '@majordomus/runtime';
import { isAlive } from './launcher.ts';
import { typedCommand } from './own-files.ts';
import { shellWord } from './shell-word.ts';

export interface RunningHouse {
  readonly broker: string;
  readonly host: string;
  /** The same as `broker` if it is that of a house elsewhere. */
  readonly join: string | undefined;
  readonly pid: number;
}

const keys = ['broker', 'host', 'join', 'pid'] as const;

export function tellRunning(home: string, house: Omit<RunningHouse, 'pid'>): void {
  const told = { ...house, pid: process.pid };
  for (const key of keys) writeFileSync(fileOf(home, key), `${told[key] ?? ''}\n`);
}

/** Forgets what this process has told; what another house tells there stays. */
export function forgetRunning(home: string): void {
  if (Number(readText(fileOf(home, 'pid'))) !== process.pid) return;
  for (const key of keys) rmSync(fileOf(home, key), { force: true });
}

/** Whether the last house on this home ended without a stop: it has left its files. To be asked by who has the lock of the home. */
export function wasCut(home: string): boolean {
  return existsSync(fileOf(home, 'pid'));
}

/** The house that runs on this home, or undefined; one that was killed has left its files, but not its process. */
export function readRunning(home: string): RunningHouse | undefined {
  const [broker, host, join, pid] = keys.map((key) => readText(fileOf(home, key)));
  return broker && host && isAlive(Number(pid)) ? { broker, host, join: join === '' ? undefined : join, pid: Number(pid) } : undefined;
}

/** A house that has a home, and does not tell where its broker listens. */
export interface SilentHouse {
  readonly text: string;
  readonly todo: string;
}

/** For a home of which `readRunning` knows no house: one may be there all the same. It waits a second for one that just ends. */
export function findSilent(home: string): SilentHouse | undefined {
  try {
    checkHomeFree(home, 'house');
    return undefined;
  } catch (error) {
    if (!(error instanceof StartError) || error.code !== 'HOME_IN_USE') return undefined;
  }
  const pid = lockHolder(home, 'house');
  const end = pid === undefined ? `end it (its process is told by: fuser ${join(home, '.house.lock')})` : `end it with: kill ${pid}`;
  return {
    text: `a house runs on ${home}${pid === undefined ? '' : ` (process ${pid})`}, and nothing in ${homePaths(home).run} tells where its broker listens`,
    todo: `it may be starting or stopping: ask again in a moment; if that folder was deleted under it, ${end}, and start it again: ${typedCommand} up --home ${shellWord(home)}`,
  };
}

function fileOf(home: string, key: string): string {
  return join(homePaths(home).run, key);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
