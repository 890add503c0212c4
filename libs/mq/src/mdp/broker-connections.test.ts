import { describe, expect, it } from 'vitest';
import { BrokerDriver, type Peer } from '../../test/broker-driver.ts';

describe('R10: connections that close', () => {
  it('R10: a worker whose connection closes is gone at once', () => {
    const bus = new BrokerDriver();
    bus.worker('w', 'echo').vanish();
    expect(bus.status()).toMatchObject({ workers: 0, services: [] });
  });

  it('R10: a peer’s own message of one empty frame is treated the same', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo').ask('echo');
    worker.takeOne('request');
    worker.send('');
    expect(client.takeOne('error').code).toBe('WORKER_LOST');
    client.send('');
    expect(bus.status()).toMatchObject({ workers: 0, clients: 0, open: 0, services: [], dropped: { malformed: 0 } });
  });

  it('R10: a gone client’s waiting requests are dropped', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c').ask('echo', { body: ['gone'] });
    bus.peer('other').ask('echo', { body: ['stays'] });
    client.vanish();
    expect(bus.status()).toMatchObject({ open: 1, clients: 1 });
    expect(bus.worker('w', 'echo', 5).takeOne('request').body).toEqual(['stays']);
  });

  it('R10: one that a worker holds keeps its token and deadline; only its answer is not sent', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo', { timeout: '10' });
    const { token } = worker.takeOne('request');
    client.vanish();
    bus.peer('other').ask('echo');
    bus.advance(9000);
    expect(worker.take()).toEqual([]);
    expect(bus.status()).toMatchObject({ open: 2 });
    worker.answer(token);
    expect(client.take()).toEqual([]);
    worker.takeOne('request');
    expect(bus.status()).toMatchObject({ open: 1, dropped: { replyUnwanted: 1, replyNotOpen: 0 } });
  });

  it('R10: its deadline passes without a word to anyone', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1);
    const client = bus.peer('c').ask('echo', { timeout: '10' });
    client.vanish();
    expect(worker.take()).toMatchObject([{ kind: 'request' }, { kind: 'cancel' }]);
    bus.peer('other').ask('echo', { body: ['next'] });
    bus.advance(10_000);
    expect(worker.takeOne('request').body).toEqual(['next']);
    expect(client.take()).toEqual([]);
    expect(bus.status().refused.DEADLINE_EXCEEDED).toBe(0);
  });

  it('R10: a peer that is unknown may close too', () => {
    const bus = new BrokerDriver();
    bus.peer('nobody').vanish();
    expect(bus.status()).toMatchObject({ clients: 0, workers: 0 });
  });

  it('R10: a message that could not be sent is counted; a request in it has not begun, so it waits again, before all others', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1);
    worker.beats = false;
    const client = bus.peer('c').ask('echo', { body: ['first'] }).ask('echo', { body: ['second'] });
    const [request] = worker.takeFrames();
    bus.refuseToSend(request);
    expect(client.take()).toEqual([]);
    expect(worker.take()).toEqual([]);
    expect(bus.status()).toMatchObject({ open: 2, dropped: { undeliverable: 1 }, services: [{ waiting: 2 }] });
    const other = bus.worker('o', 'echo', 1);
    expect(other.takeOne('request').body).toEqual(['first']);
    worker.heartbeat();
    expect(worker.takeOne('request').body).toEqual(['second']);
    expect(bus.status()).toMatchObject({ open: 2, heldBytes: 0 });
    const [answer] = client.send('', 'MDPC01', 'mmi.service', 'echo').takeFrames();
    bus.refuseToSend(answer);
    expect(bus.status()).toMatchObject({ open: 2, dropped: { undeliverable: 2 } });
  });

  it('R4, R10: requests that could not be sent keep their order', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 3);
    for (const name of ['1', '2', '3', '4']) bus.peer('c').ask('echo', { body: [name] });
    for (const request of worker.takeFrames()) bus.refuseToSend(request);
    expect(bus.worker('o', 'echo', 4).take()).toMatchObject([{ body: ['1'] }, { body: ['2'] }, { body: ['3'] }, { body: ['4'] }]);
  });

  it('R10, R16: one that could not be sent to a worker that has just left waits for the next, and its service is not mixed up', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1);
    bus.peer('c').ask('echo', { timeout: '3', body: ['unsent', ''] });
    const [request] = worker.takeFrames();
    worker.goodbye().beats = false;
    const other = bus.worker('o', 'echo', 1);
    bus.refuseToSend(request);
    expect(other.takeOne('request').body).toEqual(['unsent', '']);
    bus.advance(4000);
    expect(bus.service('echo')).toMatchObject({ workers: 1 });
    worker.heartbeat();
    worker.takeOne('disconnect');
  });

  it('R7, R10: … or is told in time that there is none', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1);
    const client = bus.peer('c').ask('echo');
    const [request] = worker.takeFrames();
    worker.goodbye().beats = false;
    bus.refuseToSend(request);
    expect(bus.service('echo')).toMatchObject({ workers: 0, waiting: 1 });
    bus.advance(5000);
    expect(client.takeOne('error').code).toBe('SERVICE_UNKNOWN');
    expect(bus.status()).toMatchObject({ open: 0, heldBytes: 0, services: [] });
  });

  it('R10: a reply that could not be sent is not taken for a request, whatever its address looks like', () => {
    const bus = new BrokerDriver();
    const both = bus.worker('both', 'echo', 1);
    bus.peer('c').ask('echo');
    const { token } = both.takeOne('request');
    both.ask('', { address: ['x', 'y', '\x02', token.toString('latin1')] });
    const [reply] = both.takeFrames();
    bus.refuseToSend(reply);
    expect(bus.status()).toMatchObject({ open: 1, services: [{ name: 'echo', waiting: 0 }] });
  });

  it('R10: a request that could not be sent, and that nobody waits for any more, is over', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1);
    const client = bus.peer('c').ask('echo');
    const [request] = worker.takeFrames();
    client.vanish();
    bus.refuseToSend(request);
    expect(bus.status()).toMatchObject({ open: 0, heldBytes: 0 });
  });
});

