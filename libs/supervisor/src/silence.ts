// How long a program that has spoken has been silent. Pure. It is added up in checks, each worth two intervals at most:
// a gap between two checks means that we were suspended, not that the program said nothing.

const checksPerLimit = 10;

export class Silence {
  readonly #limitMs: number;
  #ms = 0;
  #checkedMs: number;

  /** It has just spoken. */
  constructor(limitMs: number, nowMs: number) {
    this.#limitMs = limitMs;
    this.#checkedMs = nowMs;
  }

  /** When the next check is due. */
  get deadlineMs(): number {
    return this.#checkedMs + Math.min(this.#intervalMs, this.#limitMs - this.#ms);
  }

  /** Whether it has lasted as long as the limit, as of the last check. */
  get isTooLong(): boolean {
    return this.#ms >= this.#limitMs;
  }

  /** A check: adds up the time since the one before. */
  check(nowMs: number): void {
    this.#ms += Math.min(nowMs - this.#checkedMs, 2 * this.#intervalMs);
    this.#checkedMs = nowMs;
  }

  get #intervalMs(): number {
    return this.#limitMs / checksPerLimit;
  }
}
