// One run for everything: the suites beside the sources, and the whole-system tests, which mostly wait for processes, so that
// more of them than there are processors run at once. What judges a whole house by the clock runs after them, alone.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Long enough for a machine that is busy with other things; a test that checks how long something takes has a bound of its own. */
const common = { pool: 'forks', testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000 } } } as const;

const alone = ['e2e/chaos/chaos.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: availableParallelism() + 2,
    projects: [
      { test: { ...common, name: 'libs', include: ['libs/*/{src,test}/**/*.test.ts'] } },
      { test: { ...common, name: 'apps', include: ['apps/*/{src,test}/**/*.test.ts'] } },
      { test: { ...common, name: 'plugins', include: ['plugins/*/{src,test}/**/*.test.ts'] } },
      { test: { ...common, name: 'tools', include: ['{tools,package}/*.test.ts', 'bench/src/*.test.ts'] } },
      { test: { ...common, name: 'e2e', include: ['e2e/{src,chaos,soak,fuzz}/**/*.test.ts'], exclude: alone } },
      { test: { ...common, name: 'alone', include: alone, fileParallelism: false, sequence: { groupOrder: 1 } } },
    ],
  },
});
