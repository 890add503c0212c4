// What is fuzzed: where inputs go in, and who judges what came of them (CONTRIBUTING.md, "Feed it with anything"). A target knows nothing of
// seeds, batches or progress; run.ts does.
import type * as fc from 'fast-check';
import type { Memory } from './memory.ts';
import type { Site } from './site.ts';

export interface Target<Input = unknown> {
  readonly name: string;
  /** What goes in where, in a line. */
  readonly about: string;
  /** How many inputs go in together, and are made from one number. */
  readonly batchSize: number;
  /** How many go in within the tests. */
  readonly testInputs: number;
  readonly input: fc.Arbitrary<Input>;
  /** An input for a person who looks for the fault. */
  show(input: Input): string;
  /** Starts what is fuzzed. */
  open(site: Site): Promise<Subject<Input>>;
}

/** What is fuzzed, running. */
export interface Subject<Input = unknown> extends AsyncDisposable {
  /** Puts the inputs in, and judges what is seen of each and of all. @throws Finding */
  feed(inputs: readonly Input[]): Promise<void>;
  /** What its processes hold when they have let go of what they do not need. */
  memory(): Promise<readonly Memory[]>;
}

/** What a judge has against the house. */
export class Finding extends Error {
  override readonly name = 'Finding';
  readonly code = 'FINDING';
}

/** The arbitrary of a target keeps its type only inside it. */
export function target<Input>(definition: Target<Input>): Target {
  return definition;
}
