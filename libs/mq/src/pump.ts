// Drives a machine with the only timer it has. A machine judges what is missing only after what had arrived was read
// (docs/protocol.md, rule R9): when the timer comes late, this process did not run, and there may be much to read.

/** How late a timer must be for a pause of this process. */
const lateMs = 500;
/** All that had arrived is read when nothing more came for so long: who reads the sockets did not run either, and begins now. */
const quietMs = 50;
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
    const nowMs = this.#nowMs();
    if (nowMs - this.#armedForMs > lateMs) this.#readFirst(nowMs + catchUpLimitMs);
    else setImmediate(this.#look);
  };

  #readFirst(untilMs: number): void {
    const readsBefore = this.#reads;
    this.#timer = setTimeout(() => {
      if (this.#reads !== readsBefore && this.#nowMs() < untilMs) this.#readFirst(untilMs);
      else this.#look();
    }, quietMs);
  }

  readonly #look = (): void => {
    if (this.#ended) return;
    this.#armedForMs = Infinity;
    if (this.#deadlineMs() <= this.#nowMs()) this.#tick();
    this.arm();
  };
}
