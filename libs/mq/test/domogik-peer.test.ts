// A Domogik-like worker and client on our bus, each with a counterpart of ours.
import { setTimeout as timePasses } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { Broker, Client, Handlers, Worker } from '../src/index.ts';
import { patience } from './conformance/wire.ts';
import { bellRing, echoGet } from './contracts.ts';
import { domogikRequest, DomogikWorker, type DomogikHandler } from './domogik-peer.ts';

const anyEndpoint = 'tcp://127.0.0.1:*';
const echo: DomogikHandler = async (data) => ['echo.result', `{"status": true, "reason": "", "text": ${JSON.stringify(data)}}`];

async function registered(broker: Broker, service: string, workers = 1): Promise<void> {
  await vi.waitFor(() => expect(broker.status().services).toContainEqual(expect.objectContaining({ name: service, workers })), patience);
}

describe('a Domogik-like worker', () => {
  it('answers our client, one request at a time', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    let running = 0;
    let most = 0;
    await using _ = new DomogikWorker(broker.endpoint, 'echo', {
      'echo.get': async (data) => {
        running += 1;
        most = Math.max(most, running);
        await timePasses(5);
        running -= 1;
        return echo(data);
      },
    });
    await using client = new Client({ endpoint: broker.endpoint });
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => client.call(echoGet, { text })));
    expect(answers.map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd'].map((text) => JSON.stringify({ text })));
    expect(most).toBe(1);
  });

  it('R9: is not thrown out while it is silent at work for longer than its liveness', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint, limits: { heartbeatMs: 100, livenessMs: 500 } });
    await using worker = new DomogikWorker(broker.endpoint, 'echo', {
      'echo.get': async (data) => {
        await timePasses(1500);
        return echo(data);
      },
    });
    await using client = new Client({ endpoint: broker.endpoint });
    expect(await client.call(echoGet, { text: 'slow' })).toEqual({ text: '{"text":"slow"}' });
    expect(worker.taken).toEqual(['echo.get']);
  });

  it('R8: that never answers an unknown action is served again after its next heartbeat', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    await using worker = new DomogikWorker(broker.endpoint, 'echo', { 'echo.get': echo });
    await registered(broker, 'echo');
    await using client = new Client({ endpoint: broker.endpoint });
    // What is to time out is connected first.
    await client.manage('mmi.services');
    await expect(client.request('echo', { action: 'no.such.action', data: {} }, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(await client.call(echoGet, { text: 'x' }, { timeoutMs: 8000 })).toEqual({ text: '{"text":"x"}' });
    expect(worker.taken).toEqual(['no.such.action', 'echo.get']);
  });

  it('R10: that stops without a word is gone at once', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    const worker = new DomogikWorker(broker.endpoint, 'echo', { 'echo.get': () => timePasses(300, undefined) });
    await registered(broker, 'echo');
    await using client = new Client({ endpoint: broker.endpoint });
    const call = client.call(bellRing, { times: 1 }, { service: 'echo' });
    await vi.waitFor(() => expect(worker.taken).toEqual(['bell.ring.do']), patience);
    await worker[Symbol.asyncDispose]();
    await expect(call).rejects.toMatchObject({ code: 'WORKER_LOST' });
  });

  it('W1, R11: is told by DISCONNECT that it is not known, and is back within 2 s', async () => {
    const first = await Broker.bind({ endpoint: anyEndpoint });
    await using _ = new DomogikWorker(first.endpoint, 'echo', { 'echo.get': echo });
    await registered(first, 'echo');
    await first.close();
    await using second = await vi.waitFor(() => Broker.bind({ endpoint: first.endpoint }), patience);
    const backMs = performance.now();
    await registered(second, 'echo');
    expect(performance.now() - backMs).toBeLessThan(3500);
  });
});

describe('a Domogik-like synchronous client', () => {
  it('is answered by our worker', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    await using worker = new Worker({ endpoint: broker.endpoint, service: 'echo', handlers: new Handlers().on(echoGet, ({ text }) => ({ text })) }).start();
    await worker.registered();
    const request = { service: 'echo', action: 'echo.get', data: '{"text": "caf\\u00e9"}', timeoutSeconds: 5 };
    expect(await domogikRequest(broker.endpoint, request)).toEqual(['MDPC01', 'echo', 'echo.result', '{"status":true,"reason":"","text":"café"}']);
  });

  it('is answered by a Domogik-like worker', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    await using _ = new DomogikWorker(broker.endpoint, 'echo', { 'echo.get': echo });
    const request = { service: 'echo', action: 'echo.get', data: '{"text": "x"}', timeoutSeconds: 5 };
    expect((await domogikRequest(broker.endpoint, request))?.slice(0, 3)).toEqual(['MDPC01', 'echo', 'echo.result']);
  });

  it('R7: is told within its own time that nobody offers the service', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint, limits: { discoveryGraceMs: 200 } });
    const answer = await domogikRequest(broker.endpoint, { service: 'nobody', action: 'x', timeoutSeconds: 5 });
    expect(answer?.slice(0, 3)).toEqual(['MDPC01', 'nobody', 'mq.error']);
    expect(JSON.parse(answer?.[3] ?? '')).toMatchObject({ status: false, code: 'SERVICE_UNKNOWN' });
  });

  it('R10: that closes at its own time-out leaves nothing behind', async () => {
    await using broker = await Broker.bind({ endpoint: anyEndpoint });
    expect(await domogikRequest(broker.endpoint, { service: 'nobody', action: 'x', timeoutSeconds: 0.2 })).toBeOneOf([undefined, expect.arrayContaining(['mq.error'])]);
    await vi.waitFor(() => expect(broker.status()).toMatchObject({ clients: 0, open: 0, heldBytes: 0, services: [] }), patience);
  });
});
