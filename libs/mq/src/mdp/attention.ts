// Time in which this process itself ran. Silence of a peer is measured on it, so that a suspended process or a slow disk
// does not make living peers look dead (docs/protocol.md, rule R9). Pure: it is told the time.

export class Attention {
  readonly #checkMs: number;
  #lastMs: number;
  #pausedMs = 0;
  #pauseBeganMs: number | undefined;

  /** @param checkMs how often, at the least, `observe` is called while the process runs */
  constructor(nowMs: number, checkMs: number) {
    this.#checkMs = checkMs;
    this.#lastMs = nowMs;
  }

  /** When `observe` is due, so that a pause can be told from idleness; and at once as long as a pause is caught up with. */
  get nextCheckMs(): number {
    return this.#pauseBeganMs === undefined ? this.#lastMs + this.#checkMs : this.#lastMs;
  }

  /** When the pause began whose arrivals are still being read, or undefined. */
  get pauseBeganMs(): number | undefined {
    return this.#pauseBeganMs;
  }

  /** To be called with every input, before it is judged. */
  observe(nowMs: number): void {
    const sinceMs = nowMs - this.#lastMs;
    if (sinceMs > 2 * this.#checkMs) {
      this.#pausedMs += sinceMs;
      this.#pauseBeganMs ??= this.#lastMs;
    }
    this.#lastMs = nowMs;
  }

  /** What arrived during a pause was read. */
  caughtUp(): void {
    this.#pauseBeganMs = undefined;
  }

  /** Attentive time: only differences mean anything. */
  at(nowMs: number): number {
    return nowMs - this.#pausedMs;
  }
}
