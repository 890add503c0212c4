// Drives a machine with the only timer it has. A machine judges what is missing only after what had arrived was read
// (docs/protocol.md, rule R9): when the timer comes late, this process did not run, and there may be much to read.

/** How late a timer must be for a pause of this process. */
const lateMs = 500;
/** How long, at the most, reading goes first after a pause. */
const catchUpLimitMs = 1000;
/** Longest time-out that setTimeout takes. */
const maxTimeoutMs = 2 ** 31 - 1;

export class Pump {
  readonly #tick: () => void;
  readonly #deadlineMs: () => number;
  readonly #nowMs: () => number;
  #timer: NodeJS.Timeout | undefined;
  #armedForMs = Infinity;
  #reads = 0;
  #ended = false;

  /** @param tick is called at the deadline; it ends with `arm` */
  constructor(nowMs: () => number, deadlineMs: () => number, tick: () => void) {
    this.#nowMs = nowMs;
    this.#deadlineMs = deadlineMs;
    this.#tick = tick;
  }

  /** To be called when a message was read. */
  read(): void {
    this.#reads += 1;
  }

  /** To be called after every input: the deadline may be nearer now. A timer that is early only looks again. */
  arm(): void {
    const deadlineMs = this.#deadlineMs();
    if (this.#ended || deadlineMs >= this.#armedForMs) return;
    clearTimeout(this.#timer);
    this.#armedForMs = deadlineMs;
    this.#timer = setTimeout(this.#due, Math.min(Math.max(0, Math.ceil(deadlineMs - this.#nowMs())), maxTimeoutMs));
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  readonly #due = (): void => {
    const lateByMs = this.#nowMs() - this.#armedForMs;
    const readUntilMs = lateByMs > lateMs ? this.#nowMs() + catchUpLimitMs : 0;
    setImmediate(this.#afterReading, readUntilMs, this.#reads);
  };

  readonly #afterReading = (readUntilMs: number, readsBefore: number): void => {
    if (this.#ended) return;
    if (this.#reads !== readsBefore && this.#nowMs() < readUntilMs) {
      setImmediate(this.#afterReading, readUntilMs, this.#reads);
      return;
    }
    this.#armedForMs = Infinity;
    if (this.#deadlineMs() <= this.#nowMs()) this.#tick();
    this.arm();
  };
}
