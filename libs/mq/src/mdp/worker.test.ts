import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { texts, type Part } from '../../test/broker-driver.ts';
import { DISCONNECT, HEARTBEAT, WorkerDriver } from '../../test/worker-driver.ts';
import type { HeldRequest, WorkerEffect } from './worker.ts';

const READY = ['', 'MDPW01', '\x01', 'echo', '4'];

describe('W1: registering', () => {
  it('W1: READY at each completed connection, and nothing before', () => {
    const worker = new WorkerDriver();
    worker.start();
    worker.advance(60_000);
    expect([worker.did(), worker.sent()]).toEqual([['open'], []]);
    worker.connected();
    expect([worker.did(), worker.sent()]).toEqual([['registered'], [READY]]);
    worker.disconnected();
    worker.advance(100);
    expect([worker.did(), worker.sent()]).toEqual([['close', 'open'], []]);
    worker.connected();
    expect([worker.did(), worker.sent()]).toEqual([['registered'], [READY]]);
  });

  it('R14: a plain worker gives no capacity', () => {
    const worker = new WorkerDriver({ capacity: undefined });
    worker.start();
    worker.connected();
    expect(worker.sent()).toEqual([['', 'MDPW01', '\x01', 'echo']]);
  });

  it('W1: HEARTBEAT when nothing else was sent for one interval', () => {
    const worker = WorkerDriver.registered();
    worker.advance(999, true);
    expect(worker.sent()).toEqual([]);
    worker.advance(1, true);
    expect(worker.sent()).toEqual([HEARTBEAT]);
    worker.advance(500, true);
    worker.reply(worker.request(), 'ok');
    expect(worker.sent()).toHaveLength(1);
    worker.advance(999, true);
    expect(worker.sent()).toEqual([]);
    worker.advance(1, true);
    expect(worker.sent()).toEqual([HEARTBEAT]);
  });

  it.each<[string, Part[]]>([
    ['DISCONNECT', ['', 'MDPW01', '\x05']],
    ['DISCONNECT without the empty frame', ['MDPW01', '\x05']],
    ['DISCONNECT with a reason', ['', 'MDPW01', '\x05', 'maintenance']],
  ])('W1: the broker is given up at %s', (_what, parts) => {
    const worker = WorkerDriver.registered();
    worker.receive(...parts);
    expect(worker.did()).toEqual(['close']);
    worker.advance(100);
    expect(worker.did()).toEqual(['open']);
  });

  it('W1: … when its connection closes, with a new socket', () => {
    const worker = WorkerDriver.registered();
    worker.disconnected();
    expect(worker.did()).toEqual(['close']);
    worker.advance(2000);
    expect(worker.did()).toEqual(['open']);
  });

  it('W1: … when it is silent for its liveness', () => {
    const worker = WorkerDriver.registered();
    worker.advance(4999);
    expect(worker.did()).toEqual([]);
    worker.advance(1);
    expect(worker.did()).toEqual(['close']);
  });

  it('W1: … and not while more of a message comes from it', () => {
    const worker = WorkerDriver.registered();
    for (let i = 0; i < 10; i += 1) {
      worker.advance(4000);
      worker.part();
    }
    expect(worker.did()).toEqual([]);
    worker.advance(5000);
    expect(worker.did()).toEqual(['close']);
    worker.part();
    worker.advance(100);
    expect(worker.did()).toEqual(['open']);
  });

  it('W1: … four times that while a request is held: Domogik’s broker is silent then', () => {
    const worker = WorkerDriver.registered();
    worker.request();
    worker.advance(19_999);
    expect(worker.did()).toEqual([]);
    worker.advance(1);
    expect(worker.did()).toEqual(['close']);
  });

  it('W1: the silence while a request was held is not held against the broker once it is answered', () => {
    const worker = WorkerDriver.registered();
    const request = worker.request();
    worker.advance(12_300);
    worker.reply(request, 'ok');
    worker.advance(4900);
    expect(worker.did()).toEqual([]);
    worker.advance(100);
    expect(worker.did()).toEqual(['close']);
  });

  it('W1: any message proves the broker alive', () => {
    const worker = WorkerDriver.registered();
    worker.advance(4500);
    worker.receive('', 'MDPW01', '\x06', 'unknown', '');
    worker.advance(4500);
    expect(worker.did()).toEqual([]);
  });

  it('W1: what is no message of a broker proves nothing', () => {
    const worker = WorkerDriver.registered();
    worker.advance(4500);
    worker.receive('', 'MDPC01', 'echo', 'hello');
    worker.receive('');
    worker.advance(500);
    expect(worker.did()).toEqual(['close']);
  });

  it('R9: time in which the worker’s own process did not run does not count', () => {
    const worker = WorkerDriver.registered();
    worker.advance(4000);
    worker.nowMs += 60_000;
    worker.tick();
    expect(worker.did()).toEqual([]);
    worker.advance(999);
    expect(worker.did()).toEqual([]);
    worker.advance(1);
    expect(worker.did()).toEqual(['close']);
  });
});

