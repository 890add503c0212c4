import { describe, expect, it } from 'vitest';
import { BrokerDriver, tokensOf } from '../../test/broker-driver.ts';

describe('R4: who is served, by whom', () => {
  it('R4: the least recently used worker gets the next request', () => {
    const bus = new BrokerDriver();
    const workers = ['w1', 'w2', 'w3'].map((name) => bus.worker(name, 'echo', 10));
    const served: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      bus.peer('c').ask('echo');
      for (const worker of workers) if (worker.take().length > 0) served.push(worker.name);
    }
    expect(served).toEqual(['w1', 'w2', 'w3', 'w1', 'w2', 'w3']);
  });

  it('R4: a worker that was busy is used after those that waited longer', () => {
    const bus = new BrokerDriver();
    const [first, second] = [bus.worker('w1', 'echo'), bus.worker('w2', 'echo')];
    const client = bus.peer('c').ask('echo');
    first.answer(first.takeOne('request').token);
    client.ask('echo');
    second.takeOne('request');
    expect(first.take()).toEqual([]);
  });

  it('R4: requests are served first in, first out, whoever sent them', () => {
    const bus = new BrokerDriver();
    for (const name of ['ann', 'bob', 'ann', 'eve']) bus.peer(name).ask('echo', { body: [name, String(bus.status().open)] });
    const worker = bus.worker('w', 'echo', 4);
    expect(worker.take()).toMatchObject([{ body: ['ann', '0'] }, { body: ['bob', '1'] }, { body: ['ann', '2'] }, { body: ['eve', '3'] }]);
  });

  it('R4: services do not mix', () => {
    const bus = new BrokerDriver();
    const [echo, other] = [bus.worker('w1', 'echo'), bus.worker('w2', 'other')];
    bus.peer('c').ask('other');
    expect(echo.take()).toEqual([]);
    other.takeOne('request');
  });
});

describe('R14: capacity', () => {
  it.each([[undefined, 1], [1, 1], [3, 3], ['zero', 1], ['0', 1], ['-5', 1], ['5000', 1024], ['99999999999', 1024]])('R14: READY with %j takes %d at once', (capacity, expected) => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', capacity);
    for (let i = 0; i < 1030; i += 1) bus.peer('c').ask('echo');
    const first = tokensOf(worker);
    expect(first).toHaveLength(expected);
    worker.answer(first[0] ?? '');
    expect(tokensOf(worker)).toHaveLength(1);
  });

  it('R14: an invalid capacity still says that it is not a plain worker', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 'many');
    bus.peer('c').ask('echo', { timeout: '1' });
    worker.takeOne('request');
    bus.advance(1000);
    worker.takeOne('cancel');
  });

  it('R14: more frames of READY, which this broker does not know, are ignored', () => {
    const bus = new BrokerDriver();
    bus.peer('w').send('', 'MDPW01', '\x01', 'echo', '2', '1795351147', 'more');
    expect(bus.service('echo')).toMatchObject({ workers: 1 });
  });
});
