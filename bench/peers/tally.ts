// Counts the answers to a load in Node, as c/load.c does: first a cold part, then a warm one. What it prints is read by
// src/load-result.ts.
import { options } from './options.ts';

interface Part {
  readonly startMs: number;
  endMs: number;
  readonly tookMs: number[];
}

const partMs = options.seconds * 1000;

export class Tally {
  readonly #cold: Part = begin();
  #warm: Part | undefined;
  #sent = 0;
  #failed = 0;
  #wrong = 0;

  /** Whether the load goes on. */
  get goesOn(): boolean {
    return this.#warm === undefined || this.#warm.endMs === 0;
  }

  /** @returns the number of the request, from 0 */
  sent(): number {
    return this.#sent++;
  }

  /** @param sentMs when it was sent, of `performance.now()` */
  answered(sentMs: number, isRight: boolean): void {
    if (!isRight) this.#wrong++;
    const nowMs = performance.now();
    const part = this.#warm ?? this.#cold;
    if (part.endMs > 0) return;
    part.tookMs.push(nowMs - sentMs);
    if (nowMs - part.startMs < partMs && (part !== this.#cold || part.tookMs.length < options.coldRequests)) return;
    part.endMs = nowMs;
    if (part === this.#cold) this.#warm = begin();
  }

  failed(): void {
    this.#failed++;
  }

  /** The result as a line of JSON. */
  print(lost = this.#failed): void {
    const [cold, warm] = [this.#cold, this.#warm ?? begin()].map(shown);
    process.stdout.write(`${JSON.stringify({ sent: this.#sent, lost, repeated: 0, foreign: 0, wrong: this.#wrong, cold, warm })}\n`);
  }
}

function begin(): Part {
  return { startMs: performance.now(), endMs: 0, tookMs: [] };
}

function shown({ startMs, endMs, tookMs }: Part): object {
  const sorted = Float64Array.from(tookMs).sort();
  const us = (share: number): number => (sorted[Math.floor(sorted.length * share)] ?? 0) * 1000;
  return { requests: sorted.length, seconds: ((endMs || performance.now()) - startMs) / 1000, p50Us: us(0.5), p99Us: us(0.99) };
}
