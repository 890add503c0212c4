import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Attention } from './attention.ts';

describe('R9: attentive time', () => {
  it('goes with the clock while the process runs, also when it is somewhat late', () => {
    const attention = new Attention(0, 1000);
    for (const nowMs of [500, 1500, 3400, 5400]) attention.observe(nowMs);
    expect(attention.at(5400) - attention.at(0)).toBe(5400);
    expect(attention.pauseBeganMs).toBeUndefined();
  });

  it('stands still while it does not run', () => {
    const attention = new Attention(0, 1000);
    attention.observe(1000);
    const beforeMs = attention.at(1000);
    attention.observe(61_000);
    expect(attention.at(61_000)).toBe(beforeMs);
    attention.observe(62_000);
    expect(attention.at(62_000)).toBe(beforeMs + 1000);
  });

  it('asks to be observed once an interval', () => {
    const attention = new Attention(500, 1000);
    expect(attention.nextCheckMs).toBe(1500);
    attention.observe(900);
    expect(attention.nextCheckMs).toBe(1900);
  });

  it('knows when the pause began, until what arrived in it was read', () => {
    const attention = new Attention(0, 1000);
    attention.observe(1000);
    attention.observe(10_000);
    attention.observe(10_001);
    expect(attention.pauseBeganMs).toBe(1000);
    attention.observe(20_000);
    expect(attention.pauseBeganMs).toBe(1000);
    attention.caughtUp();
    expect(attention.pauseBeganMs).toBeUndefined();
  });

  it('never runs backwards nor faster than the clock', () => {
    fc.assert(fc.property(fc.array(fc.nat(5000)), (steps) => {
      const attention = new Attention(0, 1000);
      let nowMs = 0;
      for (const stepMs of steps) {
        const beforeMs = attention.at(nowMs);
        nowMs += stepMs;
        attention.observe(nowMs);
        expect(attention.at(nowMs) - beforeMs).toBe(stepMs > 2000 ? 0 : stepMs);
      }
    }));
  });
});
