// The runner of the fuzz, on a target with a planted fault, and the judges of a whole house, on one that is broken.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzz, inputsOf } from './run.ts';
import { smaller } from './shrink.ts';
import { Site } from './site.ts';
import { Finding, target, type Target } from './target.ts';

/** Takes numbers, and does not like some of them. */
function numbers(dislikes: (n: number) => boolean, memory: () => number = () => 0): Target {
  return target<number>({
    name: 'numbers', about: 'numbers', batchSize: 100, testInputs: 100, input: fc.nat(1_000_000), show: String,
    open: () => Promise.resolve({
      feed: (inputs) => {
        const wrong = inputs.find(dislikes);
        return wrong === undefined ? Promise.resolve() : Promise.reject(new Finding(`${wrong} is not liked`));
      },
      memory: () => Promise.resolve([{ name: 'numbers', pid: 1, residentBytes: 0, heldBytes: memory() }]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  });
}

describe('the runner', () => {
  it('makes the same inputs of a seed and a batch, and others of others', () => {
    const any = numbers(() => false);
    expect(inputsOf(any, 1, 5)).toEqual(inputsOf(any, 1, 5));
    expect(new Set([inputsOf(any, 1, 5), inputsOf(any, 1, 6), inputsOf(any, 2, 5)].map(String)).size).toBe(3);
  });

  it('tells what it found, the one input that it needs, and the command that shows it again', async () => {
    const planted = inputsOf(numbers(() => false), 9, 3)[41] as number;
    const { found, inputs } = await fuzz(numbers((n) => n === planted), { seed: 9, inputs: 1000, tries: 40 });
    expect(inputs).toBeLessThanOrEqual(400);
    expect(found).toEqual({ problem: `${planted} is not liked`, batch: (inputs / 100) - 1, inputs: [String(planted)], command: `pnpm fuzz numbers --seed 9 --batch ${inputs / 100 - 1} --inputs 100` });
    const again = await fuzz(numbers((n) => n === planted), { seed: 9, inputs: 100, batch: found?.batch ?? 0, tries: 0 });
    expect(again.found?.problem).toBe(found?.problem);
  });

  it('tells that memory grew', async () => {
    let held = 0;
    const { found } = await fuzz(numbers(() => false, () => (held += 20 * 2 ** 20)), { seed: 1, inputs: 1000 });
    expect(found).toMatchObject({ problem: expect.stringMatching(/20\.0 MiB more in objects/), inputs: [], command: 'pnpm fuzz numbers --seed 1 --inputs 1000' });
  });

  it('finds nothing where nothing is wrong, and ends at its limit of time', async () => {
    expect(await fuzz(numbers(() => false), { seed: 1, inputs: 1000 })).toMatchObject({ inputs: 1000, found: undefined });
    expect((await fuzz(numbers(() => false), { seed: 1, inputs: 100_000_000, limitMs: 50 })).inputs).toBeLessThan(100_000_000);
  });

  it('leaves out what is not needed, within its tries', async () => {
    const fails = (inputs: readonly number[]): Promise<boolean> => Promise.resolve(inputs.includes(7));
    expect(await smaller([...Array(50).keys()], fails, 100)).toEqual([7]);
    expect(await smaller([7], fails, 100)).toEqual([7]);
    expect((await smaller([...Array(50).keys()], fails, 1)).length).toBeGreaterThan(1);
  });
});

describe('the judges of a house', () => {
  it('see what was written beside the home, a service that does not answer, and a part that went down although it is back', { timeout: 180_000 }, async () => {
    await using site = new Site();
    const house = await site.house();
    await house.judge();

    site.home.newFolder('evil');
    expect(() => house.judgeOutside()).toThrow(/outside the home, evil is folder/);

    const pid = await house.house.partPid('dbmanager');
    process.kill(pid, 'SIGSTOP');
    try {
      await expect(house.judgeService(500)).rejects.toThrow(/a valid request failed after \d+ ms/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }

    const killed = await house.house.kill('packagemanager');
    await house.house.untilWhole({ limitMs: 60_000, without: [killed] });
    await expect(house.judgeAlive()).rejects.toThrow(/packagemanager had the pid \d+, and has \d+ now: it went down/);
  });
});