describe('W1: backoff', () => {
  /** The waits before each new socket, when each connection is made and lost at once. */
  function waits(worker: WorkerDriver, count: number, spoken: boolean): number[] {
    return Array.from({ length: count }, () => {
      worker.connected();
      if (spoken) worker.receive(...HEARTBEAT);
      worker.disconnected();
      const fromMs = worker.nowMs;
      worker.did();
      while (!worker.did().includes('open')) worker.advance(1);
      return worker.nowMs - fromMs;
    });
  }

  it('W1: doubles from 100 ms to 2 s, with jitter', () => {
    const longest = new WorkerDriver({}, () => 0.999_999);
    longest.start();
    expect(waits(longest, 7, false)).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
    const shortest = new WorkerDriver({}, () => 0);
    shortest.start();
    expect(waits(shortest, 7, false)).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
  });

  it('W1: is reset only after a message from the broker', () => {
    const worker = new WorkerDriver({}, () => 0.999_999);
    worker.start();
    expect(waits(worker, 3, false)).toEqual([100, 200, 400]);
    expect(waits(worker, 2, true)).toEqual([100, 100]);
    expect(waits(worker, 2, false)).toEqual([200, 400]);
  });

  it('W1: a broker that says nothing but DISCONNECT is tried later each time', () => {
    const worker = new WorkerDriver({}, () => 0.999_999);
    worker.start();
    const tried = Array.from({ length: 6 }, () => {
      worker.connected();
      worker.did();
      const fromMs = worker.nowMs;
      worker.receive(...DISCONNECT);
      while (!worker.did().includes('open')) worker.advance(1);
      return worker.nowMs - fromMs;
    });
    expect(tried).toEqual([100, 200, 400, 800, 1600, 2000]);
  });
});

describe('W2: heartbeats and signals', () => {
  it('W2: heartbeats go on while a handler runs', () => {
    const worker = WorkerDriver.registered();
    worker.request();
    worker.advance(10_000, true);
    expect(worker.sent()).toEqual(Array.from({ length: 10 }, () => HEARTBEAT));
  });

  it('W2: the signal fires at CANCEL, for that request alone, and the reply still goes out', () => {
    const worker = WorkerDriver.registered();
    const first = worker.request(['one']);
    worker.request(['two']);
    worker.receive('', 'MDPW01', '\x06', 'one', '');
    expect(worker.aborted).toEqual(['cancelled one']);
    worker.reply(first, 'aborted');
    expect(worker.sent()).toEqual([['', 'MDPW01', '\x03', 'one', '', 'aborted']]);
  });

  it('W2: a CANCEL of what is not held does nothing', () => {
    const worker = WorkerDriver.registered();
    worker.reply(worker.request(['one']), 'ok');
    worker.receive('', 'MDPW01', '\x06', 'one', '');
    expect(worker.aborted).toEqual([]);
  });

  it.each<[string, (worker: WorkerDriver) => void]>([
    ['closes', (worker) => worker.disconnected()],
    ['is given up at DISCONNECT', (worker) => worker.receive(...DISCONNECT)],
    ['is given up for silence', (worker) => worker.advance(20_000)],
  ])('W2: the signal fires when the connection %s', (_what, lose) => {
    const worker = WorkerDriver.registered();
    worker.request(['one']);
    worker.request(['two']);
    lose(worker);
    expect(worker.aborted).toEqual(['lost one', 'lost two']);
    expect(worker.machine.heldRequests).toBe(0);
  });

  it('W2: the signal fires at stop', () => {
    const worker = WorkerDriver.registered();
    worker.request(['one']);
    worker.stop();
    expect(worker.aborted).toEqual(['stopping one']);
  });
});

