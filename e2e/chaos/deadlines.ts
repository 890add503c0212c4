// Whether each call ended by its deadline. Pure. The clock is the caller's own, so the slack is what the caller itself was late:
// the time for which its event loop did not turn while the call was open, and a fixed bit for the timer's own coarseness.

/** What a timer and a turn of the loop take on an idle machine, with room. */
const slackMs = 100;

export interface EndedCall {
  readonly what: string;
  readonly timeoutMs: number;
  readonly tookMs: number;
  /** For how long the caller's event loop stood still meanwhile. */
  readonly stoodStillMs: number;
}

export class DeadlineWitness {
  #calls = 0;
  #latestMs = 0;

  get calls(): number {
    return this.#calls;
  }

  /** By how much a call was later than its deadline, at the most, its caller's own delay left out. */
  get latestMs(): number {
    return this.#latestMs;
  }

  ended({ what, timeoutMs, tookMs, stoodStillMs }: EndedCall): string | undefined {
    this.#calls += 1;
    const lateMs = tookMs - timeoutMs - stoodStillMs;
    this.#latestMs = Math.max(this.#latestMs, lateMs);
    if (lateMs <= slackMs) return undefined;
    return `${what} had ${timeoutMs} ms and ended after ${Math.round(tookMs)} ms (its caller stood still for ${Math.round(stoodStillMs)} ms of it)`;
  }
}
