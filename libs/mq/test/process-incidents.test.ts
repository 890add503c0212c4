// The incidents in which a process dies or stands still, with real processes and real signals.
import { setTimeout as timePasses } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { Broker, Client, Handlers, Worker } from '../src/index.ts';
import { endOf, offered, statusOf } from './calls.ts';
import { startBroker, startWorkerProcess } from './child.ts';
import { askTimed, manage, ready, reply, takeRequest } from './conformance/raw-bus.ts';
import { heartbeat, patience } from './conformance/wire.ts';
import { zeromqWire } from './conformance/zeromq-wire.ts';
import { bellRing, echoGet } from './contracts.ts';
import { DomogikWorker } from './domogik-peer.ts';

const anyEndpoint = 'tcp://127.0.0.1:*';
const echo = new Handlers().on(echoGet, ({ text }) => ({ text })).on(bellRing, ({ times }) => ({ rung: times }));

describe('a suspended broker', { concurrent: true }, () => {
  it('R9: raw peers lose nothing in 6 s, no worker is thrown out, and what was read then counts from the gap’s start', async () => {
    await using broker = await startBroker();
    using worker = zeromqWire.connect(broker.endpoint);
    using idle = zeromqWire.connect(broker.endpoint);
    using client = zeromqWire.connect(broker.endpoint);
    await ready(worker, 'echo').expectNothing();
    await ready(idle, 'idle').expectNothing();
    askTimed(client, 'held', 'echo', '30', 'act', 'held');
    const { token } = await takeRequest(worker);
    await broker.child.suspend();
    askTimed(client, 'short', 'echo', '3', 'act', 'short');
    askTimed(client, 'long', 'echo', '30', 'act', 'long');
    reply(worker, token, 'the held one');
    await timePasses(5500);
    // By its own count it has 4.5 s left then; but it was read after the gap.
    askTimed(client, 'late', 'echo', '5', 'act', 'late');
    await timePasses(500);
    broker.child.resume();
    const answers = [await client.receive(), await client.receive(), await client.receive()];
    const byId = Object.fromEntries(answers.map(([id, ...rest]) => [id, rest.slice(3).join(' ')]));
    expect(byId).toEqual({
      held: 'the held one',
      short: expect.stringContaining('DEADLINE_EXCEEDED') as string,
      late: expect.stringContaining('DEADLINE_EXCEEDED') as string,
    });
    const long = await takeRequest(worker);
    expect(long.body).toEqual(['act', 'long']);
    reply(worker, long.token, 'the long one');
    expect((await client.receive())[0]).toBe('long');
    await idle.expectNothing();
    expect(await manage(client, 'mmi.services')).toBe('echo, idle');
    // The gap is over for what comes now: reading goes first for a second at the most.
    await timePasses(1100);
    worker.send(...heartbeat);
    askTimed(client, 'fresh', 'echo', '2', 'act', 'fresh');
    reply(worker, (await takeRequest(worker)).token, 'r');
    expect((await client.receive())[0]).toBe('fresh');
  });

  it('R9: without any worker, too, the gap is over when what arrived in it was read', async () => {
    await using broker = await startBroker();
    using client = zeromqWire.connect(broker.endpoint);
    using worker = zeromqWire.connect(broker.endpoint);
    await client.expectNothing();
    await worker.expectNothing();
    await broker.child.suspend();
    client.send('gap', '', 'MDPC01', 'mmi.none');
    await timePasses(3000);
    broker.child.resume();
    expect((await client.receive())[0]).toBe('gap');
    for (let i = 0; i < 12; i += 1) {
      await timePasses(100);
      await client.expectNothing();
    }
    askTimed(client, 'fresh', 'echo', '2', 'act', 'fresh');
    expect((await takeRequest(ready(worker, 'echo'))).body).toEqual(['act', 'fresh']);
  });

  it('R9, W1: in 4 s our workers and clients lose nothing, not even their connections', async () => {
    await using broker = await startBroker();
    await using worker = new Worker({ endpoint: broker.endpoint, service: 'echo', capacity: 8, handlers: echo }).start();
    await worker.registered();
    await using client = new Client({ endpoint: broker.endpoint });
    await offered(client, 'echo');
    await broker.child.suspend();
    const calls = Array.from({ length: 100 }, (_, i) => endOf(client.call(bellRing, { times: i + 1 })));
    await timePasses(4000);
    broker.child.resume();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['answered']));
    expect(await statusOf(client)).toMatchObject({ workers: 1, clients: 1, open: 0, services: [{ served: 100 }], dropped: { undeliverable: 0, workerUnknown: 0 } });
  });

  it('W1, C3, C4: in 6 s they give it up, as they must; every call ends, and what may be done twice is answered', async () => {
    await using broker = await startBroker();
    await using worker = new Worker({ endpoint: broker.endpoint, service: 'echo', capacity: 8, handlers: echo }).start();
    await worker.registered();
    await using client = new Client({ endpoint: broker.endpoint });
    await offered(client, 'echo');
    await broker.child.suspend();
    // With time enough: what is sent again just after the gap counts from its start, too.
    const twice = Array.from({ length: 50 }, (_, i) => endOf(client.call(echoGet, { text: String(i) }, { timeoutMs: 30_000 })));
    const once = Array.from({ length: 50 }, (_, i) => endOf(client.call(bellRing, { times: i + 1 })));
    await timePasses(6000);
    broker.child.resume();
    expect(new Set(await Promise.all(twice))).toEqual(new Set(['answered']));
    for (const end of new Set(await Promise.all(once))) expect(end).toBeOneOf(['answered', 'BROKER_LOST']);
    await offered(client, 'echo');
    expect(await client.call(bellRing, { times: 1 })).toEqual({ rung: 1 });
    await vi.waitFor(async () => expect(await statusOf(client)).toMatchObject({ workers: 1, clients: 1, open: 0 }), patience);
  });
});

