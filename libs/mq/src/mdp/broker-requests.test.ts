import { describe, expect, it } from 'vitest';
import { BrokerDriver, texts } from '../../test/broker-driver.ts';

describe('R1: the client’s address', () => {
  it.each([[[]], [['id']], [['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']]])('R1: a reply carries the same address frames back: %j', (address) => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo', { address });
    worker.answer(worker.takeOne('request').token, 'do.result', '{}');
    expect(client.takeFrames().map(texts)).toEqual([[...address, '', 'MDPC01', 'echo', 'do.result', '{}']]);
  });

  it('R1: so many requests of one DEALER are told apart, in any order of the replies', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 3);
    const client = bus.peer('c').ask('echo', { address: ['1'] }).ask('echo', { address: ['2'] });
    const [first, second] = worker.take();
    if (first?.kind !== 'request' || second?.kind !== 'request') expect.unreachable();
    worker.answer(second.token, 'second').answer(first.token, 'first');
    expect(client.take()).toMatchObject([{ address: ['2'], body: ['second'] }, { address: ['1'], body: ['first'] }]);
  });

  it('R1: an error of the broker carries them too', () => {
    const bus = new BrokerDriver();
    const client = bus.peer('c').ask('', { address: ['x', 'y'] });
    expect(client.takeOne('error')).toMatchObject({ address: ['x', 'y'], code: 'BAD_REQUEST' });
  });

  it('R1: more than eight frames, or more than 1 KiB of them, is not MDP', () => {
    const bus = new BrokerDriver();
    bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo', { address: Array.from({ length: 9 }, () => 'a') }).ask('echo', { address: ['a'.repeat(1025)] });
    expect(client.take()).toEqual([]);
    expect(bus.status()).toMatchObject({ open: 0, dropped: { malformed: 2 } });
  });
});

describe('R2: the deadline of a request', () => {
  /** How long it takes until the client is told. */
  function patience(timeout: string | undefined, maxMs: number): number {
    const bus = new BrokerDriver();
    bus.worker('busy', 'echo');
    bus.peer('other').ask('echo', { timeout: '4000' });
    const client = bus.peer('c').ask('echo', timeout === undefined ? {} : { timeout });
    for (let ms = 0; ms <= maxMs; ms += 500) {
      const [answer] = client.take();
      if (answer !== undefined) {
        expect(answer).toMatchObject({ kind: 'error', code: 'DEADLINE_EXCEEDED' });
        return ms;
      }
      bus.advance(500);
    }
    return Infinity;
  }

  it.each([['5.0', 5000], ['10', 10_000], ['0.5', 500], ['0', 0], ['None', 30_000], [undefined, 30_000], ['3600', 3_600_000], ['9999999999', 3_600_000]])(
    'R2: %s counts from arrival, without one it is 30 s, and none is longer than an hour', (timeout, ms) => {
      expect(patience(timeout, 3_700_000)).toBe(ms);
    });

  it('R2: the frame is not passed on to the worker', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    bus.peer('c').ask('echo', { timeout: '5.0' }).ask('echo', { timeout: 'None' }).ask('echo', { timeout: 'soon' });
    expect(worker.take()).toMatchObject([{ body: ['do', '{}'] }, { body: ['do', '{}'] }, { body: ['soon', 'do', '{}'] }]);
  });

  it('R2: what looks like a timeout but has only one frame after it is the action', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 5);
    bus.peer('c').ask('echo', { body: ['10', '{}'] }).ask('echo', { body: ['10'] });
    expect(worker.take()).toMatchObject([{ body: ['10', '{}'] }, { body: ['10'] }]);
  });
});

describe('R3: the body', () => {
  it.each([
    ['one frame', ['do']],
    ['one empty frame', ['']],
    ['many frames, some empty, any bytes', ['do', '', '\x00\xff\xfe', '', 'MDPW01', '\x05']],
    ['what looks like a message', ['', 'MDPC01', 'echo', 'do']],
  ])('R3: %s is passed on byte for byte, both ways', (_what, body) => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    const client = bus.peer('c').ask('echo', { body });
    const request = worker.takeOne('request');
    expect(request.body).toEqual(body);
    worker.answer(request.token, ...body);
    expect(client.takeOne('reply')).toMatchObject({ service: 'echo', body });
  });

  it('R3: a service name is any bytes', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', '\xc3\x28\x00');
    const client = bus.peer('c').ask('\xc3\x28\x00');
    worker.answer(worker.takeOne('request').token, 'ok');
    expect(client.takeOne('reply').service).toBe('\xc3\x28\x00');
  });
});

describe('R5: the envelope', () => {
  it('R5: is one non-empty frame that says nothing of the client, and never comes twice', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo', 1000);
    for (let i = 0; i < 500; i += 1) bus.peer('client-name').ask('echo', { address: ['address'] });
    const tokens = worker.takeFrames().map((message) => {
      expect(message[4]).toHaveLength(0);
      return message[3]?.toString('latin1') ?? '';
    });
    expect(new Set(tokens).size).toBe(500);
    for (const token of tokens) expect(token).not.toMatch(/^$|client-name|address/);
  });

  it('R5: is new after a restart of the broker: an answer to the old one is dropped', () => {
    const before = new BrokerDriver({}, Buffer.from('epoch--1'));
    const old = before.worker('w', 'echo');
    before.peer('c').ask('echo');
    const { token } = old.takeOne('request');

    const bus = new BrokerDriver({}, Buffer.from('epoch--2'));
    const worker = bus.worker('w', 'echo', 2);
    const client = bus.peer('c').ask('echo');
    expect(worker.takeOne('request').token).not.toEqual(token);
    worker.answer(token);
    expect(client.take()).toEqual([]);
    expect(bus.status().dropped.replyNotOpen).toBe(1);
  });

  it('R5: a worker can answer only what it was asked, and only once', () => {
    const bus = new BrokerDriver();
    const [worker, thief] = [bus.worker('w', 'echo', 2), bus.worker('thief', 'other', 2)];
    const client = bus.peer('c').ask('echo');
    const { token } = worker.takeOne('request');
    thief.answer(token, 'stolen');
    expect(client.take()).toEqual([]);
    worker.answer(token, 'mine').answer(token, 'again');
    expect(client.take()).toMatchObject([{ body: ['mine'] }]);
    expect(bus.status()).toMatchObject({ open: 0, dropped: { replyNotOpen: 2 } });
  });

  it.each([['empty', ''], ['short', 'abc'], ['of the right length but not ours', 'x'.repeat(14)], ['ours and longer', undefined]])(
    'R5: a token that is %s is dropped and counted', (_what, forged) => {
      const bus = new BrokerDriver();
      const worker = bus.worker('w', 'echo', 2);
      const client = bus.peer('c').ask('echo');
      const { token } = worker.takeOne('request');
      worker.answer(forged ?? Buffer.concat([token, Buffer.from([0])]));
      expect(client.take()).toEqual([]);
      expect(worker.take()).toEqual([]);
      expect(bus.status()).toMatchObject({ open: 1, dropped: { replyNotOpen: 1 } });
    });

  it('R5: a reply that nobody waits for any more is counted apart', () => {
    const bus = new BrokerDriver();
    const worker = bus.worker('w', 'echo');
    bus.peer('c').ask('echo').vanish();
    worker.answer(worker.takeOne('request').token);
    expect(bus.status()).toMatchObject({ open: 0, dropped: { replyNotOpen: 0, replyUnwanted: 1 } });
  });
});
