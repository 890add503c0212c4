// What a house that runs tells the other commands on its home: where its broker listens, and what its host is called.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '@majordomus/runtime';

export interface RunningHouse {
  readonly broker: string;
  readonly host: string;
}

const keys = ['broker', 'host'] as const satisfies (keyof RunningHouse)[];

export function tellRunning(home: string, house: RunningHouse): void {
  for (const key of keys) writeFileSync(fileOf(home, key), `${house[key]}\n`);
}

export function forgetRunning(home: string): void {
  for (const key of keys) rmSync(fileOf(home, key), { force: true });
}

/** What is known of the house on this home; nothing if none runs. */
export function readRunning(home: string): Partial<RunningHouse> {
  return Object.fromEntries(keys.map((key) => [key, readText(fileOf(home, key))]).filter(([, text]) => text !== ''));
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
