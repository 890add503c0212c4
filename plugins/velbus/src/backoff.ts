// How long to wait before a device that cannot be reached is tried again. Pure: it is given its randomness.

const firstMs = 500;
const longestMs = 15_000;

/** Doubles with each failure up to 15 s; a share is random, so that many hosts do not come back in one moment. */
export function backoffMs(failures: number, random: () => number): number {
  if (failures === 0) return 0;
  const fullMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 10));
  return fullMs * (0.75 + 0.25 * random());
}
