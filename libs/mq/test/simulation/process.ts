// The clock of a simulation, and what a process is in it: something that is given its input one after the other, has one
// timer, and now and then does not run for a while.
import { Timers, type Timed } from '../../src/mdp/timers.ts';
import type { Random } from './random.ts';

interface Scheduled extends Timed {
  readonly run: () => void;
}

export class Clock {
  readonly #scheduled = new Timers<Scheduled>();
  nowMs = 0;
  steps = 0;

  at(dueMs: number, run: () => void): Scheduled {
    const scheduled: Scheduled = { run, dueMs, heapIndex: -1 };
    this.#scheduled.set(scheduled, Math.max(dueMs, this.nowMs));
    return scheduled;
  }

  after(delayMs: number, run: () => void): Scheduled {
    return this.at(this.nowMs + delayMs, run);
  }

  cancel(scheduled: Scheduled): void {
    this.#scheduled.delete(scheduled);
  }

  runUntil(ms: number): void {
    for (let next = this.#scheduled.takeDue(ms); next !== undefined; next = this.#scheduled.takeDue(ms)) {
      this.nowMs = next.dueMs;
      this.steps += 1;
      next.run();
    }
    this.nowMs = ms;
  }
}

/** How late a timer may be in a process that runs. */
export const latenessMs = 5;

export abstract class Process {
  protected readonly clock: Clock;
  protected readonly random: Random;
  #inbox: (() => void)[] = [];
  #suspended = false;
  #timer: Scheduled | undefined;
  #armedForMs = Infinity;
  /** When it last began to run again. */
  resumedMs = -Infinity;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  protected abstract get deadlineMs(): number;
  protected abstract tick(): void;
  /** Does what its machine wants done. */
  protected abstract flush(): void;

  get isSuspended(): boolean {
    return this.#suspended;
  }

  /** Something that reaches the process: a message, an event, the end of a handler. */
  input(step: () => void): void {
    if (this.#suspended) {
      this.#inbox.push(step);
      return;
    }
    step();
    this.flush();
    this.#arm();
  }

  suspend(): void {
    this.#suspended = true;
  }

  /** Reads all that had arrived, then looks at its timer (rule R9). */
  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.resumedMs = this.clock.nowMs;
    for (const step of this.#inbox.splice(0)) this.input(step);
    this.#armedForMs = Infinity;
    this.#arm();
  }

  /** The process is killed: what it had not read is lost. */
  protected die(): void {
    this.#inbox = [];
    this.#suspended = false;
    this.resumedMs = this.clock.nowMs;
  }

  #arm(): void {
    const { deadlineMs } = this;
    if (deadlineMs === this.#armedForMs) return;
    if (this.#timer !== undefined) this.clock.cancel(this.#timer);
    this.#armedForMs = deadlineMs;
    this.#timer = deadlineMs === Infinity ? undefined : this.clock.at(Math.max(deadlineMs, this.clock.nowMs) + this.random.between(0, latenessMs), () => {
      this.#armedForMs = Infinity;
      if (!this.#suspended) this.input(() => this.tick());
    });
  }
}
