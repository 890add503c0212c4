import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenCalls } from './open-calls.ts';

const idLimit = 2 ** 32;

describe('C1: the open calls of a client', () => {
  it('are found by their ids, and by no other', () => {
    const open = new OpenCalls<{ readonly id: number }>();
    const calls = Array.from({ length: 200 }, () => {
      const call = { id: open.freshId() };
      open.add(call);
      return call;
    });
    expect(calls.map(({ id }) => open.get(id))).toEqual(calls);
    expect([-1, 0, 201, 1 + 512, idLimit - 1].map((id) => open.get(id))).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(open.all()).toEqual(calls);
  });

  it('have ids of four bytes, and keep their order when those begin anew', () => {
    const open = new OpenCalls<{ readonly id: number }>(idLimit - 3);
    const calls = Array.from({ length: 5 }, () => ({ id: open.freshId() }));
    for (const call of calls) open.add(call);
    expect(open.all().map(({ id }) => id)).toEqual([idLimit - 2, idLimit - 1, 0, 1, 2]);
  });

  it('are not found under the id of one that has ended, however many came since', () => {
    const open = new OpenCalls<{ readonly id: number }>();
    const late = open.freshId();
    for (let calls = 0; calls < 10_000; calls += 1) {
      const call = { id: open.freshId() };
      open.add(call);
      expect(open.get(late)).toBeUndefined();
      open.delete(call);
    }
    expect(open.size).toBe(0);
  });

  it('behave as a map, whatever is done', () => {
    const step = fc.oneof(fc.constant('add'), fc.constant('add'), fc.record({ remove: fc.nat(200) }), fc.record({ get: fc.nat(200) }));
    fc.assert(fc.property(fc.array(step, { maxLength: 300, size: 'max' }), fc.constantFrom(0, idLimit - 50), (steps, lastId) => {
      const open = new OpenCalls<{ readonly id: number }>(lastId);
      const made: { readonly id: number }[] = [];
      const model = new Map<number, { readonly id: number }>();
      for (const each of steps) {
        if (typeof each === 'string') {
          const call = { id: open.freshId() };
          expect(model.has(call.id)).toBe(false);
          open.add(call);
          model.set(call.id, call);
          made.push(call);
        } else if ('remove' in each) {
          const call = made[each.remove];
          if (call === undefined) continue;
          open.delete(call);
          model.delete(call.id);
        } else {
          const id = made[each.get]?.id ?? -1;
          expect(open.get(id)).toBe(model.get(id));
        }
        expect(open.size).toBe(model.size);
      }
      expect(open.all()).toEqual([...model.values()]);
    }), { numRuns: 200 });
  });
});
