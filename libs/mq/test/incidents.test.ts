// The incidents that the rules were made from, over real sockets; those in which a process dies or stands still are in
// process-incidents.test.ts.
import { setTimeout as timePasses } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { Broker, Client, Handlers, Worker } from '../src/index.ts';
import { endOf, offered, statusOf } from './calls.ts';
import { ask, askTimed, openBus, ready, reply, takeRefusal, takeRequest } from './conformance/raw-bus.ts';
import { patience } from './conformance/wire.ts';
import { DeafPeer, zeromqWire } from './conformance/zeromq-wire.ts';
import { bellRing, echoGet } from './contracts.ts';
import { domogikRequest, DomogikWorker } from './domogik-peer.ts';

const anyEndpoint = 'tcp://127.0.0.1:*';
const echo = new Handlers().on(echoGet, ({ text }) => ({ text })).on(bellRing, ({ times }) => ({ rung: times }));

describe('a client that gives up just before the deadline of a silent worker', () => {
  it('R8, R10: its successor is served, and gets its own answer', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    await using worker = new DomogikWorker(broker.endpoint, 'echo', {
      slow: async () => timePasses(700, ['echo.result', '{"status": true, "reason": "", "text": "of the one that gave up"}'] as const),
      'echo.get': async () => ['echo.result', '{"status": true, "reason": "", "text": "of its successor"}'],
    });
    await using client = new Client({ endpoint: broker.endpoint });
    await offered(client, 'echo');
    // Its own time-out begins before the broker's, so that it is always the first to give up.
    const given = domogikRequest(broker.endpoint, { service: 'echo', action: 'slow', timeoutSeconds: 0.5 });
    await vi.waitFor(() => expect(worker.taken).toEqual(['slow']), patience);
    const successor = client.call(echoGet, {}, { timeoutMs: 5000 });
    expect(await given).toBeUndefined();
    expect(await successor).toEqual({ text: 'of its successor' });
    expect(await statusOf(client)).toMatchObject({ open: 0, workers: 1 });
    expect(worker.taken).toEqual(['slow', 'echo.get']);
  });

  it('R8: a worker that never answers is there for the next one after its next heartbeat', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    await using _ = new DomogikWorker(broker.endpoint, 'echo', { 'echo.get': async () => ['echo.result', '{"text": "served"}'] });
    await using client = new Client({ endpoint: broker.endpoint });
    await offered(client, 'echo');
    for (let round = 0; round < 2; round += 1) {
      expect(await domogikRequest(broker.endpoint, { service: 'echo', action: 'unknown', timeoutSeconds: 0.2 })).toBeOneOf([undefined, expect.arrayContaining(['mq.error'])]);
      expect(await client.call(echoGet, {}, { timeoutMs: 5000 })).toEqual({ text: 'served' });
    }
  });
});

describe('a request that waited behind a blocked plain worker', () => {
  it('R6, R8: is told in time, and not delivered later', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    await using worker = new DomogikWorker(broker.endpoint, 'echo', {
      block: async () => timePasses(1200, ['x', '{}'] as const),
      'echo.get': async () => ['echo.result', '{"text": "afterwards"}'],
    });
    await using client = new Client({ endpoint: broker.endpoint });
    await offered(client, 'echo');
    const blocking = client.request('echo', { action: 'block', data: {} }, { timeoutMs: 5000 });
    await vi.waitFor(() => expect(worker.taken).toEqual(['block']), patience);
    const call = endOf(client.call(bellRing, { times: 1 }, { timeoutMs: 400 }));
    // By a timer of this process, which a busy machine makes as late as all others.
    const deadline = timePasses(400).then(() => performance.now());
    expect(await call).toBe('DEADLINE_EXCEEDED');
    expect(performance.now() - (await deadline)).toBeLessThan(300);
    await blocking;
    await client.call(echoGet, {}, { timeoutMs: 5000 });
    expect(worker.taken).toEqual(['block', 'echo.get']);
  });
});

