import { describe, expect, it } from 'vitest';
import { BrokerDriver } from '../../test/broker-driver.ts';

describe('R6: waiting', () => {
  it('R6: a request waits until a worker is free', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo', { body: ['1'] }).ask('echo', { body: ['2'] });
    expect(bus.service('echo')).toMatchObject({ waiting: 1 });
    bus.advance(3000);
    const first = worker.takeOne('request');
    worker.answer(first.token, 'first');
    expect(worker.takeOne('request').body).toEqual(['2']);
    expect(client.takeOne('reply').body).toEqual(['first']);
    expect(bus.service('echo')).toMatchObject({ waiting: 0, served: 1 });
  });

  it('R6: a new READY serves waiting requests at once, as many as it has room for', () => {
    const bus = new BrokerDriver();
    bus.peer('c').ask('echo', { body: ['1'] }).ask('echo', { body: ['2'] }).ask('echo', { body: ['3'] });
    const worker = bus.worker('w', 'echo', 2);
    expect(worker.take()).toMatchObject([{ body: ['1'] }, { body: ['2'] }]);
  });

  it('R6: it is never delivered after its deadline, also when the broker had no time to say so before', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo', { body: ['held'] }).ask('echo', { body: ['late', ''], timeout: '0.5' }).ask('echo', { body: ['good'] });
    const held = worker.takeOne('request');
    bus.suspend(500);
    worker.answer(held.token, 'ok');
    expect(worker.takeOne('request').body).toEqual(['good']);
    expect(client.take()).toMatchObject([{ body: ['ok'] }, { code: 'DEADLINE_EXCEEDED' }]);
    bus.tick();
    expect(client.take()).toEqual([]);
  });

  it('R6: the moment of the deadline is too late', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c').ask('echo', { timeout: '1.0' });
    bus.suspend(1000);
    const worker = bus.worker('w', 'echo');
    expect(worker.take()).toEqual([]);
    expect(client.takeOne('error').code).toBe('DEADLINE_EXCEEDED');
  });
});

