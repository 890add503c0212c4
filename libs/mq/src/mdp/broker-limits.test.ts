import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerDriver, texts, type Part } from '../../test/broker-driver.ts';

describe('R13: what is not MDP', () => {
  it.each<[string, Part[]]>([
    ['one frame', ['hello']],
    ['two empty frames', ['', '']],
    ['no empty frame', ['MDPC01', 'echo', 'do', '{}']],
    ['a header that does not exist', ['', 'MDPX01', 'echo', 'do', '{}']],
    ['another version', ['', 'MDPC02', 'echo', 'do', '{}']],
    ['a header with more after it', ['', 'MDPC01 ', 'echo', 'do', '{}']],
    ['a client header without a service', ['', 'MDPC01']],
    ['a worker header without a command', ['', 'MDPW01']],
    ['a worker’s message behind an address', ['id', '', 'MDPW01', '\x04']],
  ])('R13: %s is dropped without an answer, and counted', (_what, parts) => {
    const bus = new BrokerDriver();
    expect(bus.peer('p').send(...parts).take()).toEqual([]);
    expect(bus.status()).toMatchObject({ clients: 0, workers: 0, open: 0, services: [], dropped: { malformed: 1 } });
  });

  it('R13: each kind of drop has its own counter', () => {
    const bus = new BrokerDriver();
    const [worker, stranger] = [bus.worker('w', 'echo', 2), bus.peer('stranger')];
    const client = bus.peer('c').ask('echo');
    const { token } = worker.takeOne('request');
    client.vanish();
    worker.answer(token).answer(token);
    stranger.answer('token');
    const [refusal] = stranger.takeFrames();
    stranger.send('nonsense');
    stranger.send('', 'MDPW01', '\x2a');
    bus.worker('new', 'lamp', 1, 2);
    bus.worker('old', 'lamp', 1, 1);
    bus.refuseToSend(refusal);
    bus.input((machine) => machine.connectionEnded());
    bus.input((machine) => machine.connectionRefused());
    expect(bus.status().dropped).toEqual({ malformed: 1, replyNotOpen: 1, replyUnwanted: 1, workerUnknown: 1, workerInvalid: 1, superseded: 1, undeliverable: 1, connection: 1, connectionRefused: 1 });
  });
});

describe('R13: nothing grows without bound', () => {
  it('R13: a service without workers and requests is forgotten', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c');
    for (let i = 0; i < 1000; i += 1) client.ask(`service-${i}`);
    expect(bus.status().services).toHaveLength(1000);
    bus.advance(5000);
    expect(bus.status()).toMatchObject({ services: [], open: 0, heldBytes: 0 });
    for (let i = 0; i < 100; i += 1) bus.peer('w').ready(`other-${i}`).vanish();
    expect(bus.status().services).toEqual([]);
  });

  it('R13: the default limits are the documented ones', () => {
    const bus = new BrokerDriver();
    const refused = (): number => bus.status().refused.OVERLOADED;
    for (let i = 0; i < 4096; i += 1) bus.peer('c1').ask('echo');
    expect(refused()).toBe(0);
    bus.peer('c1').ask('echo');
    expect(refused()).toBe(1);
    for (let i = 0; i < 4096; i += 1) bus.peer('c2').ask('echo');
    for (let i = 0; i < 10_000 - 2 * 4096; i += 1) bus.peer('c3').ask('echo');
    expect(refused()).toBe(1);
    bus.peer('c3').ask('echo');
    expect(refused()).toBe(2);
    expect(bus.service('echo')?.waiting).toBe(10_000);
    const big = Buffer.alloc(16 * 1024 * 1024 + 1);
    expect(bus.peer('c4').ask('other', { body: [big] }).takeOne('error').code).toBe('TOO_LARGE');
    expect(bus.peer('c4').ask('other', { body: [big.subarray(1)] }).take()).toEqual([]);
  });

  it('R13: a flood of requests and cancels leaves nothing behind', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c');
    for (let i = 0; i < 2000; i += 1) client.ask(`s${i % 7}`, { address: [`id${i}`] }).send(`id${i}`, '', 'MDPC01', 'mmi.cancel');
    expect(client.take()).toEqual([]);
    expect(bus.status()).toMatchObject({ open: 0, heldBytes: 0, services: [] });
    client.vanish();
    expect(bus.status().clients).toBe(0);
  });

  it('R13: an over-long service name does not come back in full', () => {
    const bus = new BrokerDriver();
    const [answer] = bus.peer('c').ask('x'.repeat(1_000_000)).takeFrames();
    expect(texts(answer ?? []).join('').length).toBeLessThan(1000);
  });
});

// ── whatever anyone sends ─────────────────────────────────────────────────────────────────────────────────────────────

const frame = fc.oneof(
  fc.constantFrom('', 'MDPC01', 'MDPW01', '\x01', '\x02', '\x03', '\x04', '\x05', '\x06', '5.0', 'None', 'echo', 'other', 'mmi.service', 'mmi.cancel', 'mmi.majordomus'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
type Act = { readonly who: number; readonly parts: readonly string[] } | { readonly wait: number } | { readonly gone: number } | { readonly answerWith: number };
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ who: fc.nat(4), parts: fc.array(frame, { maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ who: fc.nat(4), parts: fc.constantFrom(['', 'MDPW01', '\x01', 'echo'], ['', 'MDPW01', '\x01', 'echo', '2'], ['', 'MDPW01', '\x05'], ['', 'MDPC01', 'echo', '1', 'do', '{}'], ['a', '', 'MDPC01', 'echo', 'do', '{}'], ['a', '', 'MDPC01', 'mmi.cancel']) }) },
  fc.record({ wait: fc.nat(7000) }),
  fc.record({ gone: fc.nat(4) }),
  fc.record({ answerWith: fc.nat(4) }),
);

describe('whatever anyone sends', () => {
  it('R13: nothing stops the broker, its counts stay true, and when all are gone nothing is left', () => {
    fc.assert(fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const bus = new BrokerDriver();
      const peers = [0, 1, 2, 3, 4].map((name) => bus.peer(String(name)));
      const tokens = peers.map((): Buffer[] => []);
      for (const each of acts) {
        if ('wait' in each) bus.advance(each.wait);
        else if ('gone' in each) peers[each.gone]?.vanish();
        else if ('answerWith' in each) {
          const token = tokens[each.answerWith]?.shift();
          if (token !== undefined) peers[each.answerWith]?.answer(token);
        } else peers[each.who]?.send(...each.parts);
        for (const [i, peer] of peers.entries()) for (const message of peer.take()) if (message.kind === 'request') tokens[i]?.push(message.token);
        const { open, heldBytes, services, workers } = bus.status();
        expect(Math.min(open, heldBytes, workers)).toBeGreaterThanOrEqual(0);
        expect(services.reduce((sum, { waiting }) => sum + waiting, 0)).toBeLessThanOrEqual(open);
        expect(services.every((service) => service.workers > 0 || service.waiting > 0)).toBe(true);
      }
      for (const peer of peers) peer.vanish();
      for (const peer of peers) peer.vanish();
      expect(bus.status()).toMatchObject({ clients: 0, workers: 0, open: 0, heldBytes: 0, services: [] });
      bus.tick();
      expect(bus.deadlineMs).toBe(bus.nowMs + 1000);
    }), { numRuns: 500 });
  });
});
