import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finishRestore, keptFolder, planFile, replace, replaceable } from './replacement.ts';

const time = '2026-11-22T03-04-05Z';
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'replacement-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const textOf = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

/** What a home has, old or new, and what comes: no settings, and keys that stay. */
function furnish(): string {
  for (const path of ['db/majordomus.sqlite', 'packages/velbus/x', 'majordomus.toml', 'keys/secrets.key', 'run/last-start.json', 'logs/x.log']) write(join(home, path), `old ${path}`);
  const staging = join(home, '.restore-1');
  for (const path of ['db/majordomus.sqlite', 'packages/velbus/x', 'run/last-start.json']) write(join(staging, path), `new ${path}`);
  write(join(staging, planFile), JSON.stringify(['db', 'packages', 'majordomus.toml', 'run/last-start.json']));
  return staging;
}

function expectNew(): void {
  for (const path of ['db/majordomus.sqlite', 'packages/velbus/x', 'run/last-start.json']) {
    expect(textOf(join(home, path))).toBe(`new ${path}`);
    expect(textOf(join(keptFolder(home, time), path))).toBe(`old ${path}`);
  }
  expect(textOf(join(home, 'majordomus.toml'))).toBeUndefined();
  expect(textOf(join(keptFolder(home, time), 'majordomus.toml'))).toBe('old majordomus.toml');
  expect(textOf(join(home, 'keys/secrets.key'))).toBe('old keys/secrets.key');
  expect(textOf(join(home, 'logs/x.log'))).toBe('old logs/x.log');
  expect(readdirSync(home).filter((name) => name.startsWith('.'))).toEqual([]);
}

describe('what is restored', () => {
  it('takes the place of what was there, which is kept', () => {
    replace(home, furnish(), time);
    expectNew();
  });

  it('is nothing before its commit: what was unpacked goes at the next start', () => {
    furnish();
    expect(finishRestore(home)).toBeUndefined();
    expect(textOf(join(home, 'db/majordomus.sqlite'))).toBe('old db/majordomus.sqlite');
    expect(readdirSync(home).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('is there whole after its commit, wherever a kill came between', () => {
    const away = ['db', 'packages', 'majordomus.toml', 'run/last-start.json'];
    for (let moves = 0; moves <= away.length + replaceable.length; moves++) {
      rmSync(home, { recursive: true });
      mkdirSync(home);
      const clearing = join(home, `.restoring-${time}`);
      renameSync(furnish(), clearing);
      for (const item of away.slice(0, moves)) {
        mkdirSync(dirname(join(keptFolder(home, time), item)), { recursive: true });
        renameSync(join(home, item), join(keptFolder(home, time), item));
      }
      if (moves > away.length) {
        const placing = join(home, `.restored-${time}`);
        renameSync(clearing, placing);
        for (const item of replaceable.slice(0, moves - away.length)) if (existsSync(join(placing, item))) renameSync(join(placing, item), join(home, item));
      }
      expect(finishRestore(home)).toBe(time);
      expectNew();
      expect(finishRestore(home)).toBeUndefined();
    }
  });
});
