// Whether a silent worker still lives, in attentive time (docs/protocol.md, rules R8, R9).
import type { WorkerState } from './broker-state.ts';

/** One with capacity that holds requests has this many times the liveness. */
const patienceWhileHolding = 3;

/**
 * `silent`: it gets nothing more until it speaks. `gone`: it is given up. A plain worker is silent while it works, so one
 * that holds a request is given up only when it is stuck in it past the request's deadline.
 */
export function judgeSilence(worker: WorkerState, attentiveMs: number, livenessMs: number): 'alive' | 'silent' | 'gone' {
  const silentMs = attentiveMs - worker.lastHeardMs;
  if (silentMs < livenessMs) return 'alive';
  if (worker.stuckSinceMs !== undefined) return attentiveMs - worker.stuckSinceMs >= livenessMs ? 'gone' : 'silent';
  if (worker.open.size === 0) return 'gone';
  return !worker.plain && silentMs >= patienceWhileHolding * livenessMs ? 'gone' : 'silent';
}
