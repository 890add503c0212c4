// Runs the suites with vitest and says what they come to.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { totalsOf, type Outcome } from './totals.ts';

/**
 * Runs the suites of the project in the folder `root`, and shows them as they go.
 * @param vitestArgs filters and options for vitest
 */
export function runSuites(root: string, vitestArgs: readonly string[], output: 'inherit' | 'ignore' = 'inherit'): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'majordomus-suites-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const program = join(import.meta.dirname, '..', 'node_modules', '.bin', 'vitest');
  try {
    // A test that was singled out while working on it would leave the others out in silence.
    // The tests start hundreds of processes: each is ready sooner when one of them has compiled its modules before, as behind `domus`.
    const compiled = process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules', '.cache', 'node-compile');
    const env = { ...process.env, NODE_COMPILE_CACHE: compiled, NODE_COMPILE_CACHE_PORTABLE: '1' };
    const { status } = spawnSync(program, ['run', '--allowOnly=false', ...reporters, ...vitestArgs], { cwd: root, env, stdio: ['ignore', output, output] });
    return totalsOf(existsSync(report) ? readFileSync(report, 'utf8') : undefined, status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