describe('a call made while the broker is down', () => {
  it('C4: is NOT_CONNECTED at its deadline and never run after it, or answered when the broker comes in time', async () => {
    const endpoint = await zeromqWire.absentEndpoint();
    const rung: number[] = [];
    const handlers = new Handlers().on(bellRing, ({ times }) => {
      rung.push(times);
      return { rung: times };
    });
    await using _ = new Worker({ endpoint, service: 'echo', handlers }).start();
    await using client = new Client({ endpoint });
    const inTime = client.call(bellRing, { times: 2 }, { timeoutMs: 8000 });
    expect(await endOf(client.call(bellRing, { times: 1 }, { timeoutMs: 300 }))).toBe('NOT_CONNECTED');
    await using broker = await Broker.bind({ endpoint });
    expect(await inTime).toEqual({ rung: 2 });
    await client.call(bellRing, { times: 3 });
    expect(rung).toEqual([2, 3]);
    expect(broker.status().open).toBe(0);
  });
});

describe('a stopping worker that still replies', () => {
  it('W4, R16: every call is answered, also those that crossed its goodbye, while another takes over', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    const start = (): Worker => new Worker({
      endpoint: broker.endpoint,
      service: 'echo',
      capacity: 64,
      handlers: new Handlers().on(bellRing, async ({ times }) => timePasses(20, { rung: times })),
    }).start();
    let worker = start();
    await worker.registered();
    await using client = new Client({ endpoint: broker.endpoint });
    let next = 0;
    const ends: string[] = [];
    // Fifty callers, each with one call open all the time; ringing the bell is never tried again by itself.
    const callers = Array.from({ length: 50 }, async () => {
      while (next < 3000) {
        next += 1;
        ends.push(await endOf(client.call(bellRing, { times: next })));
      }
    });
    for (let round = 0; round < 4; round += 1) {
      const seen = ends.length;
      await vi.waitFor(() => expect(ends.length).toBeGreaterThan(seen + 300), patience);
      const successor = start();
      await successor.registered();
      await worker.stop();
      worker = successor;
    }
    await Promise.all(callers);
    expect(ends.length).toBeGreaterThanOrEqual(3000);
    expect(ends.filter((end) => end !== 'answered')).toEqual([]);
    await worker.stop();
  });

  it('W4: with nobody to take over, what it had is answered and what came after waits its grace', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint, limits: { discoveryGraceMs: 300 } });
    const mayEnd = Promise.withResolvers<void>();
    const handlers = new Handlers().on(bellRing, async ({ times }) => {
      await mayEnd.promise;
      return { rung: times };
    });
    const worker = new Worker({ endpoint: broker.endpoint, service: 'echo', capacity: 64, handlers }).start();
    await worker.registered();
    await using client = new Client({ endpoint: broker.endpoint });
    await offered(client, 'echo');
    const held = Array.from({ length: 40 }, (_, i) => endOf(client.call(bellRing, { times: i + 1 })));
    await vi.waitFor(() => expect(broker.status()).toMatchObject({ open: 40, services: [{ waiting: 0 }] }), patience);
    const stopped = worker.stop();
    mayEnd.resolve();
    expect(new Set(await Promise.all(held))).toEqual(new Set(['answered']));
    await stopped;
    expect(await endOf(client.call(bellRing, { times: 1 }))).toBe('SERVICE_UNKNOWN');
  });
});

