import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pump } from './pump.ts';

/** What setImmediate was given: it runs in the loop's next turn. */
let immediates: (() => void)[] = [];

/** A pump whose clock goes as the test says: the timers of the loop may be late. */
class Driver {
  nowMs = 0;
  deadlineMs = Infinity;
  readonly ticks: number[] = [];
  readonly pump = new Pump(() => this.nowMs, () => this.deadlineMs, () => {
    this.ticks.push(this.nowMs);
    this.deadlineMs = Infinity;
  });

  due(deadlineMs: number): void {
    this.deadlineMs = deadlineMs;
    this.pump.arm();
  }

  /** The process runs: the clock and the loop go together. */
  run(ms: number): void {
    for (let i = 0; i < ms; i += 1) {
      this.nowMs += 1;
      vi.advanceTimersByTime(1);
      this.turn(0);
    }
  }

  /** The process does not run: only the clock goes, and then the loop finds its timer due. */
  suspend(ms: number): void {
    this.nowMs += ms;
    vi.advanceTimersToNextTimer();
  }

  /** One turn of the loop, in which so many messages are read. */
  turn(messages: number): void {
    for (let i = 0; i < messages; i += 1) this.pump.read();
    for (const run of immediates.splice(0)) run();
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  immediates = [];
  vi.stubGlobal('setImmediate', <A extends unknown[]>(run: (...args: A) => void, ...args: A) => immediates.push(() => run(...args)));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a pump', () => {
  it('ticks at the deadline, once, and not before', () => {
    const driver = new Driver();
    driver.due(100);
    driver.run(99);
    expect(driver.ticks).toEqual([]);
    driver.run(300);
    expect(driver.ticks).toEqual([100]);
  });

  it('ticks at a nearer deadline', () => {
    const driver = new Driver();
    driver.due(100);
    driver.run(10);
    driver.due(50);
    driver.run(300);
    expect(driver.ticks).toEqual([50]);
  });

  it('does not tick before a deadline that moved away: an early timer only looks again', () => {
    const driver = new Driver();
    driver.due(100);
    driver.run(10);
    driver.due(200);
    driver.run(189);
    expect(driver.ticks).toEqual([]);
    driver.run(1);
    expect(driver.ticks).toEqual([200]);
  });

  it('does not tick for a deadline that is no more', () => {
    const driver = new Driver();
    driver.due(100);
    driver.due(Infinity);
    driver.run(1000);
    expect(driver.ticks).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has one timer, however often it is armed', () => {
    const driver = new Driver();
    for (let i = 0; i < 100; i += 1) driver.due(1000 - i);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('waits for a deadline that is further than a timer can say', () => {
    const driver = new Driver();
    driver.due(2 ** 31 + 5000);
    driver.suspend(2 ** 31 - 1);
    driver.turn(0);
    expect([driver.ticks, vi.getTimerCount()]).toEqual([[], 1]);
    driver.run(5001);
    expect(driver.ticks).toEqual([2 ** 31 + 5000]);
  });

  it('reads what had arrived in the same turn, and then ticks', () => {
    const driver = new Driver();
    driver.due(100);
    driver.run(99);
    driver.suspend(1);
    expect(driver.ticks).toEqual([]);
    driver.turn(5);
    expect(driver.ticks).toEqual([100]);
  });

  it('R9: after a pause it reads first, until nothing has come for a while', () => {
    const driver = new Driver();
    driver.due(100);
    driver.suspend(6000);
    for (let i = 0; i < 4; i += 1) {
      driver.run(45);
      driver.turn(3);
      expect(driver.ticks).toEqual([]);
    }
    driver.run(200);
    expect(driver.ticks).toEqual([6250]);
  });

  it('R9: what was only on its way to be read when the pause ended is read first, too', () => {
    const driver = new Driver();
    driver.due(100);
    driver.suspend(6000);
    driver.turn(0);
    driver.turn(0);
    expect(driver.ticks).toEqual([]);
    driver.run(50);
    expect(driver.ticks).toEqual([6050]);
  });

  it('R9: … but not for longer than a second, so that a flood cannot stop the clock', () => {
    const driver = new Driver();
    driver.due(100);
    driver.suspend(6000);
    while (driver.ticks.length === 0) {
      driver.run(10);
      driver.turn(1);
    }
    expect(driver.ticks).toEqual([7000]);
  });

  it('goes on after such a pause', () => {
    const driver = new Driver();
    driver.due(100);
    driver.suspend(6000);
    driver.run(50);
    driver.ticks.length = 0;
    driver.due(6500);
    driver.run(600);
    expect(driver.ticks).toEqual([6500]);
  });

  it('is silent when it is ended while it reads first', () => {
    const driver = new Driver();
    driver.due(100);
    driver.suspend(6000);
    driver.pump.end();
    driver.run(2000);
    expect([driver.ticks, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it('is silent once it has ended, also in the middle of a turn, and keeps no timer', () => {
    const driver = new Driver();
    driver.due(100);
    driver.suspend(100);
    driver.pump.end();
    driver.pump.end();
    driver.turn(0);
    driver.due(200);
    driver.run(1000);
    expect([driver.ticks, vi.getTimerCount()]).toEqual([[], 0]);
  });
});