describe('R11: workers that the broker does not know, or that break the protocol', () => {
  it.each<[string, (peer: Peer) => void, number]>([
    ['REPLY', (peer) => peer.answer('token'), 1],
    ['HEARTBEAT, by which nothing is lost', (peer) => peer.heartbeat(), 0],
  ])('R11: %s, of an unknown worker is answered with DISCONNECT, in three frames', (_what, speak, dropped) => {
    const bus = new BrokerDriver();
    const peer = bus.peer('w');
    speak(peer);
    expect(peer.takeFrames()).toEqual([[Buffer.alloc(0), Buffer.from('MDPW01'), Buffer.from([5])]]);
    expect(bus.status()).toMatchObject({ workers: 0, dropped: { workerUnknown: dropped } });
  });

  it('R11: DISCONNECT of an unknown peer is ignored', () => {
    const bus = new BrokerDriver();
    expect(bus.peer('w').goodbye().take()).toEqual([]);
  });

  it('R11: a second READY is answered with DISCONNECT, and whoever waits for that worker is told', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo');
    worker.takeOne('request');
    worker.ready('echo');
    worker.takeOne('disconnect');
    expect(client.takeOne('error').code).toBe('WORKER_LOST');
    expect(bus.service('echo')).toBeUndefined();
    worker.ready('echo');
    expect(bus.service('echo')).toMatchObject({ workers: 1 });
  });

  it.each<[string, string[]]>([
    ['an unknown command', ['\x2a']],
    ['an empty command', ['']],
    ['READY without a service', ['\x01']],
    ['READY for a reserved name', ['\x01', 'mmi.service']],
    ['READY for an empty name', ['\x01', '']],
    ['READY for an over-long name', ['\x01', 'x'.repeat(256)]],
    ['REPLY without an envelope', ['\x03']],
    ['CANCEL, which workers do not send', ['\x06', 'token', '']],
  ])('R11: %s is answered with DISCONNECT, from a stranger or a worker', (_what, parts) => {
    const bus = new BrokerDriver();
    const [stranger, worker] = [bus.peer('stranger'), bus.worker('w', 'echo')];
    for (const peer of [stranger, worker]) peer.send('', 'MDPW01', ...parts).takeOne('disconnect');
    expect(bus.status()).toMatchObject({ workers: 0, services: [], dropped: { workerInvalid: 2 } });
  });

  it('R11: a name of 255 bytes is a name', () => {
    const bus = new BrokerDriver();
    bus.worker('w', 'x'.repeat(255));
    expect(bus.status().workers).toBe(1);
  });
});
