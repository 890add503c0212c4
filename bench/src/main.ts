// `pnpm bench [NAME…]`: runs the benchmarks, all without a name, prints a table for each, and leaves tables and plots in a folder. A
// benchmark is one file of this folder; what each measures, and the last numbers, stand in bench/README.md.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmark.ts';
import { bodies } from './bodies.ts';
import { broker } from './broker.ts';
import { durableWrites } from './durable-writes.ts';
import { BenchFailure } from './failure.ts';
import { idleClients } from './idle-clients.ts';
import { machineText } from './machine.ts';
import { memory } from './memory.ts';
import { peers } from './peers.ts';
import { plotSvg } from './plot.ts';
import { tableText } from './table.ts';
import { workers } from './workers.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  broker, peers, bodies, workers, memory, 'idle-clients': idleClients, 'durable-writes': durableWrites,
};
const results = fileURLToPath(new URL('../results', import.meta.url));

const usage = `Usage: pnpm bench [NAME…] [--rounds N] [--seconds N] [--requests N] [--folder FOLDER] [--out FOLDER]

${Object.entries(benchmarks).map(([name, { summary }]) => `  ${name.padEnd(16)}${summary}`).join('\n')}

--rounds    how often everything is measured; the best of each counts
--seconds   how long one measurement takes, or each of its two parts
--requests  how many of the first requests of a broker are its cold part (40000)
--folder    on the disk that is measured (${tmpdir()})
--out       where results.md and the plots are written; without it a run of everything writes to bench/results`;

const options = {
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  requests: { type: 'string', default: '40000' },
  folder: { type: 'string', default: tmpdir() },
  out: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

interface CommandLine {
  readonly names: readonly string[];
  readonly rounds: number | undefined;
  readonly seconds: number | undefined;
  readonly coldRequests: number;
  readonly folder: string;
  readonly out: string | undefined;
}

/** Refuses a command line in one line. */
function refuse(why: string): never {
  process.stderr.write(`bench: ${why}; see: pnpm bench --help\n`);
  process.exit(2);
}

function commandLine(): CommandLine {
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (values.help) {
      process.stdout.write(`${usage}\n`);
      process.exit(0);
    }
    const unknown = positionals.find((name) => !Object.hasOwn(benchmarks, name));
    if (unknown !== undefined) refuse(`there is no benchmark ${unknown}; there are ${Object.keys(benchmarks).join(', ')}`);
    const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
    if (seconds !== undefined && !(seconds > 0 && seconds < 3600)) refuse('--seconds is a number above 0');
    return {
      names: positionals.length > 0 ? positionals : Object.keys(benchmarks),
      rounds: values.rounds === undefined ? undefined : count('--rounds', values.rounds),
      seconds,
      coldRequests: count('--requests', values.requests),
      folder: resolve(values.folder),
      out: values.out === undefined ? (positionals.length > 0 ? undefined : results) : resolve(values.out),
    };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function count(option: string, text: string): number {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : refuse(`${option} is a whole number above 0`);
}

const { names, rounds, seconds, coldRequests, folder, out } = commandLine();
const scratch = mkdtempSync(join(folder, 'majordomus-bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const told: string[] = [];
const files = new Map<string, string>();
/** Prints, and keeps for the file. */
function say(text: string): void {
  console.log(`${text}\n`);
  told.push(text);
}

async function measure(name: string, benchmark: Benchmark): Promise<void> {
  const given = { rounds: rounds ?? benchmark.rounds, seconds: seconds ?? benchmark.seconds };
  const own = join(scratch, name);
  mkdirSync(own);
  const startMs = performance.now();
  say(`## ${name}: ${given.rounds} ${given.rounds === 1 ? 'round' : 'rounds'}${given.seconds > 0 ? ` of ${given.seconds} s` : ''}`);
  const { tables, plots = [] } = await benchmark.run({ ...given, folder: own, coldRequests, tell: (text) => process.stderr.write(`${text}\n`) });
  process.stderr.write(`${name} took ${Math.round((performance.now() - startMs) / 1000)} s\n`);
  for (const table of tables) say(tableText(table));
  for (const plot of plots) {
    files.set(`${plot.name}.svg`, plotSvg(plot));
    told.push(`![${plot.title}](${plot.name}.svg)`);
  }
}

try {
  say(machineText(folder));
  for (const [name, benchmark] of Object.entries(benchmarks)) if (names.includes(name)) await measure(name, benchmark);
  say(machineText(folder));
} catch (error) {
  if (!(error instanceof BenchFailure)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exit(1);
}

if (out !== undefined) {
  mkdirSync(out, { recursive: true });
  files.set('results.md', `# The last run\n\n${told.join('\n\n')}\n`);
  for (const [name, text] of files) writeFileSync(join(out, name), text);
  process.stderr.write(`written to ${relative(process.cwd(), out)}: ${[...files.keys()].join(', ')}\n`);
}
