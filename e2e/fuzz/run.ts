// Feeds a target with inputs by seed: batch after batch, each made from the seed and its own number alone, so that one batch can
// be made again. What a judge finds is made as small as a bounded number of tries can, and told with the command to see it again.
import * as fc from 'fast-check';
import { growth, type Memory } from './memory.ts';
import { smaller } from './shrink.ts';
import { Site } from './site.ts';
import { Finding, type Subject, type Target } from './target.ts';

export interface Plan {
  readonly seed: number;
  /** At least so many inputs. */
  readonly inputs: number;
  /** Ends earlier, after so long. */
  readonly limitMs?: number;
  /** The first batch; after a finding, the one that it was in. */
  readonly batch?: number;
  /** How often what was found is tried again with fewer inputs; 0 leaves it as it is. */
  readonly tries?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Where it runs; without it a place of its own, which a finding is made smaller in anyway. */
  readonly site?: Site;
}

export interface Progress {
  readonly inputs: number;
  readonly ms: number;
}

export interface Found {
  /** What the judge says. */
  readonly problem: string;
  readonly batch: number;
  /** The inputs of the batch that were needed, as far as that was tried; shown for a person. */
  readonly inputs: readonly string[];
  /** What shows it again. */
  readonly command: string;
}

export interface Outcome extends Progress {
  readonly found: Found | undefined;
}

/** Until then whoever is fuzzed fills its caches and pools. */
const warmUpShare = 0.2;
const warmUpInputs = 20_000;
const defaultTries = 12;

/** Runs one target. What is no finding is thrown: the fuzz itself failed. */
export async function fuzz(target: Target, plan: Plan): Promise<Outcome> {
  const own = plan.site === undefined ? new Site() : undefined;
  let outcome: Outcome | undefined;
  try {
    outcome = await run(target, plan, plan.site ?? (own as Site));
  } finally {
    // What is left of a house that was broken does not end well, and the finding says more.
    await own?.[Symbol.asyncDispose]().catch((error: unknown) => {
      if (outcome?.found === undefined) throw error;
    });
  }
  if (outcome.found === undefined || outcome.found.inputs.length === 0) return outcome;
  return { ...outcome, found: await shrunk(target, plan, outcome.found) };
}

async function run(target: Target, plan: Plan, site: Site): Promise<Outcome> {
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const { seed, batch: first = 0, limitMs = Infinity } = plan;
  const batches = Math.ceil(plan.inputs / target.batchSize);
  await using subject = await target.open(site);
  let done = 0;
  let warm: readonly Memory[] | undefined;
  for (let batch = first; batch < first + batches && elapsedMs() < limitMs; batch += 1) {
    const inputs = inputsOf(target, seed, batch);
    const problem = await problemOf(subject, inputs);
    done += inputs.length;
    if (problem !== undefined) {
      const command = `pnpm fuzz ${target.name} --seed ${seed} --batch ${batch} --inputs ${target.batchSize}`;
      return { inputs: done, ms: elapsedMs(), found: { problem, batch, command, inputs: inputs.map((input) => target.show(input)) } };
    }
    if (warm === undefined && done >= Math.min(plan.inputs * warmUpShare, warmUpInputs)) warm = await subject.memory();
    plan.onProgress?.({ inputs: done, ms: elapsedMs() });
  }
  const grown = warm === undefined ? undefined : growth(warm, await subject.memory());
  if (grown === undefined) return { inputs: done, ms: elapsedMs(), found: undefined };
  const command = `pnpm fuzz ${target.name} --seed ${seed} --inputs ${done}${first === 0 ? '' : ` --batch ${first}`}`;
  return { inputs: done, ms: elapsedMs(), found: { problem: grown, batch: first, inputs: [], command } };
}

/** The inputs of a batch: the same for the same target, seed and number. */
export function inputsOf(target: Target, seed: number, batch: number): unknown[] {
  // Any two pairs of numbers give far seeds; the generator takes 32 bits.
  return fc.sample(target.input, { seed: Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(batch + 1, 0xc2b2ae35), numRuns: target.batchSize });
}

async function problemOf(subject: Subject, inputs: readonly unknown[]): Promise<string | undefined> {
  try {
    await subject.feed(inputs);
    return undefined;
  } catch (error) {
    if (error instanceof Finding) return error.message;
    throw error;
  }
}

/** The same finding with fewer inputs, as far as tries in a place of their own tell. */
async function shrunk(target: Target, { seed, tries = defaultTries }: Plan, found: Found): Promise<Found> {
  const fails = async (inputs: readonly unknown[]): Promise<boolean> => {
    let isFound = false;
    try {
      await using site = new Site();
      await using subject = await target.open(site);
      isFound = (await problemOf(subject, inputs)) !== undefined;
    } catch {
      return isFound;
    }
    return isFound;
  };
  const few = await smaller(inputsOf(target, seed, found.batch), fails, tries);
  return { ...found, inputs: few.map((input) => target.show(input)) };
}
