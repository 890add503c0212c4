// The verdict of the health gate (docs/packages.md, "The health gate"): whether a plugin's new version is at least as well as the
// former one was. Pure: it is given what the manager tells and the time, and asks nobody.
import type { PluginStatus } from '@majordomus/contracts';

/** How the former version was, as what is asked of the new one; `restart` asks nothing, and `none` is one that stood still. */
export const demands = ['running', 'calm', 'restart', 'none'] as const;
export type Demand = (typeof demands)[number];

export function demandOf(state: PluginStatus['state']): Demand {
  switch (state) {
    case 'running': return 'running';
    // It ran and waited, for a device perhaps, which does not answer the new version either.
    case 'not-ready':
    case 'starting': return 'calm';
    case 'backoff':
    case 'failed': return 'restart';
    case 'stopped':
    case 'stopping': return 'none';
    default: return state satisfies never;
  }
}

export interface HealthLimits {
  /** How long the new version may take to become well. */
  readonly timeoutMs: number;
  /** How long it then has to stay so, without an end. */
  readonly calmMs: number;
}

export type Verdict =
  | { readonly is: 'open' }
  | { readonly is: 'well' }
  /** A person stopped the plugin meanwhile: there is nothing to judge. */
  | { readonly is: 'left' }
  | { readonly is: 'ill'; readonly reason: string };

export type Seen = Pick<PluginStatus, 'state' | 'pid' | 'restarts' | 'autostart' | 'reason' | 'lastError'>;

const open = { is: 'open' } as const;

/** Whether a person stopped it, who alone says when it starts again. */
export function isLeft(seen: Pick<Seen, 'state' | 'autostart'> | undefined): boolean {
  return seen?.state === 'stopped' && !seen.autostart;
}

export class Health {
  readonly #demand: Demand;
  readonly #limits: HealthLimits;
  readonly #deadlineMs: number;
  #well: { readonly pid: number | null; readonly sinceMs: number } | undefined;
  #last = 'the manager did not answer';

  constructor(demand: Demand, limits: HealthLimits, nowMs: number) {
    this.#demand = demand;
    this.#limits = limits;
    this.#deadlineMs = nowMs + limits.timeoutMs;
  }

  /** What is to be thought of it now; `seen` is undefined while the manager does not answer. */
  judge(seen: Seen | undefined, nowMs: number): Verdict {
    const verdict = seen === undefined ? this.#unseen() : this.#judge(seen, nowMs);
    // Who became well in time has its calm beyond the bound, too.
    if (verdict.is !== 'open' || this.#well !== undefined || nowMs < this.#deadlineMs) return verdict;
    return { is: 'ill', reason: `was not ready within ${this.#limits.timeoutMs / 1000} s: ${this.#last}` };
  }

  #unseen(): Verdict {
    this.#well = undefined;
    this.#last = 'the manager did not answer';
    return open;
  }

  #judge({ state, pid, restarts, autostart, reason, lastError }: Seen, nowMs: number): Verdict {
    if (isLeft({ state, autostart })) return { is: 'left' };
    if (state === 'backoff' || state === 'failed' || restarts > 0) return { is: 'ill', reason: `ended: ${lastError || reason || 'nobody knows why'}` };
    this.#last = state === 'not-ready' && reason !== '' ? reason : `it is ${state}`;
    if (state !== 'running' && !(state === 'not-ready' && this.#demand === 'calm')) {
      this.#well = undefined;
      return open;
    }
    // Another process than before, without an end of its own: a person or a new manager started it again.
    if (this.#well?.pid !== pid) this.#well = { pid, sinceMs: nowMs };
    return nowMs - this.#well.sinceMs >= this.#limits.calmMs ? { is: 'well' } : open;
  }
}
