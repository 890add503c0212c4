// `pnpm test` must not say that all is well when it is not: real runs of vitest, on small projects made for it.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSuites } from './suites.ts';
import { totalsLine, totalsOf } from './totals.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'majordomus-totals-'));
  symlinkSync(join(import.meta.dirname, '..', 'node_modules'), join(root, 'node_modules'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs vitest on files of tests. */
function outcomeOf(files: Record<string, string>): ReturnType<typeof runSuites> {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(root, name), `import { beforeAll, expect, it } from 'vitest';\n${text}\n`);
  }
  return runSuites(root, [], 'ignore');
}

const good = `it('adds', () => expect(1 + 1).toBe(2));`;

describe('a run of the suites', () => {
  it('counts what passed, failed and was skipped', () => {
    const outcome = outcomeOf({
      'a.test.js': `${good}\nit('subtracts', () => expect(1 - 1).toBe(2));\nit.skip('divides', () => {});`,
      'b.test.js': good,
    });
    expect(outcome).toEqual({ passed: 2, failed: 1, skipped: 1, problems: [] });
  });

  it('is good when every test passed', () => {
    expect(outcomeOf({ 'a.test.js': good })).toEqual({ passed: 1, failed: 0, skipped: 0, problems: [] });
  });

  it.each([
    ['a file that cannot be read', `import './missing.js';`, 'a test file failed outside of its tests'],
    ['an error that no test caught', `${good}\nPromise.reject(new Error('nobody waits for this'));`, 'vitest found an error outside of the tests (exit code 1)'],
    ['a process of tests that ends', `${good}\nprocess.kill(process.pid, 'SIGKILL');`, 'a test file failed outside of its tests'],
    ['a preparation that fails', `beforeAll(() => { throw new Error('no'); });\n${good}`, 'a test file failed outside of its tests'],
    ['a test that was singled out', good.replace('it(', 'it.only('), undefined],
  ])('fails for %s, though another file passed', (_what, text, problem) => {
    const outcome = outcomeOf({ 'bad.test.js': text, 'good.test.js': good });
    expect(outcome.failed).toBeGreaterThan(0);
    expect(outcome.passed).toBeGreaterThan(0);
    if (problem !== undefined) expect(outcome.problems).toContain(problem);
  });

  it('fails when there is no test at all', () => {
    expect(outcomeOf({})).toMatchObject({ passed: 0, failed: 1 });
  });

  it('fails when all tests are skipped', () => {
    expect(outcomeOf({ 'a.test.js': `it.skip('adds', () => {});` })).toMatchObject({ failed: 1, skipped: 1, problems: ['no test ran'] });
  });
});

describe('a report', () => {
  const report = (...statuses: string[]): string => JSON.stringify({
    testResults: [{ status: 'passed', assertionResults: statuses.map((status) => ({ status })) }],
  });

  it('that is missing is a crash', () => {
    expect(totalsOf(undefined, null)).toEqual({ passed: 0, failed: 1, skipped: 0, problems: ['vitest ended without a report (by a signal)'] });
    expect(totalsOf(undefined, 134).problems).toEqual(['vitest ended without a report (exit code 134)']);
  });

  it('that is cut off, or is no report, is a crash', () => {
    expect(totalsOf(report('passed').slice(0, -5), 0).problems).toEqual(['vitest ended without a report (exit code 0)']);
    expect(totalsOf('[]', 0).failed).toBe(1);
  });

  it('in which all is well is not believed when vitest itself failed', () => {
    expect(totalsOf(report('passed'), 1)).toMatchObject({ passed: 1, failed: 1 });
    expect(totalsOf(report('passed'), null)).toMatchObject({ passed: 1, failed: 1 });
  });
});

describe('the last line', () => {
  it('has what passed and what failed, and what was skipped only if anything was', () => {
    expect(totalsLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(totalsLine({ passed: 12, failed: 1, skipped: 2 })).toBe('12 passed, 1 failed, 2 skipped');
  });
});
