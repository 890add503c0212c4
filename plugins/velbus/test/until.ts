// Waiting for a state, within a bound: never for a time to pass.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';

const limitMs = 10_000;

/** Asks again and again until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) expect.fail(`not within ${limitMs} ms: ${isSo.toString()}`);
    await delay(5);
  }
}