describe('W4: stopping', () => {
  it('W4: says DISCONNECT, finishes what it holds, and closes when the broker has forgotten it', () => {
    const worker = WorkerDriver.registered();
    const request = worker.request();
    worker.stop();
    expect([worker.sent(), worker.did()]).toEqual([[DISCONNECT], []]);
    worker.advance(2000);
    worker.reply(request, 'done');
    expect([worker.sent(), worker.did()]).toEqual([[['', 'MDPW01', '\x03', 'token', '', 'done'], HEARTBEAT], []]);
    worker.receive(...DISCONNECT);
    expect(worker.did()).toEqual(['close', 'stopped']);
  });

  it('W4: finishes requests that crossed its goodbye', () => {
    const worker = WorkerDriver.registered();
    worker.stop();
    worker.advance(100);
    const crossed = worker.request(['crossed']);
    worker.advance(1000);
    expect(worker.did()).toEqual([]);
    worker.sent();
    worker.reply(crossed, 'done');
    expect(worker.sent()).toEqual([['', 'MDPW01', '\x03', 'crossed', '', 'done'], HEARTBEAT]);
    worker.receive(...DISCONNECT);
    expect(worker.did()).toEqual(['close', 'stopped']);
  });

  it('W4: does not wait for ever for a handler', () => {
    const worker = WorkerDriver.registered();
    worker.request();
    worker.stop();
    worker.advance(2999);
    expect(worker.did()).toEqual([]);
    worker.advance(1);
    expect(worker.did()).toEqual(['close', 'stopped']);
    expect(worker.aborted).toEqual(['stopping token', 'lost token']);
  });

  it('W4: nor for a broker that says nothing', () => {
    const worker = WorkerDriver.registered();
    worker.stop();
    worker.advance(249);
    expect(worker.did()).toEqual([]);
    worker.advance(1);
    expect(worker.did()).toEqual(['close', 'stopped']);
  });

  it('W4: a connection that closes meanwhile ends it', () => {
    const worker = WorkerDriver.registered();
    worker.request();
    worker.stop();
    worker.disconnected();
    expect(worker.did()).toEqual(['close', 'stopped']);
    worker.advance(60_000);
    expect(worker.did()).toEqual([]);
  });

  it.each<[string, (worker: WorkerDriver) => void, WorkerEffect['do'][]]>([
    ['before it started', () => {}, ['stopped']],
    ['while it connects', (worker) => worker.start(), ['open', 'close', 'stopped']],
    ['while it waits to connect again', (worker) => { worker.start(); worker.connected(); worker.disconnected(); }, ['open', 'registered', 'close', 'stopped']],
  ])('W4: a stop %s is immediate and final', (_what, before, did) => {
    const worker = new WorkerDriver();
    before(worker);
    worker.stop();
    worker.start();
    worker.connected();
    worker.advance(10_000);
    expect(worker.did()).toEqual(did);
  });

  it('W4: a second stop changes nothing', () => {
    const worker = WorkerDriver.registered();
    worker.request();
    worker.stop();
    worker.stop();
    expect(worker.sent()).toEqual([DISCONNECT]);
    worker.advance(3000);
    worker.stop();
    expect(worker.did()).toEqual(['close', 'stopped']);
  });
});

