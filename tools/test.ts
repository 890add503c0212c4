// `pnpm test`: everything that must hold, in one run with one verdict. First the checks that run no code of the house,
// each of which counts as one test, then the suites. `--checks` leaves the suites out; any other argument goes to
// vitest. The last line has the totals, and the exit code is 0 only if nothing failed.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runSuites } from './suites.ts';
import { systemPrograms, systemProgramsLine } from './system-programs.ts';
import { totalsLine, type Outcome } from './totals.ts';

const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');
const turboOptions = ['--output-logs=errors-only', '--ui=stream'];

const checks = [
  { name: 'types', command: ['turbo', 'run', 'typecheck', ...turboOptions] },
  { name: 'lint', command: ['turbo', 'run', 'lint', ...turboOptions] },
  { name: 'import rule', command: ['turbo', 'boundaries'] },
  { name: 'nothing unused', command: ['knip'] },
] as const;

/** Runs a program of node_modules with this terminal as its own, and tells its exit code; null after a signal. */
function run([program, ...args]: readonly [string, ...string[]]): number | null {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
  const { status, error } = spawnSync(join(bin, program), args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) console.error(`${program}: ${error.message}; run 'npx -y pnpm install'`);
  return status;
}

/** The names of the checks that failed. */
function runChecks(): string[] {
  return checks.flatMap(({ name, command }) => {
    console.log(`\n── ${name} ──`);
    const startMs = performance.now();
    const good = run(command) === 0;
    console.log(`${good ? '✓' : '✗'} ${name} (${((performance.now() - startMs) / 1000).toFixed(1)} s)`);
    return good ? [] : [name];
  });
}

const args = process.argv.slice(2);
const failedChecks = runChecks();
let suites: Outcome = { passed: 0, failed: 0, skipped: 0, problems: [] };
if (!args.includes('--checks')) {
  console.log('\n── suites ──');
  suites = runSuites(root, args);
}

console.log(`\n${systemProgramsLine(systemPrograms(), process.env['PATH'] ?? '')}`);
const failures = [...failedChecks, ...suites.problems];
if (failures.length > 0) console.log(`failed: ${failures.join('; ')}`);
const failed = failedChecks.length + suites.failed;
console.log(totalsLine({ passed: checks.length - failedChecks.length + suites.passed, failed, skipped: suites.skipped }));
process.exitCode = failed === 0 ? 0 : 1;
