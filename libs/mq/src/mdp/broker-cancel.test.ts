import { describe, expect, it } from 'vitest';
import { BrokerDriver, tokensOf } from '../../test/broker-driver.ts';

describe('R17: CANCEL', () => {
  it('R17: a worker with capacity is told when a request reaches its deadline', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 2);
    bus.peer('c').ask('echo', { timeout: '0.5' });
    const { token } = worker.takeOne('request');
    bus.advance(500);
    expect(worker.takeFrames().map((message) => message.map((frame) => frame.toString('hex')))).toEqual([['', '4d4450573031', '06', token.toString('hex'), '']]);
  });

  it('R17: … when it loses its client', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 2);
    const client = bus.peer('c').ask('echo');
    const { token } = worker.takeOne('request');
    client.vanish();
    expect(worker.takeOne('cancel').token).toEqual(token);
  });

  it('R17: … when it is cancelled under its own address frames, and nothing is answered', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 2);
    const client = bus.peer('c').ask('echo', { address: ['a', '1'] }).ask('echo', { address: ['a', '2'] });
    const [, second] = tokensOf(worker);
    client.send('a', '2', '', 'MDPC01', 'mmi.cancel');
    expect(worker.takeOne('cancel').token).toEqual(second);
    bus.advance(1000);
    expect(client.take()).toEqual([]);
  });

  it('R17: a waiting request that is cancelled is never handed over', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c').ask('echo', { address: ['1'] }).ask('echo', { address: ['2'], body: ['stays'] });
    client.send('1', '', 'MDPC01', 'mmi.cancel');
    expect(bus.status().open).toBe(1);
    expect(bus.worker('w', 'echo', 5).takeOne('request').body).toEqual(['stays']);
    expect(client.take()).toEqual([]);
  });

  it('R17: a client cancels only its own', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 2);
    bus.peer('ann').ask('echo', { address: ['1'] });
    const { token } = worker.takeOne('request');
    bus.peer('eve').send('1', '', 'MDPC01', 'mmi.cancel');
    expect(worker.take()).toEqual([]);
    worker.answer(token);
    bus.peer('ann').takeOne('reply');
  });

  it.each([['its reply', 'reply'], ['its deadline', 'deadline']])('R17: after a cancel the slot is free at %s', (_what, end) => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1);
    const client = bus.peer('c').ask('echo', { address: ['1'], timeout: '5' }).ask('echo', { address: ['2'], body: ['next'] });
    const { token } = worker.takeOne('request');
    client.send('1', '', 'MDPC01', 'mmi.cancel');
    worker.takeOne('cancel');
    bus.advance(4000);
    expect(worker.take()).toEqual([]);
    if (end === 'reply') worker.answer(token);
    else bus.advance(1000);
    expect(worker.takeOne('request').body).toEqual(['next']);
    expect(client.take()).toEqual([]);
  });

  it('R17: all that came under one address are cancelled, and what comes under it later is not', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c').ask('echo', { address: ['1'] }).ask('echo', { address: ['1'] }).ask('echo', { address: ['2'], body: ['stays'] });
    client.send('1', '', 'MDPC01', 'mmi.cancel').ask('echo', { address: ['1'], body: ['later'] });
    expect(bus.worker('w', 'echo', 5).take()).toMatchObject([{ body: ['stays'] }, { body: ['later'] }]);
  });

  it('R17: a cancelled request gives its place in the client’s share back', () => {
    const bus = new BrokerDriver({ maxOpenPerClient: 1 });
    const client = bus.peer('c').ask('echo', { address: ['1'] });
    client.send('1', '', 'MDPC01', 'mmi.cancel');
    expect(client.ask('echo', { address: ['2'] }).take()).toEqual([]);
  });

  it('R17: a plain worker is not told', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo', { address: ['1'] }).ask('echo', { timeout: '1' });
    worker.takeOne('request');
    client.send('1', '', 'MDPC01', 'mmi.cancel').vanish();
    bus.advance(40_000);
    expect(worker.take()).toEqual([]);
  });

  it('R17: a request is cancelled once', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 2);
    const client = bus.peer('c').ask('echo', { address: ['1'], timeout: '5' });
    worker.takeOne('request');
    for (let i = 0; i < 3; i += 1) client.send('1', '', 'MDPC01', 'mmi.cancel');
    client.vanish();
    bus.advance(6000);
    worker.takeOne('cancel');
  });

  it('R17: cancelling what is not open does nothing', () => {
    const bus = new BrokerDriver();
    expect(bus.peer('c').send('1', '', 'MDPC01', 'mmi.cancel').take()).toEqual([]);
  });
});
