// The command line of `pnpm chaos`.
import { parseArgs } from 'node:util';
import { allKinds, blowKinds, type BlowKind } from './schedule.ts';

export interface ChaosArguments {
  readonly seed: number;
  readonly minutes: number;
  readonly kinds: readonly [BlowKind, ...BlowKind[]];
  /** Whether they were named: then each must be possible. */
  readonly isOnly: boolean;
  /** How long the blows of a round go on; then the house has to become whole. */
  readonly roundMs: number;
  readonly help: boolean;
  readonly schedule: boolean;
}

const defaultMinutes = 2;
const defaultRoundMs = 25_000;

export const usage = `Usage: pnpm chaos [--seed N] [--minutes M] [--round S] [--only KINDS | --without KINDS] [--schedule]

Runs a real house with people who use it, breaks it on purpose by a schedule that the seed gives, and checks all along that
it keeps its promises. Exit code 0 if all held, 1 if one did not; then the seed and the command to run it again are printed.
2 if it was asked wrongly, 3 if the machine was too busy to tell.

  --seed N         which schedule (default: one by the clock, which is printed)
  --minutes M      how long; the last round is finished (default: ${defaultMinutes})
  --round S        for how many seconds a round has blows (default: ${defaultRoundMs / 1000})
  --only KINDS     only these kinds of blows, with commas between
  --without KINDS  all but these
  --schedule       print the schedule and end
  --help           this text

Kinds of blows:
${allKinds.map((kind) => `  ${kind.padEnd(9)}${blowKinds[kind]}`).join('\n')}

The schedule (which blow, when, on whom, for how long) is a pure function of the seed and of the kinds. What the machine
makes of it is not: a fault that depends on a moment may need several runs of the same seed.`;

/** What is wrong with the command line, for a person. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

/** @throws UsageError; `freshSeed` is taken where none is given */
export function readArguments(args: readonly string[], freshSeed: number): ChaosArguments {
  const { seed, minutes, round, only, without, schedule, help } = parse(args);
  if (only !== undefined && without !== undefined) throw new UsageError('--only and --without exclude each other; give one of them');
  const named = kindsOf('only', only) ?? allKinds;
  const left = kindsOf('without', without) ?? [];
  const [first, ...others] = named.filter((kind) => !left.includes(kind));
  if (first === undefined) throw new UsageError('no kind of blow is left; leave out fewer');
  return {
    seed: numberOf('seed', seed, freshSeed, Number.isSafeInteger),
    minutes: numberOf('minutes', minutes, defaultMinutes, (value) => value > 0),
    kinds: [first, ...others],
    isOnly: only !== undefined,
    roundMs: 1000 * numberOf('round', round, defaultRoundMs / 1000, (value) => value >= 1),
    schedule: schedule ?? false,
    help: help ?? false,
  };
}

/** The command that runs the same schedule again. */
export function commandOf({ seed, minutes, kinds, isOnly, roundMs }: Omit<ChaosArguments, 'help' | 'schedule'>): string {
  const round = roundMs === defaultRoundMs ? '' : ` --round ${roundMs / 1000}`;
  const without = allKinds.filter((kind) => !kinds.includes(kind));
  const chosen = isOnly ? ` --only ${kinds.join(',')}` : without.length > 0 ? ` --without ${without.join(',')}` : '';
  return `npx -y pnpm chaos --seed ${seed} --minutes ${minutes}${round}${chosen}`;
}

/** @throws UsageError where what is wanted cannot be done here: each kind that was named, or all of those that are left */
export function refuseImpossible({ kinds, isOnly }: Pick<ChaosArguments, 'kinds' | 'isOnly'>, impossible: ReadonlyMap<BlowKind, string>): void {
  const cannot = kinds.filter((kind) => impossible.has(kind));
  if (cannot.length === 0 || (!isOnly && cannot.length < kinds.length)) return;
  throw new UsageError(`this cannot be done here: ${cannot.map((kind) => `${kind} (${impossible.get(kind)})`).join(', ')}; choose other kinds`);
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({ args: args.filter((arg) => arg !== '--'), options: { seed: text, minutes: text, round: text, only: text, without: text, schedule: flag, help: flag } }).values;
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : String(cause)}; see --help`, { cause });
  }
}

function kindsOf(flag: string, text: string | undefined): BlowKind[] | undefined {
  return text?.split(',').map((name) => {
    const kind = allKinds.find((known) => known === name.trim());
    if (kind === undefined) throw new UsageError(`--${flag}: there is no kind of blow ${JSON.stringify(name)}; known: ${allKinds.join(', ')}`);
    return kind;
  });
}

function numberOf(flag: string, text: string | undefined, fallback: number, isValid: (value: number) => boolean): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || !isValid(value)) throw new UsageError(`--${flag}: ${JSON.stringify(text)} is not such a number; see --help`);
  return value;
}