describe('a broker that is killed and started again', () => {
  it('C4, W1, R11: open calls end within 100 ms, and every worker is back, ours and Domogik-like ones', async () => {
    const endpoint = await zeromqWire.absentEndpoint();
    let broker = await startBroker(endpoint);
    const held = new Handlers().on(echoGet, ({ text }) => ({ text })).on(bellRing, () => new Promise(() => {}));
    const answer = async (): Promise<readonly [string, string]> => ['echo.result', '{"text": "domogik"}'];
    await using _one = new Worker({ endpoint, service: 'one', capacity: 8, handlers: held }).start();
    await using _two = new Worker({ endpoint, service: 'two', handlers: held }).start();
    await using _three = new DomogikWorker(endpoint, 'three', { 'echo.get': answer });
    await using _four = new DomogikWorker(endpoint, 'four', { 'echo.get': answer });
    await using client = new Client({ endpoint });
    const services = ['one', 'two', 'three', 'four'];
    const toldMs: number[] = [];
    for (let restart = 0; restart < 3; restart += 1) {
      for (const service of services) await offered(client, service);
      const open = ['one', 'two'].map((service) => endOf(client.call(bellRing, { times: 1 }, { service })));
      await vi.waitFor(async () => expect((await statusOf(client)).open).toBe(2), patience);
      const diedMs = timeOf(broker.child.kill());
      expect(await Promise.all(open)).toEqual(['BROKER_LOST', 'BROKER_LOST']);
      toldMs.push(performance.now() - (await diedMs));
      broker = await startBroker(endpoint);
      const backMs = performance.now();
      const texts = await Promise.all(services.map(async (service) => (await client.call(echoGet, { text: 'ours' }, { service })).text));
      expect(texts).toEqual(['ours', 'ours', 'domogik', 'domogik']);
      expect(performance.now() - backMs).toBeLessThan(5000);
    }
    expectWithin100Ms(toldMs);
    await broker.child.kill();
  });
});

describe('a worker process that is killed', () => {
  it('R10: whoever waits for it is told within 100 ms', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    await using client = new Client({ endpoint: broker.endpoint });
    const toldMs: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await using worker = await startWorkerProcess(broker.endpoint);
      await offered(client, 'echo');
      const calls = [1, 2, 3].map((times) => endOf(client.call(bellRing, { times })));
      for (const _ of calls) expect(await worker.line()).toBe('ringing');
      const diedMs = timeOf(worker.kill());
      expect(await Promise.all(calls)).toEqual(['WORKER_LOST', 'WORKER_LOST', 'WORKER_LOST']);
      toldMs.push(performance.now() - (await diedMs));
    }
    expectWithin100Ms(toldMs);
  });
});

/** When this process is told that another one has died: as late as everything else that it is told while the machine is busy. */
async function timeOf(death: Promise<void>): Promise<number> {
  await death;
  return performance.now();
}

/** Times since a death was seen. The fastest is the protocol's, the others may be those of a busy machine; a heartbeat would take a second. */
function expectWithin100Ms(timesMs: readonly number[]): void {
  expect(Math.min(...timesMs)).toBeLessThan(100);
  expect(Math.max(...timesMs)).toBeLessThan(950);
}
