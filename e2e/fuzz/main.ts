// `pnpm fuzz`: a house is fed with millions of inputs by seed (CONTRIBUTING.md, "Feed it with anything"). Exit code 0 if no judge has anything
// to say, 1 with what was found and the command that shows it again, 2 if it was asked wrongly.
import { parseArgs } from 'node:util';
import { fuzz, type Found, type Progress } from './run.ts';
import type { Target } from './target.ts';
import { targets } from './targets.ts';

const progressEveryMs = 5000;
const defaultInputs = 1_000_000;

const help = `Usage: pnpm fuzz [TARGET …] [--seed N] [--inputs M] [--minutes K] [--batch B]

Feeds a real house, or one process of it, with inputs made by seed, valid, nearly valid and wrong, and judges it: it lives and
was not started again, its memory does not grow, each request has one answer, each refusal a code, and nothing is written
outside the home. It ends with exit code 1 at the first thing that is found, and prints the command that shows it again.

Targets (all of them without a name):
${targets.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}

Options:
  --seed N       what the inputs are made from; without it, from the time
  --inputs M     how many inputs, for all targets together (default ${defaultInputs})
  --minutes K    ends earlier, after so long
  --batch B      the first batch; a finding names its own

Examples:
  pnpm fuzz
  pnpm fuzz frames --seed 7 --inputs 5000000
  pnpm fuzz actions --minutes 30
`;

interface Asked {
  readonly chosen: readonly Target[];
  readonly seed: number;
  readonly inputs: number;
  readonly limitMs: number;
  readonly batch: number;
}

function readArguments(args: readonly string[]): Asked | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args], allowPositionals: true,
      options: { seed: { type: 'string' }, inputs: { type: 'string' }, minutes: { type: 'string' }, batch: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) return help;
    const unknown = positionals.find((name) => !targets.some((target) => target.name === name));
    if (unknown !== undefined) return `there is no target ${unknown}; there are ${targets.map(({ name }) => name).join(', ')}`;
    const number = (name: 'seed' | 'inputs' | 'minutes' | 'batch', least: number): number | undefined => {
      const given = values[name];
      if (given === undefined) return undefined;
      const value = Number(given);
      if (!(value >= least) || (name !== 'minutes' && !Number.isSafeInteger(value))) throw new RangeError(`--${name} ${given}: must be a ${name === 'minutes' ? 'number above 0' : `whole number, ${least} at least`}`);
      return value;
    };
    return {
      chosen: positionals.length === 0 ? targets : targets.filter(({ name }) => positionals.includes(name)),
      seed: number('seed', 0) ?? Date.now() % 2 ** 31,
      inputs: number('inputs', 1) ?? defaultInputs,
      limitMs: (number('minutes', 0.01) ?? Infinity) * 60_000,
      batch: number('batch', 0) ?? 0,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function report({ name }: Target, { inputs, ms }: Progress): string {
  return `${name}: ${inputs.toLocaleString('en')} inputs in ${(ms / 1000).toFixed(0)} s, ${Math.round(inputs / (ms / 1000)).toLocaleString('en')} a second`;
}

function tell({ problem, inputs, command }: Found): void {
  console.error(`\nFOUND: ${problem}\n`);
  if (inputs.length > 0) console.error(`It needs ${inputs.length === 1 ? 'this input' : `these ${inputs.length} inputs`}:\n${inputs.slice(0, 20).map((input) => `  ${input}`).join('\n')}${inputs.length > 20 ? '\n  …' : ''}\n`);
  console.error(`Again:  ${command}`);
}

// What was started is ended with this process, also when it is interrupted.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const asked = readArguments(process.argv.slice(2));
if (asked === help) {
  console.log(help);
} else if (typeof asked === 'string') {
  console.error(`fuzz: ${asked}; see pnpm fuzz --help`);
  process.exitCode = 2;
} else {
  const { chosen, seed, inputs, limitMs, batch } = asked;
  console.log(`seed ${seed}: ${chosen.map(({ name }) => name).join(', ')}`);
  for (const target of chosen) {
    let toldMs = 0;
    const outcome = await fuzz(target, {
      seed, batch, inputs: Math.ceil(inputs / chosen.length), limitMs: limitMs / chosen.length,
      onProgress: (progress) => {
        if (progress.ms - toldMs < progressEveryMs) return;
        toldMs = progress.ms;
        console.log(report(target, progress));
      },
    });
    console.log(`${report(target, outcome)}: ${outcome.found === undefined ? 'nothing found' : 'FOUND'}`);
    if (outcome.found === undefined) continue;
    tell(outcome.found);
    process.exitCode = 1;
    break;
  }
}