describe('W5: the envelope', () => {
  it.each([[['t']], [['a', 'b', 'c']], [['\x00k\x8bEh']]])('W5: %j is copied back as it came', (envelope) => {
    const worker = WorkerDriver.registered();
    worker.reply(worker.request(envelope, ['do', '', 'x']), 'do.result', '', 'y');
    expect(worker.sent()).toEqual([['', 'MDPW01', '\x03', ...envelope, '', 'do.result', '', 'y']]);
  });

  it('W5: the body arrives as it was, many frames and empty ones', () => {
    const worker = WorkerDriver.registered();
    expect(texts(worker.request(['t'], ['', 'do', '', '']).body)).toEqual(['', 'do', '', '']);
  });

  it('W5: a request is answered only to the connection that brought it', () => {
    const worker = WorkerDriver.registered();
    const old = worker.request(['same']);
    worker.disconnected();
    worker.advance(100);
    worker.connected();
    worker.sent();
    worker.reply(old, 'late');
    expect(worker.sent()).toEqual([]);
    const young = worker.request(['same']);
    worker.reply(old, 'late');
    expect(worker.sent()).toEqual([]);
    worker.reply(young, 'good');
    expect(worker.sent()).toEqual([['', 'MDPW01', '\x03', 'same', '', 'good']]);
  });

  it('W3, W5: two requests under one envelope are two, and CANCEL is for both', () => {
    const worker = WorkerDriver.registered();
    const [one, two] = [worker.request(['same']), worker.request(['same'])];
    worker.receive('', 'MDPW01', '\x06', 'same', '');
    expect(worker.aborted).toEqual(['cancelled same', 'cancelled same']);
    worker.reply(one, '1');
    worker.reply(two, '2');
    expect(worker.sent().map((message) => message.at(-1))).toEqual(['1', '2']);
  });

  it('W5: an envelope is told from one that only begins so, and a reply may have no body', () => {
    const worker = WorkerDriver.registered();
    const held = worker.request(['a', 'b']);
    for (const other of [['a'], ['b'], ['a', 'b', 'c'], ['ab']]) worker.receive('', 'MDPW01', '\x06', ...other, '');
    expect(worker.aborted).toEqual([]);
    worker.reply(held);
    expect(worker.sent()).toEqual([['', 'MDPW01', '\x03', 'a', 'b', '']]);
  });

  it('W5: and only once', () => {
    const worker = WorkerDriver.registered();
    const request = worker.request();
    worker.reply(request, 'one');
    worker.reply(request, 'two');
    expect(worker.sent()).toHaveLength(1);
  });
});

