import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timers, type Timed } from './timers.ts';

interface Item extends Timed {
  readonly name: number;
}

const item = (name: number): Item => ({ name, dueMs: 0, heapIndex: -1 });

describe('timers', () => {
  it('are empty at first, and never due', () => {
    const timers = new Timers<Item>();
    expect([timers.size, timers.nextMs, timers.takeDue(Infinity)]).toEqual([0, Infinity, undefined]);
  });

  it('are due at their deadline, not before', () => {
    const timers = new Timers<Item>();
    const first = item(1);
    timers.set(first, 100);
    expect(timers.takeDue(99)).toBeUndefined();
    expect(timers.takeDue(100)).toBe(first);
    expect(timers.size).toBe(0);
  });

  it('that are set again move, and do not come twice', () => {
    const timers = new Timers<Item>();
    const first = item(1);
    timers.set(first, 100);
    timers.set(first, 50);
    timers.set(first, 200);
    expect([timers.size, timers.nextMs]).toEqual([1, 200]);
    expect([timers.takeDue(1000), timers.takeDue(1000)]).toEqual([first, undefined]);
  });

  it('that are deleted keep nothing alive; deleting what is not in is harmless', () => {
    const timers = new Timers<Item>();
    const [first, second] = [item(1), item(2)];
    timers.set(first, 100);
    timers.delete(second);
    timers.delete(first);
    timers.delete(first);
    expect([timers.size, timers.nextMs, first.heapIndex]).toEqual([0, Infinity, -1]);
  });

  it('behave as a sorted list, whatever is done', () => {
    const step = fc.oneof(
      fc.record({ set: fc.nat(12), dueMs: fc.oneof(fc.nat(30), fc.constant(Infinity)) }),
      fc.record({ remove: fc.nat(12) }),
      fc.record({ takeUntil: fc.nat(30) }),
    );
    fc.assert(fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const items = Array.from({ length: 13 }, (_, name) => item(name));
      const timers = new Timers<Item>();
      const model = new Map<Item, number>();
      for (const each of steps) {
        if ('set' in each) {
          const one = items[each.set] ?? expect.unreachable();
          timers.set(one, each.dueMs);
          model.set(one, each.dueMs);
        } else if ('remove' in each) {
          const one = items[each.remove] ?? expect.unreachable();
          timers.delete(one);
          model.delete(one);
        } else {
          const soonestMs = Math.min(...model.values());
          const taken = timers.takeDue(each.takeUntil);
          if (taken === undefined) expect(soonestMs).toBeGreaterThan(each.takeUntil);
          else {
            expect(model.get(taken)).toBe(soonestMs);
            model.delete(taken);
          }
        }
        expect([timers.size, timers.nextMs]).toEqual([model.size, Math.min(...model.values())]);
        for (const one of items) expect(one.heapIndex >= 0).toBe(model.has(one));
      }
    }), { numRuns: 500 });
  });
});
