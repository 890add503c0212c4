import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths } from '@majordomus/runtime';
import { expect, it } from 'vitest';
import { forgetRunning, readRunning, tellRunning, wasCut } from './running-house.ts';

it('a house that was killed has left what it told, one that was stopped has not', () => {
  const home = mkdtempSync(join(tmpdir(), 'running-house-'));
  try {
    mkdirSync(homePaths(home).run);
    expect(wasCut(home)).toBe(false);
    tellRunning(home, { broker: 'tcp://127.0.0.1:1', host: 'igor', join: undefined });
    expect(wasCut(home)).toBe(true);
    expect(readRunning(home)).toEqual({ broker: 'tcp://127.0.0.1:1', host: 'igor', join: undefined });
    forgetRunning(home);
    expect(wasCut(home)).toBe(false);
  } finally {
    rmSync(home, { recursive: true });
  }
});
