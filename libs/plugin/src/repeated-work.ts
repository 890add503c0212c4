// What a plugin does again and again, such as a measurement: `every` of its start.
import { ActionFailure } from '@majordomus/contracts';
import type { PluginClock } from './clock.ts';

/** @throws ActionFailure INTERVAL_INVALID */
export function checkInterval(intervalMs: number): void {
  if (Number.isFinite(intervalMs) && intervalMs > 0) return;
  throw new ActionFailure('INTERVAL_INVALID', `every needs an interval of more than 0 milliseconds, not ${String(intervalMs)}; check what it is computed from`);
}

/**
 * Does the work now and at each interval from now on, until the signal fires. It is never done twice at once: while it takes
 * longer than the interval, the times that it misses are left out.
 * @param work never rejects
 */
export async function repeat(intervalMs: number, work: () => Promise<void>, clock: PluginClock, signal: AbortSignal): Promise<void> {
  const firstMs = clock.monotonicMs();
  let dueMs = firstMs;
  while (!signal.aborted) {
    await work();
    dueMs += intervalMs;
    const nowMs = clock.monotonicMs();
    if (dueMs <= nowMs) dueMs = nowMs + intervalMs - ((nowMs - firstMs) % intervalMs);
    // It ends by the signal, and only by it.
    await clock.delay(dueMs - nowMs, signal).catch(() => {});
  }
}
