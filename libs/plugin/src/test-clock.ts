// The clock of a plugin in a test: time passes when the test says so. It replaces no timer of the process, so it works in any
// test runner, and the bus goes on beside it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { ActionFailure } from '@majordomus/contracts';
import type { RunnerClock } from './clock.ts';

/** A piece of the plugin's work that is under way. */
interface Work {
  /** How many of its delays have not passed. */
  waiting: number;
  /** It waits for something else than this clock, perhaps for ever. */
  isElsewhere: boolean;
}

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** Messages of the in-memory bus arrive within so many turns of the event loop. */
const busTurns = 4;
/** How long, in real time, work that reads a file or asks a server is waited for. */
const workLimitMs = 1000;
const startMs = Date.UTC(2026, 0, 1);
const realImmediate = globalThis.setImmediate;

export class TestClock implements RunnerClock {
  readonly #timers = new Set<Timer>();
  readonly #works = new Set<Work>();
  readonly #current = new AsyncLocalStorage<Work>();
  #nowMs = 0;

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Begins on 1 January 2026, 00:00 UTC. */
  wallMs(): number {
    return startMs + this.#nowMs;
  }

  /**
   * Lets time pass: everything that is due happens in its order. What the plugin does then has been done when this returns, but for
   * what waits for more time, or for more than a second of real time.
   */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await this.settled();
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.fire();
      await this.settled();
    }
    this.#nowMs = endMs;
  }

  delay(delayMs: number, signal?: AbortSignal): Promise<void> {
    const work = this.#current.getStore();
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const leave = (): void => {
        this.#timers.delete(timer);
        signal?.removeEventListener('abort', onAbort);
        if (work !== undefined) work.waiting -= 1;
      };
      const timer: Timer = {
        atMs: this.#nowMs + Math.max(0, delayMs),
        fire: () => {
          leave();
          resolve();
        },
      };
      const onAbort = (): void => {
        leave();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      if (work !== undefined) work.waiting += 1;
      this.#timers.add(timer);
    });
  }

  /** Runs work that `advance` waits for. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const running: Work = { waiting: 0, isElsewhere: false };
    this.#works.add(running);
    try {
      return await this.#current.run(running, work);
    } finally {
      this.#works.delete(running);
    }
  }

  /** Waits until what the plugin does has been done, or waits. */
  async settled(): Promise<void> {
    assertRealTimers();
    const endMs = performance.now() + workLimitMs;
    for (let turn = 0; turn < busTurns || this.#busy().length > 0; turn += 1) {
      await new Promise((resolve) => { realImmediate(resolve); });
      if (performance.now() > endMs) for (const work of this.#busy()) work.isElsewhere = true;
    }
  }

  #busy(): readonly Work[] {
    return [...this.#works].filter(({ waiting, isElsewhere }) => waiting === 0 && !isElsewhere);
  }

  /** The first that is due until then. */
  #next(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (timer.atMs <= endMs && timer.atMs < (first?.atMs ?? Infinity)) first = timer;
    return first;
  }
}

/** The bus needs setImmediate: where it is replaced nothing would ever be answered. @throws ActionFailure TIMERS_FAKED */
export function assertRealTimers(): void {
  if (globalThis.setImmediate === realImmediate) return;
  throw new ActionFailure('TIMERS_FAKED', 'fake timers hold setImmediate, which testPlugin needs; fake others only, as in vi.useFakeTimers({ toFake: ["setTimeout", "Date"] }), or use the clock of testPlugin');
}