describe('a slow reader with thousands of replies', () => {
  it('R13: its share bounds what it may ask, and others are served', async () => {
    await using bus = await openBus(zeromqWire, { maxOpenPerClient: 500 });
    const worker = await bus.worker('echo', '1000');
    const [greedy, modest] = [bus.peer(), bus.peer()];
    for (let i = 0; i < 3000; i += 1) askTimed(greedy, String(i), 'echo', '10', 'act', '{}');
    for (let i = 0; i < 2500; i += 1) expect(await takeRefusal(greedy)).toMatchObject({ code: 'OVERLOADED' });
    expect(bus.broker.status()).toMatchObject({ open: 500, refused: { OVERLOADED: 2500 } });
    ask(modest, 'echo', 'served');
    for (let i = 0; i < 500; i += 1) await takeRequest(worker);
    const { token, body } = await takeRequest(worker);
    expect(body).toEqual(['served']);
    reply(worker, token, 'r');
    expect(await modest.receive()).toEqual(['', 'MDPC01', 'echo', 'r']);
  });

  it('R13: what it does not read is bounded, counted, and in nobody’s way', async () => {
    await using bus = await openBus(zeromqWire, { maxOpenPerClient: 100, maxCapacity: 100 });
    await using worker = new Worker({ endpoint: bus.broker.endpoint, service: 'echo', capacity: 100, handlers: echo }).start();
    await worker.registered();
    await using client = new Client({ endpoint: bus.broker.endpoint });
    using deaf = new DeafPeer(bus.broker.endpoint);
    const data = JSON.stringify({ text: 'x'.repeat(10_000) });
    let asked = 0;
    const dropped = (): number => bus.broker.status().dropped.undeliverable;
    while (dropped() < 200) {
      for (let i = 0; i < 100; i += 1) deaf.send(String(i), '', 'MDPC01', 'echo', 'echo.get', data);
      asked += 100;
      await vi.waitFor(() => expect(bus.broker.status().services[0]?.served).toBeGreaterThanOrEqual(asked), { ...patience, interval: 1 });
      expect(asked, 'what a peer does not read is held without bound').toBeLessThan(20_000);
    }
    expect(await client.call(echoGet, { text: 'served' })).toEqual({ text: 'served' });
    // Nothing was lost in silence: all that was not counted arrives, once it is read.
    const arriving = asked - dropped();
    for (let i = 0; i < arriving; i += 1) expect((await deaf.receive())[4]).toBe('echo.result');
    deaf.send('probe', '', 'MDPC01', 'mmi.none');
    expect((await deaf.receive())[0]).toBe('probe');
    expect(bus.broker.status()).toMatchObject({ open: 0, refused: { OVERLOADED: 0 } });
  });
});

describe('a worker that does not read', () => {
  it('R7, R13: what could not be sent to it has not begun, and goes to another', async () => {
    await using bus = await openBus(zeromqWire, { maxOpenPerClient: 100, maxCapacity: 100 });
    using deaf = new DeafPeer(bus.broker.endpoint);
    deaf.send('', 'MDPW01', '\x01', 'echo', '100');
    const client = bus.peer();
    await vi.waitFor(() => expect(bus.broker.status().workers).toBe(1), patience);
    const data = 'x'.repeat(10_000);
    // Each deadline gives the slots back, and fills what lies between the broker and this worker a little more.
    while (bus.broker.status().dropped.undeliverable === 0) {
      for (let i = 0; i < 100; i += 1) askTimed(client, String(i), 'echo', '0.03', 'act', data);
      for (let i = 0; i < 100; i += 1) expect(await takeRefusal(client)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    }
    for (const id of ['1', '2', '3']) askTimed(client, id, 'echo', '10', 'act', id);
    await client.expectNothing();
    const reader = ready(bus.peer(), 'echo', '3');
    for (const id of ['1', '2', '3']) {
      const { token, body } = await takeRequest(reader);
      expect(body).toEqual(['act', id]);
      reply(reader, token, 'r');
      expect((await client.receive())[0]).toBe(id);
    }
    expect(bus.broker.status()).toMatchObject({ open: 0, heldBytes: 0 });
  });
});

describe('a call that is cancelled', () => {
  it('R17, W2: fires the signal of its handler, and its slot is free for the next', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    const begun = Promise.withResolvers<void>();
    const fired = Promise.withResolvers<unknown>();
    const handlers = new Handlers()
      .on(echoGet, ({ text }) => ({ text }))
      .on(bellRing, async (_, { signal }) => {
        signal.addEventListener('abort', () => fired.resolve(signal.reason), { once: true });
        begun.resolve();
        await fired.promise;
        throw signal.reason;
      });
    await using worker = new Worker({ endpoint: broker.endpoint, service: 'echo', capacity: 1, handlers }).start();
    await worker.registered();
    await using client = new Client({ endpoint: broker.endpoint });
    const controller = new AbortController();
    const cancelled = endOf(client.call(bellRing, { times: 1 }, { signal: controller.signal }));
    const next = client.call(echoGet, { text: 'next' });
    await begun.promise;
    controller.abort();
    expect(await cancelled).toBe('ABORTED');
    expect(await next).toEqual({ text: 'next' });
    expect(await fired.promise).toMatchObject({ code: 'ABORTED' });
    expect(await statusOf(client)).toMatchObject({ open: 0, dropped: { replyUnwanted: 1, replyNotOpen: 0 } });
  });
});
