// `pnpm bench [NAME…]`: runs the benchmarks, all without a name, and prints a table for each. A benchmark is one file of
// this folder; what each measures, and the last numbers, stand in bench/README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmark.ts';
import { durableWrites } from './durable-writes.ts';
import { machineText } from './machine.ts';
import { tableText } from './table.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = { 'durable-writes': durableWrites };

const usage = `Usage: pnpm bench [NAME…] [--rounds N] [--seconds N] [--folder FOLDER]

${Object.entries(benchmarks).map(([name, { summary }]) => `  ${name}  ${summary}`).join('\n')}

--rounds   how often everything is measured; the best of each counts (3)
--seconds  how long one measurement takes (2)
--folder   on the disk that is measured (${tmpdir()})`;

const options = {
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '2' },
  folder: { type: 'string', default: tmpdir() },
  help: { type: 'boolean', default: false },
} as const;

/** Refuses a command line in one line. */
function refuse(why: string): never {
  process.stderr.write(`bench: ${why}\n\n${usage}\n`);
  process.exit(2);
}

function commandLine(): { names: readonly string[]; rounds: number; seconds: number; folder: string } {
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (values.help) {
      process.stdout.write(`${usage}\n`);
      process.exit(0);
    }
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
    if (!(Number.isInteger(rounds) && rounds > 0 && seconds > 0)) refuse('--rounds and --seconds are numbers above 0');
    return { names: positionals.length > 0 ? positionals : Object.keys(benchmarks), rounds, seconds, folder: resolve(values.folder) };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const { names, rounds, seconds, folder } = commandLine();
const unknown = names.find((name) => !Object.hasOwn(benchmarks, name));
if (unknown !== undefined) refuse(`there is no benchmark ${unknown}`);

console.log(machineText(folder));
for (const name of names) {
  const scratch = mkdtempSync(join(folder, 'majordomus-bench-'));
  try {
    console.log(`\n${name}: best of ${rounds} rounds of ${seconds} s each`);
    const tables = await benchmarks[name]?.run({ folder: scratch, rounds, seconds, tell: (text) => process.stderr.write(`${text}\n`) });
    for (const table of tables ?? []) console.log(`\n${tableText(table)}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
console.log(`\n${machineText(folder)}`);
