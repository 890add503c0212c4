import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerDriver, tokensOf, type Peer } from '../../test/broker-driver.ts';

/** What `mmi.epoch` answers. */
function epochOf(bus: BrokerDriver, service: string): string {
  const { body } = bus.peer('asker').ask('mmi.epoch', { body: [service] }).takeOne('reply');
  return body[0] ?? '';
}

/** The requests that a worker was given since the last time, by their bodies. */
function given(worker: Peer): string[] {
  return worker.take().flatMap((message) => (message.kind === 'request' ? [message.body.join(' ')] : []));
}

describe('R15: a service belongs to the highest epoch', () => {
  it('R15: a READY with a higher epoch takes the service over, and the older instance is told to end', () => {
    const bus = new BrokerDriver();
    const old = bus.worker('old', 'lamp', 4, 100);
    const young = bus.worker('young', 'lamp', 4, 101);
    old.takeOne('superseded');
    expect(bus.service('lamp')?.workers).toBe(1);
    const client = bus.peer('c');
    for (let i = 0; i < 4; i += 1) client.ask('lamp', { body: [String(i)], address: [String(i)] });
    expect(given(old)).toEqual([]);
    expect(given(young)).toEqual(['0', '1', '2', '3']);
    expect(bus.status().dropped.superseded).toBe(1);
  });

  it.each<[string, readonly (number | string)[]]>([
    ['of a lower epoch', [4, 99]], ['of none', [4]], ['plain, of none', []], ['of an epoch that cannot be read', [4, 'newest']], ['plain, of a lower epoch', ['', 99]],
  ])('R15: a worker %s loses, whether it comes first or second', (_what, ready) => {
    const first = new BrokerDriver();
    const older = first.worker('older', 'lamp', ...ready);
    expect(older.take()).toEqual([]);
    first.worker('newer', 'lamp', 4, 100);
    older.takeOne('superseded');
    const second = new BrokerDriver();
    second.worker('newer', 'lamp', 4, 100);
    second.worker('older', 'lamp', ...ready).takeOne('superseded');
    for (const bus of [first, second]) {
      expect(bus.service('lamp')?.workers).toBe(1);
      expect(epochOf(bus, 'lamp')).toBe('100');
    }
  });

  it('R15: workers of one epoch serve together: an instance that reconnects is the same instance', () => {
    const bus = new BrokerDriver();
    const [one, two] = [bus.worker('one', 'lamp', 1, 100), bus.worker('two', 'lamp', 1, 100)];
    bus.peer('c').ask('lamp', { body: ['a'] });
    bus.peer('d').ask('lamp', { body: ['b'] });
    expect([given(one), given(two)]).toEqual([['a'], ['b']]);
    one.vanish();
    bus.worker('one again', 'lamp', 1, 100);
    expect(bus.peer('one again').take()).toEqual([]);
    expect(bus.service('lamp')?.workers).toBe(2);
  });

  it('R15: workers without epochs serve together as ever', () => {
    const bus = new BrokerDriver();
    for (const name of ['one', 'two']) expect(bus.worker(name, 'lamp', 1).take()).toEqual([]);
    expect(bus.service('lamp')?.workers).toBe(2);
    expect(epochOf(bus, 'lamp')).toBe('404');
  });

  it('R15: another service has an epoch of its own', () => {
    const bus = new BrokerDriver();
    bus.worker('a', 'lamp', 1, 100);
    expect(bus.worker('b', 'lamps', 1, 1).take()).toEqual([]);
    expect(bus.worker('c', 'heating').take()).toEqual([]);
  });

  it('R15, R14: a plain worker with an epoch stays plain: it is sent no CANCEL', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'lamp', '', 100);
    bus.peer('c').ask('lamp', { timeout: '1' });
    worker.takeOne('request');
    bus.advance(1500);
    expect(worker.take()).toEqual([]);
  });
});

