// How long to wait before trying again: doubling to a limit, with jitter so that many peers do not come back at once.
// Pure: the randomness is an argument.

export interface BackoffLimits {
  readonly firstMs: number;
  readonly limitMs: number;
}

/** Rule W1. */
export const reconnectBackoff: BackoffLimits = { firstMs: 100, limitMs: 2000 };

export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #nextMs: number;

  /** @param random gives numbers from 0 up to, but not including, 1 */
  constructor(random: () => number, limits: BackoffLimits = reconnectBackoff) {
    this.#limits = limits;
    this.#random = random;
    this.#nextMs = limits.firstMs;
  }

  /** Between half of the current step and all of it; the step doubles. */
  nextMs(): number {
    const stepMs = this.#nextMs;
    this.#nextMs = Math.min(2 * stepMs, this.#limits.limitMs);
    return stepMs * (0.5 + 0.5 * this.#random());
  }

  reset(): void {
    this.#nextMs = this.#limits.firstMs;
  }
}
