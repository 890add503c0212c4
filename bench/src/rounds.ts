// Measures several things in turn, round after round: what else the machine does meanwhile hits all alike.
import type { BenchmarkOptions } from './benchmark.ts';

/** One thing that is measured. */
export interface Case<Result> {
  readonly name: string;
  readonly measure: () => Promise<Result>;
  /** The result in a few words, for who waits. */
  readonly show: (result: Result) => string;
}

/** The results of each, by name, one for each round. */
export async function inRounds<Result>({ rounds, tell }: Pick<BenchmarkOptions, 'rounds' | 'tell'>, cases: readonly Case<Result>[]): Promise<ReadonlyMap<string, readonly Result[]>> {
  const results = new Map<string, Result[]>(cases.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const { name, measure, show } of cases) {
      const result = await measure();
      results.get(name)?.push(result);
      tell(`${round}/${rounds} ${name}: ${show(result)}`);
    }
  }
  return results;
}
