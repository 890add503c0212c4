// A house that is kept standing as a service manager does it (Restart=always): when `domus up` ends unasked, it is started again.
import { setTimeout as delay } from 'node:timers/promises';
import type { Started } from '../src/domus.ts';
import type { Home } from '../src/home.ts';
import { startUp } from '../src/house.ts';
import { killHard } from '../src/processes.ts';

const restartPauseMs = 200;
const stopLimitMs = 30_000;

export class StandingHouse {
  readonly #home: Home;
  readonly #bind: string;
  readonly #onOutput: (text: string) => void;
  #up: Started | undefined;
  #kept: Promise<void> = Promise.resolve();
  #wanted = false;
  #starts = 0;

  /** `onOutput` gets all that it prints. */
  constructor(home: Home, bind: string, onOutput: (text: string) => void) {
    this.#home = home;
    this.#bind = bind;
    this.#onOutput = onOutput;
  }

  /** How often `domus up` was started. */
  get starts(): number {
    return this.#starts;
  }

  get pid(): number {
    return this.#up?.pid ?? 0;
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#kept = this.#keep();
  }

  /** `kill -9`; it is started again. */
  kill(): void {
    if (this.#up !== undefined) killHard(this.#up.pid);
  }

  /** Ends it in good order, and does not start it again; what is wrong with how it ended, or undefined. */
  async stop(): Promise<string | undefined> {
    this.#wanted = false;
    const up = this.#up;
    if (up === undefined) return undefined;
    up.child.kill('SIGTERM');
    const limit = setTimeout(() => up.child.kill('SIGKILL'), stopLimitMs);
    const { code, signal } = await up.ended;
    clearTimeout(limit);
    await this.#kept;
    if (code === 0) return undefined;
    return signal === null ? `domus up ended with ${code}` : `domus up did not stop within ${stopLimitMs / 1000} s`;
  }

  async #keep(): Promise<void> {
    while (this.#wanted) {
      this.#starts += 1;
      // In a group of its own: Ctrl-C is for the run, which then stops the house.
      const up = startUp(this.#home, { plugins: true, bind: this.#bind, group: true });
      this.#up = up;
      let told = 0;
      up.onOutput(() => {
        const all = up.stdout() + up.stderr();
        this.#onOutput(all.slice(told));
        told = all.length;
      });
      await up.ended;
      if (this.#wanted) await delay(restartPauseMs);
    }
    this.#up = undefined;
  }
}
