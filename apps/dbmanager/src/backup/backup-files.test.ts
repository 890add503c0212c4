import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backupName, isDue, surplus, type BackupFile } from './backup-files.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const nowMs = Date.UTC(2026, 10, 22, 12);
const at = (...times: number[]): BackupFile[] => times.map((atMs) => ({ file: backupName(atMs), atMs }));

describe('a daily backup is due', () => {
  it('when there is none, or the newest is older than a day', () => {
    expect(isDue([], nowMs)).toBe(true);
    expect(isDue(at(nowMs - dayMs - 1), nowMs)).toBe(true);
    expect(isDue(at(nowMs - 20 * dayMs, nowMs - dayMs + 1), nowMs)).toBe(false);
  });

  it('when the only ones are from a clock that was ahead; not when it was set back by minutes', () => {
    expect(isDue(at(nowMs + 9 * 365 * dayMs), nowMs)).toBe(true);
    expect(isDue(at(nowMs + 10 * 60_000), nowMs)).toBe(false);
  });

  it('once a day, on a machine that is on for some hours now and then', () => {
    const made: BackupFile[] = [];
    for (let day = 0; day < 30; day += 1 + (day % 3)) {
      const bootMs = nowMs + day * dayMs + (day % 5) * hourMs;
      for (let hour = 0; hour < 6; hour++) if (isDue(made, bootMs + hour * hourMs)) made.push(...at(bootMs + hour * hourMs));
    }
    for (const [index, { atMs }] of made.entries()) expect(atMs - (made[index - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(dayMs);
    expect(made.length).toBeGreaterThan(10);
  });
});

describe('of the daily backups', () => {
  it('the oldest go, by the time in their names', () => {
    const all = at(nowMs - 3 * dayMs, nowMs, nowMs - dayMs, nowMs - 2 * dayMs);
    expect(surplus(all, nowMs, 2).map(({ atMs }) => atMs)).toEqual([nowMs - 2 * dayMs, nowMs - 3 * dayMs]);
    expect(surplus(all, nowMs, 9)).toEqual([]);
  });

  it('those of a clock that was ahead go before any that can be true', () => {
    const ahead = at(...Array.from({ length: 7 }, (_, index) => nowMs + (400 + index) * dayMs));
    expect(surplus([...ahead, ...at(nowMs)], nowMs, 7)).toEqual([ahead[0]]);
  });

  it('those from before the first notice and before the last one that nobody has acknowledged stay, as many of each as there are without them', () => {
    const all = at(...Array.from({ length: 40 }, (_, day) => nowMs - day * dayMs));
    const noticesMs = [nowMs - 8.5 * dayMs, nowMs - 29.5 * dayMs, nowMs - 20.5 * dayMs];
    const stay = (noticed: readonly number[]): number[] => {
      const gone = surplus(all, nowMs, 3, noticed);
      return all.filter((one) => !gone.includes(one)).map(({ atMs }) => (nowMs - atMs) / dayMs);
    };
    expect(stay(noticesMs)).toEqual([0, 1, 2, 9, 10, 11, 30, 31, 32]);
    expect(stay(noticesMs.slice(0, 1))).toEqual([0, 1, 2, 9, 10, 11]);
    expect(stay([nowMs])).toEqual([0, 1, 2]);
    expect(stay([])).toEqual([0, 1, 2]);
    // Notices of a clock that was wrong: nobody knows what they are older than.
    for (const wrongMs of [0, nowMs + 900 * dayMs]) expect(stay([wrongMs, ...noticesMs])).toEqual([0, 1, 2, 34, 35, 36, 37, 38, 39]);
  });

  it('the one that was just made always stays, whatever the clock has done', () => {
    const time = fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2060, 0) });
    fc.assert(fc.property(fc.array(time, { maxLength: 20 }), time, fc.integer({ min: 1, max: 9 }), (times, made, keep) => {
      const others = times.filter((one) => one < made - hourMs * 2 || one > made + hourMs * 2);
      const gone = surplus([...at(...others), ...at(made)], made, keep);
      expect(gone.map(({ atMs }) => atMs)).not.toContain(made);
      expect(others.length + 1 - gone.length).toBe(Math.min(keep, others.length + 1));
    }));
  });
});
