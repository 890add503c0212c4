import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { OpenRequest } from './broker-state.ts';
import { RequestsOfClient, RequestsOfWorker } from './open-requests.ts';

/** The lists use nothing of a request but its places. */
function requests(count: number): OpenRequest[] {
  return Array.from({ length: count }, (_, sequence) => ({ sequence, placeAtClient: -1, placeAtWorker: -1 }) as OpenRequest);
}

it('are what was added and not taken out since, in two lists at once, however that goes', () => {
  const step = fc.record({ at: fc.constantFrom<'client' | 'worker'>('client', 'worker'), which: fc.nat(9), adds: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const all = requests(10);
    const lists = { client: new RequestsOfClient(), worker: new RequestsOfWorker() };
    const expected = { client: new Set<OpenRequest>(), worker: new Set<OpenRequest>() };
    for (const { at, which, adds } of steps) {
      const request = all[which];
      if (request === undefined || (adds && expected[at].has(request))) continue;
      if (adds) {
        lists[at].add(request);
        expected[at].add(request);
      } else {
        lists[at].delete(request);
        expected[at].delete(request);
      }
      expect(lists[at].size).toBe(expected[at].size);
      expect(new Set(lists[at].all())).toEqual(expected[at]);
    }
  }));
});
