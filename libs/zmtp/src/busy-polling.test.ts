import { describe, expect, it } from 'vitest';
import { BusyPolling, pollMs } from './busy-polling.ts';

/** An event loop in which every turn takes a hundredth of the polling time; it sleeps when nobody asks for a turn. */
class Loop {
  nowMs = 0;
  #next: (() => void) | undefined;
  readonly polling = new BusyPolling({ nowMs: () => this.nowMs, nextTurn: (then) => { this.#next = then; } });

  /** Reads so many messages, and turns until it sleeps; gives how many turns that took. */
  read(messages: number): number {
    for (let i = 0; i < messages; i += 1) this.polling.message();
    let turns = 0;
    for (; this.turn(); turns += 1) if (turns > 1000) throw new Error('it never sleeps');
    return turns;
  }

  /** False if the loop would sleep. */
  turn(): boolean {
    const next = this.#next;
    this.#next = undefined;
    this.nowMs += pollMs / 100;
    next?.();
    return next !== undefined;
  }
}

describe('busy polling', () => {
  it('does not begin with one message, nor with messages that come now and then', () => {
    const loop = new Loop();
    for (let i = 0; i < 5; i += 1) {
      expect(loop.read(1)).toBe(1);
      loop.nowMs += pollMs;
    }
  });

  it('begins with the second of two messages in short succession, and ends when the next is not there in time', () => {
    const loop = new Loop();
    expect(loop.read(1)).toBe(1);
    const turns = loop.read(1);
    expect(turns).toBeGreaterThanOrEqual(100);
    expect(turns).toBeLessThanOrEqual(102);
  });

  it('goes on as long as one message after the other comes', () => {
    const loop = new Loop();
    loop.read(1);
    loop.polling.message();
    for (let i = 0; i < 10; i += 1) {
      for (let turn = 0; turn < 50; turn += 1) expect(loop.turn()).toBe(true);
      loop.polling.message();
    }
  });

  it('does not begin, and ends, when several messages come at a time', () => {
    const loop = new Loop();
    loop.read(1);
    expect(loop.read(2)).toBe(1);
    loop.read(1);
    loop.polling.message();
    expect(loop.turn()).toBe(true);
    expect(loop.read(2)).toBe(1);
  });
});
