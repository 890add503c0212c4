// What a house that runs tells the other commands on its home: where its broker listens, and what its host is called.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '@majordomus/runtime';
import { isAlive } from './launcher.ts';

export interface RunningHouse {
  readonly broker: string;
  readonly host: string;
  /** The same as `broker` if it is that of a house elsewhere. */
  readonly join: string | undefined;
}

const keys = ['broker', 'host', 'join', 'pid'] as const;

export function tellRunning(home: string, house: RunningHouse): void {
  const told = { ...house, pid: process.pid };
  for (const key of keys) writeFileSync(fileOf(home, key), `${told[key] ?? ''}\n`);
}

export function forgetRunning(home: string): void {
  for (const key of keys) rmSync(fileOf(home, key), { force: true });
}

/** Whether the last house on this home ended without a stop: it has left its files. To be asked by who has the lock of the home. */
export function wasCut(home: string): boolean {
  return existsSync(fileOf(home, 'pid'));
}

/** The house that runs on this home, or undefined; one that was killed has left its files, but not its process. */
export function readRunning(home: string): RunningHouse | undefined {
  const [broker, host, join, pid] = keys.map((key) => readText(fileOf(home, key)));
  return broker && host && isAlive(Number(pid)) ? { broker, host, join: join === '' ? undefined : join } : undefined;
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