describe('R15: an old instance can do nothing any more', () => {
  it('R15, R7: what it holds is lost at once, given to nobody else, and its late reply is dropped and counted', () => {
    const bus = new BrokerDriver();
    const old = bus.worker('old', 'lamp', 4, 100);
    const client = bus.peer('c').ask('lamp', { body: ['switch'] });
    const { token } = old.takeOne('request');
    const young = bus.worker('young', 'lamp', 4, 101);
    expect(client.takeOne('error')).toMatchObject({ code: 'WORKER_LOST', reason: expect.stringMatching(/newer instance.*may have run/) });
    old.takeOne('superseded');
    expect(young.take()).toEqual([]);
    old.answer(token);
    expect(client.take()).toEqual([]);
    expect(bus.status()).toMatchObject({ open: 0, dropped: { workerUnknown: 1 } });
  });

  it('R15, R6: what waits for it goes to the new one', () => {
    const bus = new BrokerDriver();
    const old = bus.worker('old', 'lamp', 1, 100);
    const client = bus.peer('c').ask('lamp', { body: ['held'], address: ['1'] }).ask('lamp', { body: ['waiting'], address: ['2'] });
    expect(given(old)).toEqual(['held']);
    expect(given(bus.worker('young', 'lamp', 1, 101))).toEqual(['waiting']);
    expect(client.takeOne('error')).toMatchObject({ address: ['1'], code: 'WORKER_LOST' });
  });

  it('R15, R16: one that is leaving answers no more either', () => {
    const bus = new BrokerDriver();
    const old = bus.worker('old', 'lamp', 4, 100);
    const client = bus.peer('c').ask('lamp');
    const { token } = old.takeOne('request');
    old.goodbye();
    bus.worker('young', 'lamp', 4, 101);
    old.takeOne('superseded');
    expect(client.takeOne('error').code).toBe('WORKER_LOST');
    old.answer(token);
    expect(client.take()).toEqual([]);
  });

  it('R15, R11: told so again when it says READY again, and to begin anew when it says anything else', () => {
    const bus = new BrokerDriver();
    const old = bus.worker('old', 'lamp', 4, 100);
    bus.worker('young', 'lamp', 4, 101);
    old.takeOne('superseded');
    old.heartbeat().takeOne('disconnect');
    old.ready('lamp', 4, 100).takeOne('superseded');
    expect(bus.service('lamp')?.workers).toBe(1);
  });

  it('R15: a connection whose instance left may come back with a higher epoch, and keeps what it holds', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'lamp', 4, 100);
    const client = bus.peer('c').ask('lamp');
    const { token } = worker.takeOne('request');
    worker.goodbye().ready('lamp', 4, 101);
    expect(worker.take()).toEqual([]);
    worker.answer(token);
    client.takeOne('reply');
  });

  it('R15: a plain worker that is stuck is superseded as any other', () => {
    const bus = new BrokerDriver();
    const old = bus.worker('old', 'lamp', '', 100);
    bus.peer('c').ask('lamp', { timeout: '1' });
    old.takeOne('request');
    bus.advance(1500);
    const young = bus.worker('young', 'lamp', '', 101);
    old.takeOne('superseded');
    bus.peer('d').ask('lamp');
    expect(tokensOf(young)).toHaveLength(1);
  });
});

