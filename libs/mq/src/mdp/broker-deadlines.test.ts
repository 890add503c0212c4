import { describe, expect, it } from 'vitest';
import { BrokerDriver, tokensOf } from '../../test/broker-driver.ts';

describe('R8: the deadline of a held request', () => {
  it('R8: its caller is told, and a late reply is dropped', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    const client = bus.peer('c').ask('echo', { timeout: '2' });
    const [token] = tokensOf(worker);
    bus.advance(2000);
    expect(client.takeOne('error')).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: expect.stringContaining('may have run') });
    worker.answer(token ?? '');
    expect(client.take()).toEqual([]);
    expect(bus.status()).toMatchObject({ open: 0, dropped: { replyNotOpen: 1 } });
  });

  it('R8: a worker that gave its capacity has the slot back at once', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1);
    bus.peer('c').ask('echo', { timeout: '2', body: ['1', ''] }).ask('echo', { body: ['2'] });
    expect(worker.takeOne('request').body).toEqual(['1', '']);
    bus.advance(2000);
    expect(worker.take()).toMatchObject([{ kind: 'cancel' }, { kind: 'request', body: ['2'] }]);
  });

  it('R8: a plain worker that never answers gets nothing more until its next message', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo');
    bus.peer('c').ask('echo', { timeout: '2' }).ask('echo', { body: ['next'] });
    worker.takeOne('request');
    bus.advance(6000);
    expect(worker.take()).toEqual([]);
    worker.heartbeat();
    expect(worker.takeOne('request').body).toEqual(['next']);
  });

  it('R8: its late reply is such a message, and is dropped', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo');
    const client = bus.peer('c').ask('echo', { timeout: '2', body: ['1', ''] }).ask('echo', { body: ['2'] });
    const late = worker.takeOne('request').token;
    bus.advance(3000);
    client.take();
    worker.answer(late, 'late');
    const next = worker.takeOne('request');
    expect(next.body).toEqual(['2']);
    expect(client.take()).toEqual([]);
    worker.answer(next.token, 'good');
    expect(client.takeOne('reply').body).toEqual(['good']);
  });

  it('R8: a plain worker gets one request at a time, however often it speaks', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    bus.peer('c').ask('echo').ask('echo');
    bus.advance(10_000);
    worker.heartbeat().heartbeat();
    worker.takeOne('request');
  });

  it('R8: a plain worker that is silent for its liveness after the deadline is gone', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo');
    const client = bus.peer('c').ask('echo', { timeout: '20' });
    worker.takeOne('request');
    bus.advance(20_000 + 4000);
    expect(client.takeOne('error').code).toBe('DEADLINE_EXCEEDED');
    expect(bus.service('echo')).toMatchObject({ workers: 1 });
    bus.advance(2000);
    expect(bus.status()).toMatchObject({ workers: 0, services: [] });
    worker.heartbeat();
    worker.takeOne('disconnect');
  });

  it('R8: one that spoke after the deadline and then is silent counts from its word', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo');
    bus.peer('c').ask('echo', { timeout: '2' });
    bus.advance(6000);
    worker.heartbeat();
    bus.advance(4000);
    expect(bus.service('echo')).toMatchObject({ workers: 1 });
    bus.advance(2000);
    expect(bus.service('echo')).toBeUndefined();
  });

  it('R8: a peer that never answers cannot wedge a service: others are served meanwhile, and it is forgotten', () => {
    const bus = new BrokerDriver();
    bus.peer('dead').ready('echo');
    const good = bus.worker('good', 'echo');
    const client = bus.peer('c').ask('echo', { timeout: '1' });
    bus.advance(1000);
    client.take();
    for (let i = 0; i < 20; i += 1) {
      client.ask('echo');
      good.answer(good.takeOne('request').token, String(i));
      expect(client.takeOne('reply').body).toEqual([String(i)]);
      bus.advance(500);
    }
    expect(bus.service('echo')).toMatchObject({ workers: 1, waiting: 0 });
  });
});
