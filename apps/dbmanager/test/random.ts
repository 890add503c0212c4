// Randomness that a seed repeats (mulberry32), and the seed itself: of the clock, unless the environment has one.

/** The seed of a run: DOMUS_TEST_SEED repeats one that was printed. */
export function seedOfRun(): number {
  const given = Number(process.env['DOMUS_TEST_SEED']);
  return Number.isSafeInteger(given) && given > 0 ? given : Date.now() % 2 ** 31;
}

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, but not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }
}
