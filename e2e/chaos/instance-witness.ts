// Whether a plugin ever ran twice. Pure: it is told what was seen, by three witnesses that know nothing of each other.
//
// 1. Answers. Each answer of the plugin `tally` says which instance handled it and when, on the machine's one monotonic clock.
//    An instance that is older than another must not have handled, after the other's first, anything whose answer reached a caller.
// 2. Processes. Two processes of one plugin that are both alive must not be seen for longer than the bound.
// 3. Commands. A command has an effect that is counted; no effect may come twice, for `helper.do` is not idempotent.

export interface Answer {
  readonly instance: string;
  readonly startedMs: number;
  readonly handledMs: number;
}

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
  answered({ instance, startedMs, handledMs }: Answer): string | undefined {
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

interface Since {
  readonly sinceMs: number;
  readonly waitedMs: number;
}

export class ProcessWitness {
  /** Since when each pair of processes is seen. */
  #pairs = new Map<string, Since>();
  #longestMs = 0;

  /** The longest time for which two processes of one plugin were seen. */
  get longestMs(): number {
    return this.#longestMs;
  }

  /**
   * All that runs now, by plugin. `waitedMs` is how long the processes of the house have waited for a processor since the beginning:
   * what is to end needs one for that.
   */
  seen(processes: ReadonlyMap<string, readonly string[]>, atMs: number, waitedMs: number): string | undefined {
    const pairs = new Map<string, Since>();
    for (const [plugin, all] of processes) {
      const sorted = [...all].sort();
      for (const [index, one] of sorted.entries()) {
        for (const other of sorted.slice(index + 1)) {
          const pair = `${plugin}: ${one} and ${other}`;
          pairs.set(pair, this.#pairs.get(pair) ?? { sinceMs: atMs, waitedMs });
        }
      }
    }
    this.#pairs = pairs;
    for (const [pair, { sinceMs, waitedMs: waitedThenMs }] of pairs) {
      this.#longestMs = Math.max(this.#longestMs, atMs - sinceMs);
      if (atMs - sinceMs > twinLimitMs + waitedMs - waitedThenMs) return `two processes for ${Math.round(atMs - sinceMs)} ms, ${pair}`;
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
