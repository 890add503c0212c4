import { describe, expect, it } from 'vitest';
import { BrokerDriver, type Peer } from '../../test/broker-driver.ts';

function tokens(worker: Peer): Buffer[] {
  return worker.take().flatMap((message) => (message.kind === 'request' ? [message.token] : []));
}

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

describe('R8: the deadline of a held request', () => {
  it('R8: its caller is told, and a late reply is dropped', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    const client = bus.peer('c').ask('echo', { timeout: '2' });
    const [token] = tokens(worker);
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

describe('R9: life and silence', () => {
  it.each<[string, (worker: Peer, token: Buffer) => void]>([
    ['HEARTBEAT', (worker) => worker.heartbeat()],
    ['a reply', (worker, token) => worker.answer(token)],
    ['a reply that is dropped', (worker) => worker.answer('nonsense')],
  ])('R9: %s proves a worker alive', (_what, speak) => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo', 2);
    bus.peer('c').ask('echo', { timeout: '100' });
    const [token] = tokens(worker);
    bus.advance(4500);
    speak(worker, token ?? Buffer.alloc(0));
    bus.advance(4500);
    bus.peer('c').ask('echo');
    expect(tokens(worker)).toHaveLength(1);
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
    expect(tokens(worker)).toHaveLength(1);
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

  it('R9: it gets what waits at its next word', () => {
    const bus = new BrokerDriver();
    const worker = bus.peer('w').ready('echo', 3);
    const client = bus.peer('c').ask('echo', { timeout: '100' });
    expect(tokens(worker)).toHaveLength(1);
    bus.advance(7000);
    client.ask('echo').ask('echo').ask('echo');
    expect(tokens(worker)).toHaveLength(0);
    worker.heartbeat();
    expect(tokens(worker)).toHaveLength(2);
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
    expect(tokens(worker)).toHaveLength(1);
    bus.tick();
    client.ask('echo', { address: ['later'], timeout: '5' });
    expect(tokens(worker)).toHaveLength(1);
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
    const [token] = tokens(worker);
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
    bus.refuseToSend(worker, request ?? []);
    expect(client.take()).toEqual([]);
    expect(worker.take()).toEqual([]);
    expect(bus.status()).toMatchObject({ open: 2, dropped: { undeliverable: 1 }, services: [{ waiting: 2 }] });
    const other = bus.worker('o', 'echo', 1);
    expect(other.takeOne('request').body).toEqual(['first']);
    worker.heartbeat();
    expect(worker.takeOne('request').body).toEqual(['second']);
    expect(bus.status()).toMatchObject({ open: 2, heldBytes: 0 });
    bus.refuseToSend(client, [Buffer.alloc(0)]);
    expect(bus.status()).toMatchObject({ open: 2, dropped: { undeliverable: 2 } });
  });

  it('R4, R10: requests that could not be sent keep their order', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 3);
    for (const name of ['1', '2', '3', '4']) bus.peer('c').ask('echo', { body: [name] });
    for (const request of worker.takeFrames()) bus.refuseToSend(worker, request);
    expect(bus.worker('o', 'echo', 4).take()).toMatchObject([{ body: ['1'] }, { body: ['2'] }, { body: ['3'] }, { body: ['4'] }]);
  });

  it('R10, R16: one that could not be sent to a worker that has just left waits for the next, and its service is not mixed up', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1);
    bus.peer('c').ask('echo', { timeout: '3', body: ['unsent', ''] });
    const [request] = worker.takeFrames();
    worker.goodbye().beats = false;
    const other = bus.worker('o', 'echo', 1);
    bus.refuseToSend(worker, request ?? []);
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
    bus.refuseToSend(worker, request ?? []);
    expect(bus.service('echo')).toMatchObject({ workers: 0, waiting: 1 });
    bus.advance(5000);
    expect(client.takeOne('error').code).toBe('SERVICE_UNKNOWN');
    expect(bus.status()).toMatchObject({ open: 0, heldBytes: 0, services: [] });
  });

  it('R10: a request that could not be sent, and that nobody waits for any more, is over', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1);
    const client = bus.peer('c').ask('echo');
    const [request] = worker.takeFrames();
    client.vanish();
    bus.refuseToSend(worker, request ?? []);
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

describe('R14: capacity', () => {
  it.each([[undefined, 1], [1, 1], [3, 3], ['zero', 1], ['0', 1], ['-5', 1], ['5000', 1024], ['99999999999', 1024]])('R14: READY with %j takes %d at once', (capacity, expected) => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', capacity);
    for (let i = 0; i < 1030; i += 1) bus.peer('c').ask('echo');
    const first = tokens(worker);
    expect(first).toHaveLength(expected);
    worker.answer(first[0] ?? '');
    expect(tokens(worker)).toHaveLength(1);
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

describe('R16: a worker that leaves', () => {
  it('R16: is not counted any more and is sent nothing more; its open tokens stand until its reply', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    const client = bus.peer('c').ask('echo', { timeout: '20' });
    const [token] = tokens(worker);
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
    expect(tokens(worker)).toHaveLength(2);
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
    expect(tokens(other)).toHaveLength(1);
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
    const old = tokens(worker);
    expect(old).toHaveLength(4);
    worker.goodbye().ready('echo', 2);
    expect(tokens(worker)).toHaveLength(0);
    worker.answer(old[0] ?? '').answer(old[1] ?? '');
    expect(tokens(worker)).toHaveLength(0);
    worker.answer(old[2] ?? '');
    expect(tokens(worker)).toHaveLength(1);
    worker.answer(old[3] ?? '');
    expect(tokens(worker)).toHaveLength(1);
    expect(bus.status()).toMatchObject({ workers: 1, open: 8 });
  });
});

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
    const [, second] = tokens(worker);
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
