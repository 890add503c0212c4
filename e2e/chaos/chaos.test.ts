// A short run of chaos with a fixed seed: what "pnpm chaos" does for as long as one likes (CONTRIBUTING.md, "Break it on purpose").
import { expect, it } from 'vitest';
import { commandOf } from './options.ts';
import type { ChaosResult } from './promises.ts';
import { runChaos } from './run.ts';
import { allKinds } from './schedule.ts';

const seed = 2;
const roundMs = 14_000;
/** A run on a machine that gave no processor for seconds proves nothing; then it is made once more, up to so many. */
const mostRuns = 4;

it('a house under blows keeps its promises', { timeout: mostRuns * 120_000 }, async ({ signal }) => {
  const said: string[] = [];
  const again = commandOf({ seed, minutes: 0.1, kinds: allKinds, isOnly: false, roundMs });
  const run = (): Promise<ChaosResult> => runChaos({ seed, kinds: allKinds, roundMs, signal, more: (rounds) => rounds === 0, say: (line) => { said.push(line); console.info(line); } });
  let result = await run();
  for (let runs = 1; runs < mostRuns && result.breaches.length === 0 && result.doubts.length > 0; runs += 1) {
    console.info(`inconclusive, once more: ${result.doubts.join('; ')}`);
    result = await run();
  }
  const { breaches, doubts, blows, evidence } = result;
  expect(breaches, `logs and database: ${evidence}; again: ${again}`).toEqual([]);
  expect(doubts, `the machine was too busy to tell, ${mostRuns} times; again: ${again}`).toEqual([]);
  expect(blows.size).toBeGreaterThan(3);
  // Where the system programs were installed nothing may be left out.
  if (process.env['CI'] === 'true') expect(said.filter((line) => line.startsWith('left out'))).toEqual([]);
});
