// How long processes stood ready to run without a processor, and what that excuses: on a busy machine a bound that is no fault of
// the house is missed. Pure.

/** What a bound of time says of what took so long. */
export type Verdict = 'held' | 'broken' | 'inconclusive';

/** What is wrong, and whether it is certain: a machine that gives no processor proves nothing. */
export interface Complaint {
  readonly verdict: Exclude<Verdict, 'held'>;
  readonly what: string;
}

/** How long processes waited in a stretch of time. */
export interface Waited {
  /** Of one process, at the most. */
  readonly longestMs: number;
  /** Of all of them: some wait one after the other, some at the same time, which nobody can tell. */
  readonly togetherMs: number;
}
export type WaitedSince = (sinceMs: number) => Waited;

/** So many times the bound may be added to it; what would need more is not judged. */
const mostExcuse = 2;

/** The longest wait of one process is an excuse; what only all waits together would excuse is not proved. */
export function judgeTime(tookMs: number, boundMs: number, { longestMs, togetherMs }: Waited): Verdict {
  if (tookMs <= excusedMs(boundMs, Math.min(longestMs, tookMs))) return 'held';
  return tookMs <= boundMs + togetherMs ? 'inconclusive' : 'broken';
}

/** The bound with its excuse. */
export function excusedMs(boundMs: number, waitedMs: number): number {
  return boundMs + Math.min(waitedMs, mostExcuse * boundMs);
}

interface Step {
  readonly atMs: number;
  readonly identity: string;
  readonly waitedMs: number;
}

/** Longer than any bound with its excuse. */
const rememberedMs = 200_000;

export class Waits {
  readonly #steps: Step[] = [];
  #known: ReadonlyMap<string, number> | undefined;

  /** How long each process had waited by then, since it began. */
  seen(waited: ReadonlyMap<string, number>, atMs: number): void {
    for (const [identity, waitedMs] of this.#known === undefined ? [] : waited) {
      const moreMs = waitedMs - (this.#known?.get(identity) ?? 0);
      if (moreMs > 0) this.#steps.push({ atMs, identity, waitedMs: moreMs });
    }
    this.#known = waited;
    const first = this.#steps.findIndex((step) => step.atMs >= atMs - rememberedMs);
    if (first > 0) this.#steps.splice(0, first);
  }

  since(sinceMs: number): Waited {
    const sums = new Map<string, number>();
    for (const { atMs, identity, waitedMs } of this.#steps) if (atMs > sinceMs) sums.set(identity, (sums.get(identity) ?? 0) + waitedMs);
    const all = [...sums.values()];
    return { longestMs: Math.max(0, ...all), togetherMs: all.reduce((sum, waitedMs) => sum + waitedMs, 0) };
  }
}
