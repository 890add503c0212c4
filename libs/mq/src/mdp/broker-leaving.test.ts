import { describe, expect, it } from 'vitest';
import { BrokerDriver, tokensOf } from '../../test/broker-driver.ts';

describe('R16: a worker that leaves', () => {
  it('R16: is not counted any more and is sent nothing more; its open tokens stand until its reply', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    const client = bus.peer('c').ask('echo', { timeout: '20' });
    const [token] = tokensOf(worker);
    worker.beats = false;
    worker.goodbye();
    expect(bus.status()).toMatchObject({ workers: 0, services: [], open: 1 });
    client.ask('echo', { timeout: '2' });
    bus.advance(10_000);
    expect(worker.take({ heartbeats: true })).toEqual([]);
    expect(client.takeOne('error').code).toBe('DEADLINE_EXCEEDED');
    worker.answer(token ?? '', 'finished');
    expect(client.takeOne('reply').body).toEqual(['finished']);
    expect(bus.status().open).toBe(0);
    expect(worker.take()).toEqual([]);
  });

  it('R16: … until the deadline', () => {
    const bus = new BrokerDriver();
    const [worker, plain] = [bus.worker('w', 'echo', 5), bus.worker('p', 'plain')];
    const client = bus.peer('c').ask('echo', { timeout: '10' }).ask('plain', { timeout: '10' });
    expect([...worker.take(), ...plain.take()]).toHaveLength(2);
    worker.goodbye().beats = false;
    plain.goodbye().beats = false;
    bus.advance(9999);
    expect(client.take()).toEqual([]);
    bus.advance(1);
    expect(client.take()).toMatchObject([{ code: 'DEADLINE_EXCEEDED' }, { code: 'DEADLINE_EXCEEDED' }]);
    expect([...worker.take(), ...plain.take()]).toEqual([]);
    worker.heartbeat();
    worker.takeOne('disconnect');
  });

  it('R16: … or the close of its connection', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    const client = bus.peer('c').ask('echo');
    worker.goodbye();
    expect(client.take()).toEqual([]);
    worker.vanish();
    expect(client.takeOne('error').code).toBe('WORKER_LOST');
  });

  it('R16: is sent no CANCEL either', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    const client = bus.peer('c').ask('echo', { timeout: '5' }).ask('echo', { timeout: '9' });
    expect(tokensOf(worker)).toHaveLength(2);
    worker.goodbye().beats = false;
    bus.advance(5000);
    client.vanish();
    bus.advance(5000);
    expect(worker.take({ heartbeats: true })).toEqual([]);
  });

  it('R16: waiting requests go to the other workers', () => {
    const bus = new BrokerDriver();
    const [leaving, other] = [bus.worker('w1', 'echo'), bus.worker('w2', 'echo')];
    leaving.goodbye();
    bus.peer('c').ask('echo').ask('echo');
    expect(leaving.take()).toEqual([]);
    expect(tokensOf(other)).toHaveLength(1);
  });

  it('R16: it is given nothing, when it answers or speaks again, of what waits for the others', () => {
    const bus = new BrokerDriver();
    const [leaving, other] = [bus.peer('w1').ready('echo', 2), bus.worker('w2', 'echo')];
    const client = bus.peer('c').ask('echo', { timeout: '100' }).ask('echo', { timeout: '100' }).ask('echo', { timeout: '100' });
    const [[first], [second]] = [tokensOf(leaving), tokensOf(other)];
    bus.advance(6000);
    leaving.goodbye();
    client.ask('echo').ask('echo');
    leaving.heartbeat().answer(first ?? '');
    expect(leaving.take()).toEqual([]);
    other.answer(second ?? '');
    expect(tokensOf(other)).toHaveLength(1);
    expect(bus.service('echo')).toMatchObject({ workers: 1, waiting: 1 });
  });

  it('R16: a late goodbye changes nothing', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    bus.peer('c').ask('echo');
    worker.goodbye().goodbye();
    expect(bus.status()).toMatchObject({ workers: 0, open: 1 });
  });

  it('R16: it may come back on the same connection, and holds no more than its capacity, whatever it held before', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 4);
    const client = bus.peer('c');
    for (let i = 0; i < 12; i += 1) client.ask('echo');
    const old = tokensOf(worker);
    expect(old).toHaveLength(4);
    worker.goodbye().ready('echo', 2);
    expect(tokensOf(worker)).toHaveLength(0);
    worker.answer(old[0] ?? '').answer(old[1] ?? '');
    expect(tokensOf(worker)).toHaveLength(0);
    worker.answer(old[2] ?? '');
    expect(tokensOf(worker)).toHaveLength(1);
    worker.answer(old[3] ?? '');
    expect(tokensOf(worker)).toHaveLength(1);
    expect(bus.status()).toMatchObject({ workers: 1, open: 8 });
  });
});
