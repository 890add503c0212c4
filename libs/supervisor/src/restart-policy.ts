// When a process that ended unasked is started again (docs/architecture.md, "Supervision").
// Pure: time and randomness come in, a verdict goes out. How it ended does not matter: every end counts the same.

export interface RestartSettings {
  /** The pause after the first failure; it doubles with each further one. */
  readonly firstBackoffMs: number;
  /** The longest pause. */
  readonly backoffLimitMs: number;
  /** How much of a pause is random, from 0 to 1: what fell together must not get up together. */
  readonly jitter: number;
  /** The failure with this number within the window makes the process `failed`. */
  readonly failureLimit: number;
  /** The length of the sliding window, and the uptime without a failure that forgives everything before it. */
  readonly windowMs: number;
  /** The pause between the tries of a `failed` process. */
  readonly slowRetryMs: number;
}

/**
 * The window is long enough for five hangs of 10 s each with their pauses. The slow retry stays the same for ever:
 * a try a minute costs nothing, and a house that was left alone for a week is whole a minute after its cause is gone.
 */
export const restartDefaults: RestartSettings = {
  firstBackoffMs: 250,
  backoffLimitMs: 30_000,
  jitter: 0.25,
  failureLimit: 5,
  windowMs: 120_000,
  slowRetryMs: 60_000,
};

export interface RestartVerdict {
  readonly state: 'backoff' | 'failed';
  /** After how long the process is started again. */
  readonly delayMs: number;
}

/** Counts the failures of one process. */
export class RestartPolicy {
  readonly #settings: RestartSettings;
  readonly #random: () => number;
  /** When the last failures were; never more than the limit. */
  #failuresMs: number[] = [];
  /** Failures since the last calm uptime: the exponent of the pause. */
  #streak = 0;
  #failed = false;

  /** `random` returns numbers from 0 to below 1. */
  constructor(settings: RestartSettings, random: () => number) {
    this.#settings = settings;
    this.#random = random;
  }

  /** The process ended unasked at `nowMs`, `uptimeMs` after it was spawned. */
  failure(nowMs: number, uptimeMs: number): RestartVerdict {
    const { windowMs, failureLimit, firstBackoffMs, backoffLimitMs, slowRetryMs } = this.#settings;
    if (uptimeMs >= windowMs) this.reset();
    this.#streak += 1;
    this.#failuresMs = [...this.#failuresMs.filter((atMs) => nowMs - atMs < windowMs), nowMs].slice(-failureLimit);
    // Once failed, only calm uptime or a person helps: the window would be empty again after a few slow tries.
    this.#failed ||= this.#failuresMs.length >= failureLimit;
    if (this.#failed) return { state: 'failed', delayMs: this.#jittered(slowRetryMs) };
    return { state: 'backoff', delayMs: this.#jittered(Math.min(backoffLimitMs, firstBackoffMs * 2 ** (this.#streak - 1))) };
  }

  /** Whether it was `failed` and has not been calm since: its next end is a failure at once. */
  get isOnTrial(): boolean {
    return this.#failed;
  }

  /** Forgets everything: the process was calm, or was started by hand. */
  reset(): void {
    this.#failuresMs = [];
    this.#streak = 0;
    this.#failed = false;
  }

  #jittered(delayMs: number): number {
    return delayMs * (1 - this.#settings.jitter * this.#random());
  }
}
