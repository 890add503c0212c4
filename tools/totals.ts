// What a run of vitest comes to. Its own exit code and its report must agree before it counts as good: a run that
// crashed, found no test, or had an error outside of any test is a failure, whatever the tests say.

/** How many tests passed, failed and were skipped. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Totals with, in words, each failure that is not a test's own; they are among `failed`. */
export interface Outcome extends Totals {
  readonly problems: readonly string[];
}

/** What vitest's json reporter writes, as far as it is used here. */
interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts a report.
 * @param text the report, or undefined if none was written
 * @param exitCode of vitest; null if a signal ended it
 */
export function totalsOf(text: string | undefined, exitCode: number | null): Outcome {
  const problems: string[] = [];
  let passed = 0;
  let failedTests = 0;
  let skipped = 0;
  const files = text === undefined ? undefined : filesOf(text);
  for (const file of files ?? []) {
    const failedBefore = failedTests;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') passed += 1;
      else if (status === 'failed') failedTests += 1;
      else skipped += 1;
    }
    if (file.status !== 'passed' && failedTests === failedBefore) problems.push('a test file failed outside of its tests');
  }
  if (files === undefined) problems.push(`vitest ended without a report (${exitCode === null ? 'by a signal' : `exit code ${exitCode}`})`);
  else if (passed + failedTests === 0) problems.push('no test ran');
  if (exitCode !== 0 && failedTests + problems.length === 0) {
    problems.push(`vitest found an error outside of the tests (${exitCode === null ? 'ended by a signal' : `exit code ${exitCode}`})`);
  }
  return { passed, failed: failedTests + problems.length, skipped, problems };
}

function filesOf(text: string): Report['testResults'] | undefined {
  try {
    const report: unknown = JSON.parse(text);
    return isReport(report) ? report.testResults : undefined;
  } catch {
    return undefined;
  }
}

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && 'testResults' in value && Array.isArray(value.testResults);
}

/** The last line of every run: `12 passed, 0 failed`, and what was skipped, if anything was. */
export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