describe('R7: nobody waits in vain', () => {
  it('R7: DEADLINE_EXCEEDED when the deadline passes while it waits, and while a worker holds it', () => {
    const bus = new BrokerDriver();
    bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo', { timeout: '2' }).ask('echo', { timeout: '2' });
    bus.advance(1999);
    expect(client.take()).toEqual([]);
    bus.advance(1);
    expect(client.take()).toMatchObject([
      { kind: 'error', service: 'echo', code: 'DEADLINE_EXCEEDED', reason: expect.stringContaining('2000 ms') },
      { kind: 'error', service: 'echo', code: 'DEADLINE_EXCEEDED' },
    ]);
    expect(bus.status()).toMatchObject({ open: 0, heldBytes: 0, refused: { DEADLINE_EXCEEDED: 2 } });
  });

  it('R7: SERVICE_UNKNOWN after 5 s without a worker, counted from arrival', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c').ask('nobody', { address: ['1'] });
    bus.advance(3000);
    client.ask('nobody', { address: ['2'] });
    bus.advance(1999);
    expect(client.take()).toEqual([]);
    bus.advance(1);
    expect(client.takeOne('error')).toMatchObject({ address: ['1'], code: 'SERVICE_UNKNOWN', reason: expect.stringContaining('nobody') });
    bus.advance(2999);
    expect(client.take()).toEqual([]);
    bus.advance(1);
    expect(client.takeOne('error')).toMatchObject({ address: ['2'], code: 'SERVICE_UNKNOWN' });
    expect(bus.status()).toMatchObject({ services: [], open: 0, heldBytes: 0 });
  });

  it('R7: the grace counts from the loss of the last worker, when that is later', () => {
    const bus = new BrokerDriver();
    const [first, last] = [bus.worker('w1', 'echo'), bus.worker('w2', 'echo')];
    const busy = bus.peer('busy').ask('echo').ask('echo');
    const client = bus.peer('c').ask('echo');
    bus.advance(3000);
    first.vanish();
    bus.advance(3000);
    last.vanish();
    expect(busy.take()).toMatchObject([{ code: 'WORKER_LOST' }, { code: 'WORKER_LOST' }]);
    bus.advance(4999);
    expect(client.take()).toEqual([]);
    bus.advance(1);
    expect(client.takeOne('error').code).toBe('SERVICE_UNKNOWN');
  });

  it('R7: a worker that comes within the grace ends it, and a later loss begins another', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w');
    const client = bus.peer('c').ask('echo', { body: ['1'] }).ask('echo', { body: ['2'] });
    bus.advance(4000);
    worker.ready('echo').beats = true;
    bus.advance(4000);
    expect(client.take()).toEqual([]);
    worker.vanish();
    expect(client.takeOne('error').code).toBe('WORKER_LOST');
    bus.advance(4999);
    expect(client.take()).toEqual([]);
    bus.advance(1);
    expect(client.takeOne('error').code).toBe('SERVICE_UNKNOWN');
  });

  it('R7: the deadline comes first when it is nearer than the grace', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c').ask('nobody', { timeout: '1' });
    bus.advance(1000);
    expect(client.takeOne('error').code).toBe('DEADLINE_EXCEEDED');
    bus.advance(10_000);
    expect(client.take()).toEqual([]);
    expect(bus.status().services).toEqual([]);
  });

  it('R7: WORKER_LOST at once, to everyone whose request the worker held', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 2);
    const [ann, bob] = [bus.peer('ann').ask('echo', { address: ['a'] }), bus.peer('bob').ask('echo', { address: ['b'] })];
    worker.vanish();
    expect(ann.takeOne('error')).toMatchObject({ address: ['a'], code: 'WORKER_LOST' });
    expect(bob.takeOne('error')).toMatchObject({ address: ['b'], code: 'WORKER_LOST' });
  });

  it('R7: a request that was handed to a worker is not handed to another one', () => {
    const bus = new BrokerDriver();
    const lost = bus.worker('w1', 'echo');
    bus.peer('c').ask('echo');
    lost.takeOne('request');
    const other = bus.worker('w2', 'echo');
    lost.vanish();
    bus.advance(60_000);
    expect(other.take()).toEqual([]);
  });

  it('R7: OVERLOADED at once when the queue of the service is full', () => {
    const bus = new BrokerDriver({ maxWaitingPerService: 2 });
    const client = bus.peer('c');
    for (const id of ['1', '2', '3']) client.ask('echo', { address: [id] });
    expect(client.takeOne('error')).toMatchObject({ address: ['3'], code: 'OVERLOADED' });
    client.ask('other', { address: ['4'] });
    expect(client.take()).toEqual([]);
  });

  it('R7: OVERLOADED at once when the client’s share is full, until one of its requests ends', () => {
    const bus = new BrokerDriver({ maxOpenPerClient: 2 });
    const worker = bus.worker('w', 'echo', 10);
    const client = bus.peer('c').ask('echo').ask('nobody').ask('echo', { address: ['3'] });
    expect(client.takeOne('error')).toMatchObject({ address: ['3'], code: 'OVERLOADED' });
    bus.peer('other').ask('echo');
    const [held] = worker.take();
    if (held?.kind !== 'request') expect.unreachable();
    worker.answer(held.token);
    client.take();
    client.ask('echo');
    expect(client.take()).toEqual([]);
    worker.takeOne('request');
  });

  it('R7: OVERLOADED at once when the broker’s memory for bodies is full; what a worker holds does not count', () => {
    const bus = new BrokerDriver({ maxHeldBytes: 5000 });
    const big = ['x'.repeat(4000)];
    const client = bus.peer('c').ask('one', { body: big, address: ['1'] }).ask('two', { body: big, address: ['2'] });
    expect(client.takeOne('error')).toMatchObject({ address: ['2'], code: 'OVERLOADED' });
    bus.worker('w', 'one', 5);
    expect(bus.status().heldBytes).toBe(0);
    client.ask('two', { body: big });
    expect(client.take()).toEqual([]);
    expect(bus.status().heldBytes).toBeGreaterThanOrEqual(4000);
  });

  it('R7: the memory bound holds for empty frames too', () => {
    const bus = new BrokerDriver({ maxHeldBytes: 100_000 });
    const client = bus.peer('c').ask('one', { body: Array.from({ length: 10_000 }, () => '') });
    expect(client.takeOne('error').code).toBe('OVERLOADED');
  });

  it('R7: TOO_LARGE above the body limit, all frames together; the limit itself passes', () => {
    const bus = new BrokerDriver({ maxBodyBytes: 100 });
    const worker = bus.worker('w', 'echo', 5);
    const client = bus.peer('c').ask('echo', { body: ['x'.repeat(60), 'x'.repeat(41)] });
    expect(client.takeOne('error')).toMatchObject({ code: 'TOO_LARGE', reason: expect.stringContaining('101') });
    client.ask('echo', { body: ['x'.repeat(60), 'x'.repeat(40)] });
    worker.takeOne('request');
    expect(client.take()).toEqual([]);
  });

  it('R7: BAD_REQUEST for no body frame, and for a service name that is empty or over-long', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c').ask('echo', { body: [] }).ask('').ask('x'.repeat(256));
    expect(client.take().map((answer) => (answer.kind === 'error' ? answer.code : answer))).toEqual(['BAD_REQUEST', 'BAD_REQUEST', 'BAD_REQUEST']);
    client.ask('echo', { body: [''] }).ask('x'.repeat(255));
    expect(client.take()).toEqual([]);
    expect(bus.status()).toMatchObject({ open: 2, refused: { BAD_REQUEST: 3 } });
  });

  it('R7: a request that is refused leaves nothing behind', () => {
    const bus = new BrokerDriver({ maxBodyBytes: 10, maxHeldBytes: 500, maxWaitingPerService: 0 });
    const client = bus.peer('c').ask('a', { body: ['x'.repeat(11)] }).ask('b', { body: [] }).ask('c').ask('d', { timeout: '0' });
    expect(client.take()).toHaveLength(4);
    expect(bus.status()).toMatchObject({ services: [], open: 0, heldBytes: 0 });
  });
});
