// How long the commands wait. The times are those of a bus on which others talk too; tests take shorter ones.
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

export interface Timing {
  /** For the answer of one module. */
  readonly answerMs: number;
  /** How long nobody may speak before a scan takes it that all have answered. */
  readonly settleMs: number;
  /** For asking all addresses. */
  readonly scanLimitMs: number;
}

export const busTiming: Timing = { answerMs: 1000, settleMs: 300, scanLimitMs: 60_000 };

/** Turns of the event loop in which what came meanwhile is read, and answered by a bus in this very process. */
const turns = 4;

/** Waits until the time that `endMs` gives, which may move, and at most `limitMs`. @throws the signal's reason */
export async function settled(endMs: () => number, limitMs: number, signal: AbortSignal): Promise<void> {
  const latestMs = performance.now() + limitMs;
  for (;;) {
    const waitMs = Math.min(endMs(), latestMs) - performance.now();
    if (waitMs <= 0) return;
    await pause(waitMs, signal);
  }
}

/** What the promise gives; undefined if that is late. @throws the signal's reason */
export async function within<T>(limitMs: number, promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const done = new AbortController();
  const waited = pause(limitMs, AbortSignal.any([signal, done.signal])).then(() => undefined);
  try {
    return await Promise.race([promise, waited]);
  } finally {
    done.abort();
  }
}

/** A machine that gave this process no time for so long has its input waiting: that is read before the time is up. */
async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(Math.ceil(durationMs), undefined, { signal });
    for (let turn = 0; turn < turns; turn++) await nextTurn(undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
