// For how long this process's event loop stood still: what a caller's clock must be forgiven on a busy machine.

const tickMs = 10;

export class Standstill implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #lastMs = performance.now();
  #totalMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  /** Since the beginning, the standstill that just ends included. */
  get totalMs(): number {
    return this.#totalMs + this.#lateMs();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#totalMs += this.#lateMs();
    this.#lastMs = performance.now();
  }

  /** A tick may be a millisecond late on an idle machine. */
  #lateMs(): number {
    return Math.max(0, performance.now() - this.#lastMs - tickMs - 1);
  }
}
