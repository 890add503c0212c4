// The short run of `pnpm fuzz`: by a fixed seed, so that it is the same every time. The long one is for a night (CONTRIBUTING.md).
import { afterAll, describe, expect, it } from 'vitest';
import { fuzz } from './run.ts';
import { Site } from './site.ts';
import { targets } from './targets.ts';

const seed = 4;
const atLeast = 100_000;

describe('whatever is sent, written or installed', () => {
  // One house for all that need one: what one leaves behind, the others stand on.
  const site = new Site();
  afterAll(() => site[Symbol.asyncDispose]());

  it.each(targets.map((target) => [target.name, target] as const))('%s: nobody goes down, memory does not grow, and each refusal has a code', { timeout: 300_000 }, async (_name, target) => {
    const { found } = await fuzz(target, { seed, inputs: target.testInputs, tries: 0, site });
    expect(found === undefined ? '' : `${found.problem}\n${found.inputs.length} inputs\nagain: ${found.command}`).toBe('');
  });

  it(`is ${atLeast} inputs at least`, () => {
    expect(targets.reduce((sum, { testInputs }) => sum + testInputs, 0)).toBeGreaterThanOrEqual(atLeast);
  });
});
