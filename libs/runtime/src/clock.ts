// The two clocks, kept apart: durations and deadlines are measured on one that never jumps, dates are read from the
// other. Everything that needs the time takes a Clock, so that tests can turn it.

export interface Clock {
  /** Milliseconds on a clock that never goes back; only differences mean anything. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch; may jump when the machine's clock is set. */
  wallMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
