// Some seconds of what "pnpm soak" does for an hour: that it loads a house, samples all of it, and ends with a table.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runSoak } from './run.ts';

it('a soak loads a house, samples each process, and says that it was too short to tell', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'majordomus-soak-test-'));
  try {
    const { text, calls, failures, leaks, problems } = await runSoak({ durationMs: 5000, folder, say: () => {} });
    for (const name of ['up', 'broker', 'dbmanager', 'packagemanager', 'manager', 'tally', 'sysload']) {
      expect(text).toMatch(new RegExp(`^${name} +\\d+\\.\\d .*too short to tell$`, 'm'));
    }
    expect(leaks).toBe(false);
    expect(problems).toEqual([]);
    expect(calls).toBeGreaterThan(10);
    expect([...failures]).toEqual([]);
    expect(readFileSync(join(folder, 'processes.csv'), 'utf8')).toMatch(/^\d+\.\d,broker,\d+,\d+\.\d\d,\d+\.\d\d,\d+,\d+$/m);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