describe('R15: epochs', () => {
  const SUPERSEDED = [...DISCONNECT, 'superseded'];

  it.each<[string, number | undefined, string[]]>([['16', 16, ['16', '100']], ['a plain worker, an empty frame', undefined, ['', '100']]])('R15: READY carries the epoch after the capacity: %s', (_what, capacity, frames) => {
    const worker = new WorkerDriver({ capacity, epoch: 100 });
    worker.start();
    worker.connected();
    expect(worker.sent()).toEqual([['', 'MDPW01', '\x01', 'echo', ...frames]]);
    worker.disconnected();
    worker.advance(100);
    worker.connected();
    expect(worker.sent(), 'the same instance has the same epoch').toEqual([['', 'MDPW01', '\x01', 'echo', ...frames]]);
  });

  it('R15: a superseded worker ends for good: its handlers are told, what they answer is not sent, and it does not come back', () => {
    const worker = WorkerDriver.registered({ epoch: 100 });
    const held = worker.request();
    worker.receive(...SUPERSEDED);
    expect([worker.did(), worker.aborted, worker.superseded]).toEqual([['close', 'stopped'], ['lost token'], true]);
    worker.reply(held, 'too late');
    worker.start();
    worker.connected();
    worker.receive('', 'MDPW01', '\x02', 't', '', 'do', '{}');
    worker.stop();
    worker.advance(60_000);
    expect([worker.sent(), worker.did(), worker.delivered.length, worker.machine.deadlineMs]).toEqual([[], [], 1, Infinity]);
  });

  it('R15: … also one without an epoch, and one that is leaving', () => {
    const plain = WorkerDriver.registered({ capacity: undefined });
    plain.receive(...SUPERSEDED);
    expect([plain.did(), plain.superseded]).toEqual([['close', 'stopped'], true]);
    const leaving = WorkerDriver.registered({ epoch: 100 });
    leaving.request();
    leaving.stop();
    leaving.receive(...SUPERSEDED);
    expect(leaving.did()).toEqual(['close', 'stopped']);
    expect(leaving.aborted).toEqual(['stopping token', 'lost token']);
  });

  it('R15: an end that was asked for is no such thing', () => {
    const worker = WorkerDriver.registered({ epoch: 100 });
    worker.stop();
    worker.receive(...DISCONNECT);
    expect([worker.did(), worker.superseded]).toEqual([['close', 'stopped'], false]);
  });

  it('W2: after a pause of the process it says so until all that had arrived was read', () => {
    const worker = WorkerDriver.registered();
    worker.advance(900, true);
    expect(worker.machine.isCatchingUp).toBe(false);
    worker.nowMs += 60_000;
    worker.request();
    expect(worker.machine.isCatchingUp).toBe(true);
    worker.tick();
    expect(worker.machine.isCatchingUp).toBe(false);
  });

  it('W2, W4: a leaving worker catches up at once', () => {
    const worker = WorkerDriver.registered();
    worker.stop();
    worker.nowMs += 60_000;
    worker.request();
    expect(worker.machine.deadlineMs).toBeLessThanOrEqual(worker.nowMs);
  });
});

describe('whatever happens', () => {
  const message = fc.oneof(
    fc.constantFrom<Part[]>(HEARTBEAT, DISCONNECT, ['MDPW01', '\x05'], [...DISCONNECT, 'superseded'], ['', 'MDPW01', '\x02', 'a', '', 'do'], ['', 'MDPW01', '\x02', 'b', 'c', '', 'do'], ['', 'MDPW01', '\x06', 'a', '']),
    fc.array(fc.oneof(fc.constantFrom('', 'MDPW01', '\x02', '\x06'), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 6 }),
  );
  const event = fc.oneof(
    fc.record({ receive: message }), fc.record({ wait: fc.nat(8000) }), fc.record({ reply: fc.nat(3) }),
    fc.constantFrom('start', 'connected', 'connected', 'connected', 'disconnected', 'stop', 'tick'),
  );

  it('it opens and closes its socket in turn, sends only while it is open, and answers what it holds once', () => {
    fc.assert(fc.property(fc.array(event, { maxLength: 50 }), (events) => {
      const worker = new WorkerDriver({}, () => 0.5);
      worker.start();
      const answered = new Set<HeldRequest>();
      for (const each of events) {
        worker.sent();
        if (typeof each === 'string') worker[each]();
        else if ('wait' in each) worker.advance(each.wait);
        else if ('receive' in each) worker.receive(...each.receive);
        else {
          const request = worker.delivered.at(-1 - each.reply);
          if (request === undefined) continue;
          worker.reply(request, 'ok');
          const replies = worker.sent().filter(([, , command]) => command === '\x03');
          expect(replies.length).toBeLessThanOrEqual(answered.has(request) ? 0 : 1);
          if (replies.length > 0) answered.add(request);
        }
      }
      worker.stop();
      worker.advance(10_000);
      expect([worker.machine.state, worker.machine.heldRequests, worker.isOpen]).toEqual(['stopped', 0, false]);
    }), { numRuns: 500 });
  });
});
