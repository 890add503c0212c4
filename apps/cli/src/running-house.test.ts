import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths, lockHome } from '@majordomus/runtime';
import { expect, it } from 'vitest';
import { findSilent, forgetRunning, readRunning, tellRunning, wasCut } from './running-house.ts';

it('a house that was killed has left what it told, one that was stopped has not', () => {
  const home = mkdtempSync(join(tmpdir(), 'running-house-'));
  try {
    mkdirSync(homePaths(home).run);
    expect(wasCut(home)).toBe(false);
    tellRunning(home, { broker: 'tcp://127.0.0.1:1', host: 'igor', join: undefined });
    expect(wasCut(home)).toBe(true);
    expect(readRunning(home)).toEqual({ broker: 'tcp://127.0.0.1:1', host: 'igor', join: undefined, pid: process.pid });
    forgetRunning(home);
    expect(wasCut(home)).toBe(false);
    writeFileSync(join(homePaths(home).run, 'pid'), '1\n');
    forgetRunning(home);
    expect(wasCut(home), 'what another house has told stays').toBe(true);
  } finally {
    rmSync(home, { recursive: true });
  }
});

it('a house whose run folder was deleted is found, and who asks is told what to do', () => {
  const home = mkdtempSync(join(tmpdir(), 'running-house-'));
  try {
    expect(findSilent(home)).toBeUndefined();
    {
      using _lock = lockHome(home, 'house');
      expect(findSilent(home)).toEqual({
        text: expect.stringMatching(/^a house runs on .*, and nothing in .* tells where its broker listens$/) as string,
        todo: expect.stringMatching(process.platform === 'linux' ? new RegExp(`end it with: kill ${process.pid}, and start it again`) : /fuser .*\.house\.lock/) as string,
      });
    }
    expect(findSilent(home)).toBeUndefined();
  } finally {
    rmSync(home, { recursive: true });
  }
});
