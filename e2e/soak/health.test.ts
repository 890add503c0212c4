import { describe, expect, it } from 'vitest';
import { healthProblems, type Health, type Turns } from './health.ts';

const well: Health = { gone: [], restarts: new Map(), asked: new Map(), calls: new Map() };

describe('the health of a house under load', () => {
  it('takes restarts that were asked for, and tells of others', () => {
    const restarts = new Map([['diskfree', 2]]);
    expect(healthProblems({ ...well, restarts, asked: new Map([['diskfree', 2]]) })).toEqual([]);
    expect(healthProblems({ ...well, restarts, asked: new Map([['diskfree', 1]]) })).toEqual(['diskfree was started anew 2 times, and asked to once']);
    expect(healthProblems({ ...well, restarts })).toEqual(['diskfree was started anew 2 times, and nobody asked for it']);
  });

  it('tells who is gone', () => {
    expect(healthProblems({ ...well, gone: ['broker', 'up'] })).toEqual(['broker is gone', 'up is gone']);
  });

  it.each<[Turns, boolean]>([
    [{ turns: 0, failed: 0 }, true], [{ turns: 30, failed: 1 }, true], [{ turns: 1000, failed: 10 }, true],
    [{ turns: 1, failed: 1 }, false], [{ turns: 30, failed: 2 }, false], [{ turns: 1000, failed: 11 }, false],
  ])('of calls that ended as %j says %s', (turns, isWell) => {
    expect(healthProblems({ ...well, calls: new Map([['write', turns]]) })).toEqual(isWell ? [] : [`${turns.failed} of ${turns.turns} turns of write failed`]);
  });
});
