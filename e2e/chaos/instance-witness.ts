// Whether a plugin ever ran twice. Pure: it is told what was seen, by three witnesses that know nothing of each other.
//
// 1. Answers. Each answer of the plugin `tally` says which instance handled it and when, on the machine's one monotonic clock.
//    An instance that is older than another must not have handled, after the other's first, anything whose answer reached a caller.
// 2. Processes. Two processes of one plugin that are both alive must not be seen for longer than the bound.
// 3. Commands. A command has an effect that is counted; no effect may come twice, for `helper.do` is not idempotent.

import type { Counted } from '../src/tally-plugin.ts';
import { judgeTime, type Complaint, type WaitedSince } from './waits.ts';

interface Handled {
  readonly startedMs: number;
  firstMs: number;
  lastMs: number;
}

export class AnswerWitness {
  readonly #instances = new Map<string, Handled>();

  get instances(): number {
    return this.#instances.size;
  }

  /** What is wrong, or undefined. */
  answered({ instance, startedMs, handledMs }: Counted): string | undefined {
    const known = this.#instances.get(instance) ?? { startedMs, firstMs: handledMs, lastMs: handledMs };
    known.firstMs = Math.min(known.firstMs, handledMs);
    known.lastMs = Math.max(known.lastMs, handledMs);
    this.#instances.set(instance, known);
    for (const [other, seen] of this.#instances) {
      const [older, newer] = seen.startedMs < known.startedMs ? [seen, known] : [known, seen];
      if (other !== instance && older.lastMs >= newer.firstMs) {
        return `instances ${other} and ${instance} both answered: the older ${(older.lastMs - newer.firstMs).toFixed(1)} ms after the first answer of the newer`;
      }
    }
    return undefined;
  }
}

/** How long a plugin whose manager was killed may live on (docs/architecture.md, "Supervision"). */
export const twinLimitMs = 2000;

export class ProcessWitness {
  /** Since when each pair of processes is seen. */
  #pairs = new Map<string, number>();
  #longestMs = 0;

  /** The longest time for which two processes of one plugin were seen. */
  get longestMs(): number {
    return this.#longestMs;
  }

  /** All that runs now, by plugin. What is to end needs a processor for that, and who ends it. */
  seen(processes: ReadonlyMap<string, readonly string[]>, atMs: number, waitedSince: WaitedSince): Complaint | undefined {
    const pairs = new Map<string, number>();
    for (const [plugin, all] of processes) {
      const sorted = [...all].sort();
      for (const [index, one] of sorted.entries()) {
        for (const other of sorted.slice(index + 1)) {
          const pair = `${plugin}: ${one} and ${other}`;
          pairs.set(pair, this.#pairs.get(pair) ?? atMs);
        }
      }
    }
    this.#pairs = pairs;
    for (const [pair, sinceMs] of pairs) {
      const tookMs = atMs - sinceMs;
      this.#longestMs = Math.max(this.#longestMs, tookMs);
      const verdict = judgeTime(tookMs, twinLimitMs, waitedSince(sinceMs));
      if (verdict !== 'held') return { verdict, what: `two processes for ${Math.round(tookMs)} ms, ${pair}` };
    }
    return undefined;
  }
}

export class CommandWitness {
  readonly #ran = new Set<string>();

  get ran(): number {
    return this.#ran.size;
  }

  ranOnce(id: string): string | undefined {
    if (this.#ran.has(id)) return `the command ${id} ran twice`;
    this.#ran.add(id);
    return undefined;
  }
}
