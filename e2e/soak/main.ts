// `pnpm soak`: a house under mixed load, and whether anything in it grows (CONTRIBUTING.md, "Soak it").
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runSoak } from './run.ts';

const usage = `Usage: pnpm soak [--minutes M] [--out FOLDER]

Runs a house under mixed load (typed calls, configuration written and read, bursts, large bodies, clients that come and go, a
plugin restarted, a plugin installed anew), samples each second what each process takes, and prints at the end how memory, handles and
latency grow. Ctrl-C ends it at any time, with what there is. Exit code 1 if memory or handles of a process grow, if a process
is gone or was started anew unasked, or if more than 1 % of the calls of a kind failed.

  --minutes M   how long (default: 60); below 7 there are slopes, but no verdict
  --out FOLDER  where the samples are written as CSV (default: a new temporary folder, which is printed)
  --help        this text`;

async function main(): Promise<number> {
  const { minutes, out, help } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    options: { minutes: { type: 'string', default: '60' }, out: { type: 'string' }, help: { type: 'boolean', default: false } },
  }).values;
  if (help) {
    console.log(usage);
    return 0;
  }
  const durationMs = Number(minutes) * 60_000;
  if (!(durationMs > 0 && durationMs < Infinity)) {
    console.error(`--minutes: ${JSON.stringify(minutes)} is not a number of minutes; see --help`);
    return 2;
  }
  const folder = out === undefined ? mkdtempSync(join(tmpdir(), 'majordomus-soak-')) : resolve(out);
  mkdirSync(folder, { recursive: true });
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => (stopping.signal.aborted ? process.exit(130) : stopping.abort()));
  console.log(`${minutes} min; Ctrl-C ends it with what there is; samples in ${folder}`);
  const { text, leaks, problems, calls, failures, elapsedMs } = await runSoak({ durationMs, folder, say: (line) => console.log(line), signal: stopping.signal });
  console.log(`\n${(elapsedMs / 60_000).toFixed(1)} min, ${calls} turns of the load; the slopes are of the last three quarters\n\n${text}`);
  if (failures.size > 0) console.log(`\nnot answered: ${[...failures].map(([why, count]) => `${why} ${count}`).join(', ')}`);
  if (problems.length > 0) console.log(`\nThe house was not well:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  return leaks || problems.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TypeError) || !('code' in error) || !String(error.code).startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(`${error.message}; see --help`);
  process.exitCode = 2;
}
