// Time as a plugin sees it. In a house it is the machine's; in a test the author turns it (test-clock.ts).
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Clock } from '@majordomus/runtime';

/** The time, and how to wait. What reads the time and waits by it can be tested without waiting. */
export interface PluginClock extends Clock {
  /** Waits so many milliseconds. Rejects with the reason of the signal when that fires first. */
  delay(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The clock of whoever runs a plugin: it also knows which work is under way. */
export interface RunnerClock extends PluginClock {
  /** Runs a piece of the plugin's work. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Longest delay that a timer of Node takes. */
const maxDelayMs = 2 ** 31 - 1;

export const realClock: RunnerClock = {
  ...systemClock,
  async delay(delayMs, signal) {
    signal?.throwIfAborted();
    const endMs = systemClock.monotonicMs() + delayMs;
    for (let leftMs = delayMs; leftMs > 0; leftMs = endMs - systemClock.monotonicMs()) {
      await delay(Math.min(leftMs, maxDelayMs), undefined, signal && { signal }).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      });
    }
  },
  run: (work) => work(),
};