describe('R15: the highest epoch is remembered', () => {
  it('R15, R13: when the service has no workers and is forgotten', () => {
    const bus = new BrokerDriver();
    bus.worker('young', 'lamp', 4, 101).vanish();
    expect(bus.status().services).toEqual([]);
    expect(epochOf(bus, 'lamp')).toBe('101');
    bus.worker('old', 'lamp', 4, 100).takeOne('superseded');
    expect(bus.status()).toMatchObject({ services: [], workers: 0 });
    expect(bus.worker('young again', 'lamp', 4, 101).take()).toEqual([]);
    expect(epochOf(bus, 'lamp')).toBe('101');
  });

  it('R15: when requests come and go meanwhile', () => {
    const bus = new BrokerDriver();
    bus.worker('young', 'lamp', 4, 101).vanish();
    const client = bus.peer('c').ask('lamp');
    bus.peer('old').ready('lamp', 4, 100).takeOne('superseded');
    bus.advance(5000);
    expect(client.takeOne('error').code).toBe('SERVICE_UNKNOWN');
    bus.peer('old').ready('lamp', 4, 100).takeOne('superseded');
  });

  it('R15, R13: of services that are gone, as many as the limit says; those in use beside it', () => {
    const bus = new BrokerDriver({ maxRememberedEpochs: 2 });
    bus.worker('kept', 'kept', 1, 9);
    for (const name of ['a', 'b', 'c']) bus.worker(name, name, 1, 5).vanish();
    expect(['kept', 'a', 'b', 'c'].map((name) => epochOf(bus, name))).toEqual(['9', '404', '5', '5']);
    bus.worker('b again', 'b', 1, 5).vanish();
    bus.worker('d', 'd', 1, 5).vanish();
    expect(['b', 'c', 'd'].map((name) => epochOf(bus, name))).toEqual(['5', '404', '5']);
  });

  it('R15: a new broker knows none: the old instance may register first, and the new one takes over', () => {
    const bus = new BrokerDriver();
    const old = bus.worker('old', 'lamp', 4, 100);
    expect(old.take()).toEqual([]);
    bus.worker('young', 'lamp', 4, 101);
    old.takeOne('superseded');
  });
});

describe('R12, R15: mmi.epoch', () => {
  it.each([['lamp', '101'], ['heating', '404'], ['nobody', '404'], ['', '404']])('answers for %j %s', (service, answer) => {
    const bus = new BrokerDriver();
    bus.worker('w', 'lamp', 1, 101);
    bus.worker('h', 'heating', 1);
    expect(epochOf(bus, service)).toBe(answer);
  });

  it('answers 404 without a name', () => {
    const bus = new BrokerDriver();
    expect(bus.peer('c').send('', 'MDPC01', 'mmi.epoch').takeOne('reply').body).toEqual(['404']);
  });
});

it('R15: whatever comes and goes, only the newest that the broker knows of is given requests', () => {
  const step = fc.oneof(
    fc.record({ ready: fc.nat(3), epoch: fc.nat(5) }), fc.record({ goodbye: fc.nat(3) }), fc.record({ vanish: fc.nat(3) }), fc.record({ answer: fc.nat(3) }),
    fc.constant({ ask: true }), fc.record({ wait: fc.nat(3000) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const bus = new BrokerDriver();
    const epochs = new Map<string, number>();
    const tokens = new Map<string, Buffer[]>();
    const workers = [0, 1, 2, 3].map((i) => bus.peer(`w${i}`));
    let highest = -1;
    for (const [number, each] of steps.entries()) {
      const who = workers['ready' in each ? each.ready : 'goodbye' in each ? each.goodbye : 'vanish' in each ? each.vanish : 'answer' in each ? each.answer : 0];
      if (who === undefined) continue;
      if ('ready' in each) {
        // The epoch 5 stands for none.
        const epoch = each.epoch === 5 ? -1 : each.epoch;
        if (!epochs.has(who.name)) highest = Math.max(highest, epoch);
        who.ready('lamp', 2, ...(epoch < 0 ? [] : [epoch]));
        epochs.set(who.name, epoch);
        who.beats = true;
      } else if ('goodbye' in each) {
        who.goodbye();
        epochs.delete(who.name);
      } else if ('vanish' in each) {
        who.vanish();
        epochs.delete(who.name);
      } else if ('answer' in each) tokens.get(who.name)?.splice(0).forEach((token) => who.answer(token));
      else if ('ask' in each) bus.peer('c').ask('lamp', { address: [String(number)] });
      else bus.advance(each.wait);
      for (const worker of workers) {
        for (const message of worker.take()) {
          if (message.kind === 'disconnect' || message.kind === 'superseded') epochs.delete(worker.name);
          if (message.kind !== 'request') continue;
          tokens.set(worker.name, [...(tokens.get(worker.name) ?? []), message.token]);
          expect(epochs.get(worker.name)).toBe(highest);
        }
      }
    }
  }), { numRuns: 300 });
});
