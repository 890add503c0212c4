// Whether to look for what comes next at once instead of sleeping until it comes. To be woken costs a process more than a message
// of one who waits for each answer before he asks again; so after two messages passed on in short succession, each alone in its turn
// of the event loop, the loop is kept turning for a moment. Where several are passed on in a turn, or few at all, nothing is polled.
import { performance } from 'node:perf_hooks';

export interface BusyPollingClock {
  nowMs(): number;
  /** Calls back in the next turn of the event loop, which does not sleep before it. */
  nextTurn(then: () => void): void;
}

const eventLoop: BusyPollingClock = { nowMs: () => performance.now(), nextTurn: setImmediate };
/** How long is polled for the next message; the last one of a series costs the processor this for nothing. */
export const pollMs = 0.25;

export class BusyPolling {
  readonly #clock: BusyPollingClock;
  /** Messages since the last turn. */
  #messages = 0;
  /** When the last turn was that had one message. */
  #lastMs = -Infinity;
  #isPolling = false;

  constructor(clock: BusyPollingClock = eventLoop) {
    this.#clock = clock;
  }

  /** To be called when a message is passed on. */
  message(): void {
    this.#messages += 1;
    if (this.#messages === 1 && !this.#isPolling) this.#clock.nextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    const messages = this.#messages;
    const nowMs = this.#clock.nowMs();
    const isSoon = nowMs - this.#lastMs < pollMs;
    this.#messages = 0;
    if (messages === 1) this.#lastMs = nowMs;
    this.#isPolling = isSoon && messages <= 1;
    if (this.#isPolling) this.#clock.nextTurn(this.#turn);
  };
}
