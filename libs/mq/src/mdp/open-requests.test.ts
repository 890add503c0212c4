import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { OpenRequest } from './broker-state.ts';
import { RequestsOfClient, RequestsOfWorker } from './open-requests.ts';

/** The lists use nothing of a request but its places and its address; three have the same one. */
function requests(count: number, addressOf = (sequence: number) => Buffer.from([sequence % Math.ceil(count / 3)])): OpenRequest[] {
  return Array.from({ length: count }, (_, sequence) => ({ sequence, placeAtClient: -1, placeAtWorker: -1, address: addressOf(sequence) }) as OpenRequest);
}

it('are what was added and not taken out since, in two lists at once, however that goes', () => {
  const step = fc.record({ at: fc.constantFrom<'client' | 'worker'>('client', 'worker'), which: fc.nat(9), adds: fc.boolean(), asksUnder: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const all = requests(10);
    const lists = { client: new RequestsOfClient(), worker: new RequestsOfWorker() };
    const expected = { client: new Set<OpenRequest>(), worker: new Set<OpenRequest>() };
    for (const { at, which, adds, asksUnder } of steps) {
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
      if (!asksUnder) continue;
      const { address } = request;
      expect(new Set(lists.client.under(address))).toEqual(new Set([...expected.client].filter((each) => each.address.equals(address))));
    }
  }));
});

it('R17: to find those of an address, not all of them are looked at each time', () => {
  const count = 4096;
  let looks = 0;
  const list = new RequestsOfClient();
  for (const { address, ...request } of requests(count, (sequence) => Buffer.from(String(sequence)))) {
    list.add({
      ...request,
      get address() {
        looks += 1;
        return address;
      },
    });
  }
  expect(looks, 'who never cancels does not pay for it').toBe(0);
  for (let i = 0; i < count; i += 1) expect(list.under(Buffer.from(`unknown ${i}`))).toEqual([]);
  expect(list.under(Buffer.from('7')).map(({ sequence }) => sequence)).toEqual([7]);
  expect(looks).toBeLessThanOrEqual(2 * count);
});
