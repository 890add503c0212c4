// Waiting for a state, within a bound: never for a time to pass.
import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 20;
const defaultLimitMs = 15_000;

/** Asks again and again until `probe` gives something, at most for `limitMs`; then `describe` says what there was instead. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  { limitMs = defaultLimitMs, describe = () => '' }: { readonly limitMs?: number; readonly describe?: () => unknown } = {},
): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > endMs) assert.fail(`not within ${limitMs} ms: ${what} ${JSON.stringify(describe()) ?? ''}`);
    await delay(pollMs);
  }
}

/** The same for something that is so or not. */
export async function untilTrue(what: string, probe: () => boolean | Promise<boolean>, options: Parameters<typeof until>[2] = {}): Promise<void> {
  await until(what, async () => ((await probe()) ? true : undefined), options);
}

/**
 * The shortest of three times, or the first that is within the bound: what a busy machine adds is not what is measured, and what
 * takes too long by itself does so each time.
 */
export async function shortestMs(boundMs: number, measure: () => Promise<number>): Promise<number> {
  let shortest = Infinity;
  for (let round = 0; round < 3 && shortest >= boundMs; round++) shortest = Math.min(shortest, await measure());
  return shortest;
}
