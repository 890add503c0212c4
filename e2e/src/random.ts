// Numbers that look random and are a pure function of a seed, for what must happen again in the same way (xorshift, 32 bits).

export class Random {
  #state: number;

  constructor(seed: number) {
    // Seeds that lie close together must not begin alike.
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bf03635) | 0 || 1;
    for (let warmUp = 0; warmUp < 8; warmUp += 1) this.next();
  }

  /** From 0 to below 1. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state | 0;
    return (state >>> 0) / 2 ** 32;
  }

  /** A whole number; both ends are possible. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.between(0, from.length - 1)] ?? from[0];
  }
}
