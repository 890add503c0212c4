// The promises of a house that chaos puts to the test, and what a run of it has to tell.
import type { BlowKind } from './schedule.ts';

/** What must hold all along. */
export const invariants = {
  writes: 'no acknowledged write is lost, and none that was refused is there',
  deadlines: 'every call ends by its deadline',
  instances: 'no plugin runs twice, and no command has its effect twice',
  silence: 'no part is down in silence',
  whole: 'the house is whole within 5 s after the last blow',
  database: 'the database is sound',
  stop: 'the house stops in good order, and leaves no process behind',
  logs: 'no log tells of an unforeseen failure',
} as const;
export type Invariant = keyof typeof invariants;

export interface Breach {
  readonly invariant: Invariant;
  readonly what: string;
  readonly atMs: number;
  readonly round: number;
}

export interface ChaosResult {
  readonly breaches: readonly Breach[];
  /** What took too long on a machine that gave no processor for so long that nothing is proved. */
  readonly doubts: readonly string[];
  readonly rounds: number;
  readonly blows: ReadonlyMap<BlowKind, number>;
  /** What was checked for each invariant, in numbers. */
  readonly checked: Readonly<Record<Invariant, string>>;
  readonly ends: ReadonlyMap<string, number>;
  readonly elapsedMs: number;
  /** Where the logs were put aside, if something broke. */
  readonly evidence: string | undefined;
}
