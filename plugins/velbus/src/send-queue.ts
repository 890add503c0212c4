// Whose turn it is to send: one frame after the other, at a pace, frames of high priority first, as on the bus itself;
// and none while the interface takes none.
import type { Frame } from './frame.ts';

export interface SendQueueOptions {
  /** From one frame to the next. */
  readonly paceMs: number;
  /** Whether the interface has said that it takes no frames. */
  readonly isHeld: () => boolean;
  /** A report of the interface that it takes frames again may be lost. */
  readonly longestHoldMs?: number;
}

interface Waiting {
  readonly frame: Frame;
  readonly go: () => void;
}

export class SendQueue {
  readonly #options: Required<SendQueueOptions>;
  #waiting: Waiting[] = [];
  #lastMs = -Infinity;
  #heldSinceMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SendQueueOptions) {
    this.#options = { longestHoldMs: 1000, ...options };
  }

  /** Waits until this frame may be sent; then it is to be sent at once. @throws the signal's reason */
  async turn(frame: Frame, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { frame, go: resolve };
    const leave = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      reject(signal.reason);
      this.look();
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.push(waiting);
    this.look();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** Looks again whether a frame may go: something may have ended the hold. */
  look(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length === 0) return;
    const nowMs = performance.now();
    const waitMs = Math.max(this.#lastMs + this.#options.paceMs, this.#holdEndMs(nowMs)) - nowMs;
    if (waitMs > 0) {
      this.#timer = setTimeout(() => this.look(), Math.ceil(waitMs));
      return;
    }
    const next = this.#waiting.find(({ frame }) => frame.priority === 'high') ?? this.#waiting[0];
    this.#waiting = this.#waiting.filter((other) => other !== next);
    this.#lastMs = nowMs;
    next?.go();
    this.look();
  }

  #holdEndMs(nowMs: number): number {
    if (!this.#options.isHeld()) {
      this.#heldSinceMs = undefined;
      return nowMs;
    }
    this.#heldSinceMs ??= nowMs;
    return this.#heldSinceMs + this.#options.longestHoldMs;
  }
}
