import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkedQueue, type Linked } from './linked-queue.ts';

interface Item extends Linked<Item> {
  readonly name: number;
}

const item = (name: number): Item => ({ name, previous: undefined, next: undefined, queue: undefined });

/** What stands in a queue, in order, read along its links both ways. */
function names(queue: LinkedQueue<Item>): number[] {
  const forward: Item[] = [];
  for (let each = queue.first; each !== undefined; each = each.next) forward.push(each);
  const backward: Item[] = [];
  for (let each = forward.at(-1); each !== undefined; each = each.previous) backward.push(each);
  expect(backward.toReversed()).toEqual(forward);
  return forward.map(({ name }) => name);
}

describe('a linked queue', () => {
  it('is first in, first out', () => {
    const queue = new LinkedQueue<Item>();
    for (const name of [1, 2, 3]) queue.push(item(name));
    expect([queue.shift()?.name, queue.shift()?.name, queue.shift()?.name, queue.shift()]).toEqual([1, 2, 3, undefined]);
  });

  it('leaves alone what stands in another queue', () => {
    const [one, other] = [new LinkedQueue<Item>(), new LinkedQueue<Item>()];
    const first = item(1);
    other.push(first);
    one.delete(first);
    expect([one.size, names(other)]).toEqual([0, [1]]);
  });

  it('behaves as a list, whatever is done', () => {
    const step = fc.oneof(fc.record({ push: fc.nat(8) }), fc.record({ insert: fc.nat(8), before: fc.nat(8) }), fc.record({ remove: fc.nat(8) }), fc.constant('shift'));
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const items = Array.from({ length: 9 }, (_, name) => item(name));
      const queue = new LinkedQueue<Item>();
      let model: number[] = [];
      for (const each of steps) {
        if (typeof each === 'string') expect(queue.shift()?.name).toBe(model.shift());
        else if ('push' in each) {
          const one = items[each.push] ?? expect.unreachable();
          if (one.queue !== undefined) continue;
          queue.push(one);
          model.push(one.name);
        } else if ('insert' in each) {
          const one = items[each.insert] ?? expect.unreachable();
          const before = items[each.before];
          if (one.queue !== undefined) continue;
          const next = before?.queue === queue ? before : undefined;
          queue.insertBefore(one, next);
          model.splice(next === undefined ? model.length : model.indexOf(next.name), 0, one.name);
        } else {
          const one = items[each.remove] ?? expect.unreachable();
          queue.delete(one);
          model = model.filter((name) => name !== one.name);
        }
        expect([queue.size, queue.first?.name, ...names(queue)]).toEqual([model.length, model[0], ...model]);
        expect(queue.all().map(({ name }) => name)).toEqual(model);
        for (const one of items) expect(one.queue === queue).toBe(model.includes(one.name));
      }
    }), { numRuns: 500 });
  });
});
