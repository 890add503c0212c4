import { describe, expect, it } from 'vitest';
import { BrokerDriver, tokensOf, type Peer } from '../../test/broker-driver.ts';

describe('R9: life and silence', () => {
  it.each<[string, (worker: Peer, token: Buffer) => void]>([
    ['HEARTBEAT', (worker) => worker.heartbeat()],
    ['a reply', (worker, token) => worker.answer(token)],
    ['a reply that is dropped', (worker) => worker.answer('nonsense')],
  ])('R9: %s proves a worker alive', (_what, speak) => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo', 2);
    bus.peer('c').ask('echo', { timeout: '100' });
    const [token] = tokensOf(worker);
    bus.advance(4500);
    speak(worker, token ?? Buffer.alloc(0));
    bus.advance(4500);
    bus.peer('c').ask('echo');
    expect(tokensOf(worker)).toHaveLength(1);
  });

  it('R9: an idle worker that is silent for 5 s is gone', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo');
    bus.advance(4999);
    expect(bus.service('echo')).toMatchObject({ workers: 1 });
    bus.advance(1001);
    expect(bus.service('echo')).toBeUndefined();
    worker.heartbeat();
    worker.takeOne('disconnect');
  });

  it('R9: one with capacity that holds requests gets nothing more after 5 s, and is gone after 15 s', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo', 2);
    const client = bus.peer('c').ask('echo', { address: ['held'], timeout: '100' });
    expect(tokensOf(worker)).toHaveLength(1);
    bus.advance(6000);
    client.ask('echo', { address: ['waits'], timeout: '100' });
    expect(worker.take()).toEqual([]);
    bus.advance(8900);
    expect(client.take()).toEqual([]);
    bus.advance(1100);
    expect(client.takeOne('error')).toMatchObject({ address: ['held'], code: 'WORKER_LOST' });
    bus.advance(5000);
    expect(client.takeOne('error')).toMatchObject({ address: ['waits'], code: 'SERVICE_UNKNOWN' });
  });

  it('R9: a worker is not silent while more of a message comes from it, for as long as it does', () => {
    const bus = new BrokerDriver();
    const [idle, busy] = [bus.peer('idle').ready('a'), bus.peer('busy').ready('b', 2)];
    const client = bus.peer('c').ask('b', { timeout: '300' });
    const [token] = tokensOf(busy);
    for (let i = 0; i < 60; i += 1) {
      bus.advance(4900);
      idle.part();
      busy.part();
    }
    expect([...idle.take(), ...client.take()]).toEqual([]);
    client.ask('b');
    expect(tokensOf(busy)).toHaveLength(1);
    busy.answer(token ?? '', 'at last');
    expect(client.takeOne('reply').body).toEqual(['at last']);
    bus.advance(6000);
    expect(bus.service('a')).toBeUndefined();
  });

  it('R8, R9: nor is a plain one that is late with a large reply; but it gets nothing more before it is whole', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo');
    const client = bus.peer('c').ask('echo', { timeout: '1' });
    const { token } = worker.takeOne('request');
    bus.advance(4000);
    expect(client.takeOne('error').code).toBe('DEADLINE_EXCEEDED');
    client.ask('echo', { timeout: '100' });
    for (let i = 0; i < 5; i += 1) {
      worker.part();
      bus.advance(4000);
    }
    expect([bus.service('echo'), worker.take()]).toMatchObject([{ workers: 1, waiting: 1 }, []]);
    worker.answer(token);
    expect(tokensOf(worker)).toHaveLength(1);
    expect(bus.status().dropped).toMatchObject({ replyNotOpen: 1, workerUnknown: 0 });
  });

  it('R9: … and a stuck one of which no more comes is gone', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo');
    bus.peer('c').ask('echo', { timeout: '1' });
    bus.advance(4000);
    worker.part();
    bus.advance(4000);
    expect(bus.service('echo')).toMatchObject({ workers: 1 });
    bus.advance(2000);
    expect(bus.service('echo')).toBeUndefined();
  });

  it('R9: a part that is read first after a pause of this process ends nobody else', () => {
    const bus = new BrokerDriver();
    const busy = bus.peer('busy').ready('b');
    bus.peer('idle').ready('a');
    bus.suspend(60_000);
    busy.part();
    bus.advance(4000);
    expect(bus.status().workers).toBe(2);
  });

  it('R9: it is no word: a silent worker gets nothing for it, and one that is gone, or has not said READY, is not there', () => {
    const bus = new BrokerDriver();
    const [silent, gone] = [bus.peer('silent').ready('a', 2), bus.peer('gone').ready('b')];
    bus.peer('c').ask('a', { timeout: '100' });
    expect(tokensOf(silent)).toHaveLength(1);
    bus.advance(6000);
    bus.peer('c').ask('a', { timeout: '100' });
    for (const peer of [silent, gone, bus.peer('never')]) expect(peer.part().take()).toEqual([]);
    expect(bus.status().services).toMatchObject([{ name: 'a', workers: 1, waiting: 1 }]);
    silent.heartbeat();
    expect(tokensOf(silent)).toHaveLength(1);
  });

  it('R9: it gets what waits at its next word', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo', 3);
    const client = bus.peer('c').ask('echo', { timeout: '100' });
    expect(tokensOf(worker)).toHaveLength(1);
    bus.advance(7000);
    client.ask('echo').ask('echo').ask('echo');
    expect(tokensOf(worker)).toHaveLength(0);
    worker.heartbeat();
    expect(tokensOf(worker)).toHaveLength(2);
    expect(bus.service('echo')).toMatchObject({ waiting: 1 });
  });

  it('R9: a plain one that holds a request may be silent until the deadline: it is working', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo');
    const client = bus.peer('c').ask('echo', { timeout: '300' });
    const { token } = worker.takeOne('request');
    bus.advance(299_000);
    worker.answer(token, 'at last');
    expect(client.takeOne('reply').body).toEqual(['at last']);
  });

  it('R9: the broker heartbeats each second, to busy workers too', () => {
    const bus = new BrokerDriver();
    const [idle, busy] = [bus.worker('idle', 'a'), bus.worker('busy', 'b')];
    bus.peer('c').ask('b');
    busy.take();
    bus.advance(10_000);
    expect(idle.take({ heartbeats: true }).map(({ kind }) => kind)).toEqual(Array.from({ length: 10 }, () => 'heartbeat'));
    expect(busy.take({ heartbeats: true }).length).toBeGreaterThanOrEqual(9);
  });

  it('R9: the broker heartbeats only to a worker that it sent nothing else meanwhile', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 100);
    for (let i = 0; i < 20; i += 1) {
      bus.peer('c').ask('echo', { timeout: '100' });
      bus.advance(500);
    }
    expect(worker.take({ heartbeats: true }).map(({ kind }) => kind)).toEqual(Array.from({ length: 20 }, () => 'request'));
  });

  it('R9: a suspended broker does not take its workers for dead', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    worker.beats = false;
    bus.advance(3500);
    bus.suspend(6000);
    bus.tick();
    expect(bus.service('echo')).toMatchObject({ workers: 1 });
    bus.advance(1000);
    expect(bus.service('echo')).toMatchObject({ workers: 1 });
    bus.advance(2000);
    expect(bus.service('echo')).toBeUndefined();
  });

  it('R9: nor those that hold requests, nor stuck ones', () => {
    const bus = new BrokerDriver();
    const [busy, stuck] = [bus.peer('busy').ready('a', 1), bus.peer('stuck').ready('b')];
    const client = bus.peer('c').ask('a', { timeout: '1000' }).ask('b', { timeout: '1' });
    expect([...busy.take(), ...stuck.take()]).toHaveLength(2);
    bus.advance(4000);
    expect(client.takeOne('error').code).toBe('DEADLINE_EXCEEDED');
    for (let i = 0; i < 3; i += 1) {
      bus.suspend(60_000);
      bus.tick();
    }
    expect(client.take()).toEqual([]);
    expect(bus.status()).toMatchObject({ workers: 2, open: 1 });
  });

  it('R9: a request read just after such a gap counts from the gap’s start', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    bus.advance(1000);
    bus.suspend(6000);
    const client = bus.peer('c').ask('echo', { address: ['old'], timeout: '5' }).ask('echo', { address: ['young'], timeout: '10' });
    expect(client.takeOne('error')).toMatchObject({ address: ['old'], code: 'DEADLINE_EXCEEDED' });
    expect(tokensOf(worker)).toHaveLength(1);
    bus.tick();
    client.ask('echo', { address: ['later'], timeout: '5' });
    expect(tokensOf(worker)).toHaveLength(1);
    bus.advance(3999);
    expect(client.take()).toEqual([]);
    bus.advance(1);
    expect(client.takeOne('error')).toMatchObject({ address: ['young'] });
    bus.advance(1000);
    expect(client.takeOne('error')).toMatchObject({ address: ['later'] });
  });

  it('R9: a reply that had arrived during the gap is in time', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    const client = bus.peer('c').ask('echo', { timeout: '5' });
    const [token] = tokensOf(worker);
    bus.suspend(6000);
    worker.answer(token ?? '', 'in time');
    bus.tick();
    expect(client.takeOne('reply').body).toEqual(['in time']);
  });

  it('R9: the machine asks to be called each heartbeat, so that it notices a gap', () => {
    const bus = new BrokerDriver();
    expect(bus.deadlineMs - bus.nowMs).toBe(1000);
    bus.peer('c').ask('nobody', { timeout: '30' });
    expect(bus.deadlineMs - bus.nowMs).toBe(1000);
  });
});
