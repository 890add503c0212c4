// What only real sockets can show, and what the pumps between sockets and machines must not lose.
import { getEventListeners, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { Broker, Client, Handlers, memoryTransport, TransportError, Worker, zmtpTransport, type Transport } from '../src/index.ts';
import type { Answerer } from '../src/answer.ts';
import { framesOf, readAsMessage } from '../src/wire.ts';
import { ask, openBus, reply, takeRefusal, takeRequest } from './conformance/raw-bus.ts';
import { patience, toFrames, toText, type Text } from './conformance/wire.ts';
import { openRequest, zeromqWire } from './conformance/zeromq-wire.ts';
import { echoGet } from './contracts.ts';

const echo = new Handlers().on(echoGet, ({ text }) => ({ text }));

describe('REQ sockets', () => {
  it.each([
    { dialect: 'the plain dialect', timeout: [] },
    { dialect: 'the timed dialect', timeout: ['5.0'] },
  ])('R1, R2: a REQ client in $dialect is served as the wire page shows it', async ({ timeout }) => {
    await using bus = await openBus(zeromqWire);
    const worker = await bus.worker('test_rep');
    const client = openRequest(bus.broker.endpoint, patience.timeout);
    const data = Buffer.from('{"a_key": "v\\u00e9"}');
    await client.send(['MDPC01', 'test_rep', ...timeout, 'foo.this.do', data]);
    const { token, body } = await takeRequest(worker);
    expect(body).toEqual(['foo.this.do', '{"a_key": "v\\u00e9"}']);
    reply(worker, token, 'foo.this.result', '{"another_key": "another_value"}');
    expect(toText(await client.receive())).toEqual(['MDPC01', 'test_rep', 'foo.this.result', '{"another_key": "another_value"}']);
    client.close();
  });
});

describe('R13: beneath the protocol', () => {
  // The third of the noises could be the beginning of a greeting; libzmq does not tell why it ends a connection.
  it.each([
    { broker: 'libzmq', wire: zeromqWire, told: 0 },
    { broker: 'our own ZMTP', wire: { ...zeromqWire, transport: zmtpTransport }, told: 2 },
  ])('R13: what is not ZMTP ends that connection and nothing else, on $broker', async ({ wire, told }) => {
    await using bus = await openBus(wire);
    const [worker, client] = [await bus.worker('echo'), bus.peer()];
    const { port } = new URL(bus.broker.endpoint);
    const noises = [Buffer.from('GET / HTTP/1.1\r\nHost: majordomus\r\n\r\n'), Buffer.alloc(4096, 0xff), Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 9])];
    for (const noise of noises) {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
      const closed = new Promise((resolve) => { socket.once('close', resolve); });
      socket.resume().end(noise);
      await closed;
    }
    ask(client, 'echo', 'act');
    reply(worker, (await takeRequest(worker)).token, 'r');
    expect(await client.receive()).toEqual(['', 'MDPC01', 'echo', 'r']);
    expect(bus.broker.status().dropped.connection).toBe(told);
  });

  it('R13: a frame beyond the socket’s limit closes the connection of who sent it, and whoever waits is told', async () => {
    await using bus = await openBus(zeromqWire, { maxFrameBytes: 100_000, maxBodyBytes: 50_000 });
    const [worker, client, other] = [await bus.worker('echo'), bus.peer(), bus.peer()];
    ask(client, 'echo', 'act');
    reply(worker, (await takeRequest(worker)).token, 'x'.repeat(100_001));
    expect(await takeRefusal(client)).toMatchObject({ code: 'WORKER_LOST' });
    await other.expectNothing();
    await vi.waitFor(() => expect(bus.broker.status().workers).toBe(0), patience);
  });
});

describe('R13: how many frames a message has', () => {
  it.each([{ frames: 1024, passes: true }, { frames: 1025, passes: false }])('R13: one of $frames frames is taken: $passes', async ({ frames, passes }) => {
    await using bus = await openBus({ ...zeromqWire, transport: zmtpTransport });
    const client = bus.peer();
    client.send('', 'MDPC01', 'mmi.none', ...Array.from({ length: frames - 3 }, () => ''));
    if (passes) expect(await client.receive()).toEqual(['', 'MDPC01', 'mmi.none', '501']);
    else await vi.waitFor(() => expect(bus.broker.status().dropped.connection).toBe(1), patience);
  });

  it('R3, R13: what the broker takes, our worker takes, although the head has more frames there', async () => {
    await using bus = await openBus({ ...zeromqWire, transport: zmtpTransport });
    const handlers: Answerer = { answer: (body) => Promise.resolve([Buffer.from(`${body.length} frames`)]) };
    await using worker = new Worker({ endpoint: bus.broker.endpoint, transport: zmtpTransport, service: 'echo', handlers }).start();
    await worker.registered();
    const client = bus.peer();
    client.send('', 'MDPC01', 'echo', ...Array.from({ length: 1024 - 3 }, () => 'x'));
    expect(await client.receive()).toEqual(['', 'MDPC01', 'echo', '1021 frames']);
  });
});

describe('a broker that does not read', () => {
  const largeBytes = 32 * 1024 * 1024;
  /** More than one message that waits is too many. */
  const narrow: Transport = { ...zmtpTransport, connect: (endpoint, options, events) => zmtpTransport.connect(endpoint, { ...options, highWaterMark: 1 }, events) };

  it('C4: a call that finds no room ends at once as OVERLOADED, and says why', async () => {
    await using bus = await openBus({ ...zeromqWire, transport: zmtpTransport });
    await using client = new Client({ endpoint: bus.broker.endpoint, transport: narrow });
    await client.manage('mmi.none');
    const large = client.manage('mmi.none', 'x'.repeat(largeBytes)); // The kernel does not take all of it in this turn.
    const error: unknown = await client.manage('mmi.none').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'BusError', code: 'OVERLOADED', message: expect.stringContaining('more waits to be sent than the broker') as string });
    expect(await large).toBe('501');
    expect(await client.manage('mmi.none')).toBe('501');
  });

  it('W5: a reply that finds no room is dropped, and the log of the worker says so', async () => {
    await using bus = await openBus({ ...zeromqWire, transport: zmtpTransport }, { maxBodyBytes: 2 * largeBytes });
    const said: string[] = [];
    const ignore = (): void => {};
    const log = { debug: ignore, info: ignore, error: ignore, warn: (_fields: object, text: string) => said.push(text) };
    // Both are answered in one turn.
    const both = Promise.withResolvers<void>();
    let begun = 0;
    const handlers: Answerer = {
      async answer() {
        begun += 1;
        if (begun === 2) both.resolve();
        await both.promise;
        return [Buffer.alloc(largeBytes)];
      },
    };
    await using worker = new Worker({ endpoint: bus.broker.endpoint, transport: narrow, service: 'echo', handlers, capacity: 2, log }).start();
    await worker.registered();
    await using client = new Client({ endpoint: bus.broker.endpoint, transport: zmtpTransport });
    const calls = [client.manage('echo', 'first'), client.manage('echo', 'second')];
    const failures = Promise.allSettled(calls);
    expect(await Promise.race(calls)).toHaveLength(largeBytes);
    expect(said).toEqual([expect.stringContaining('a reply was not sent: more waits than the broker reads')]);
    await client.close();
    expect((await failures).filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });
});

describe('addresses', () => {
  it('an address in use, and one that is none, are told apart and say what to do', async () => {
    await using bus = await openBus(zeromqWire);
    const { endpoint } = bus.broker;
    await expect(Broker.bind({ endpoint })).rejects.toMatchObject({ name: 'TransportError', code: 'ADDRESS_IN_USE', message: expect.stringContaining(endpoint) as string });
    for (const wrong of ['tcp://no.such.interface:1', 'nonsense', 'tcp://127.0.0.1:99999']) {
      await expect(Broker.bind({ endpoint: wrong })).rejects.toMatchObject({ code: 'ADDRESS_INVALID', message: expect.stringContaining(wrong) as string });
    }
    await expect(Broker.bind({ endpoint })).rejects.toBeInstanceOf(TransportError);
  });

  it('R13: the broker tells why it ended a connection', async () => {
    const why: string[] = [];
    await using broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*', transport: zmtpTransport, onConnectionEnded: (reason) => void why.push(reason) });
    const socket = connect(Number(broker.endpoint.split(':').at(-1)), '127.0.0.1').on('error', () => {}).resume();
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await once(socket, 'close');
    await vi.waitFor(() => expect(why).toEqual(['NOT_ZMTP']), patience);
    expect(broker.status().dropped.connection).toBe(1);
  });

  it.each([{ name: 'libzmq', transport: zeromqWire.transport }, { name: 'our own ZMTP', transport: zmtpTransport }])('one that nothing can be at is refused by who would connect to it, on $name', ({ transport }) => {
    for (const endpoint of ['nonsense', 'tcp://127.0.0.1:*', 'tcp://127.0.0.1:0', 'tcp://*:1', 'tcp://127.0.0.1:99999', 'udp://127.0.0.1:1']) {
      const wrong = expect.objectContaining({ name: 'TransportError', code: 'ADDRESS_INVALID', message: expect.stringContaining(endpoint) as string }) as Error;
      expect(() => new Client({ endpoint, transport }), endpoint).toThrow(wrong);
      expect(() => new Worker({ endpoint, transport, service: 'echo', handlers: echo }).start(), endpoint).toThrow(wrong);
    }
  });

  it('a broker that has closed leaves its address to the next', async () => {
    const first = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    await first.close();
    await first.close();
    const second = await vi.waitFor(() => Broker.bind({ endpoint: first.endpoint }), patience);
    await second.close();
  });
});

describe('pumps', () => {
  it('the broker answers a message that comes before its bind has returned', async () => {
    const sent: Text[] = [];
    const transport: Transport = {
      ...memoryTransport(),
      bind(endpoint, _options, events) {
        readAsMessage(toFrames(['', 'MDPC01', 'mmi.service', 'echo']), (message) => events.message('peer', message));
        return Promise.resolve({ endpoint, send: (message) => sent.push(toText(framesOf(message))), close() {} });
      },
    };
    await using _ = await Broker.bind({ endpoint: 'memory:*', transport });
    expect(sent).toEqual([['', 'MDPC01', 'mmi.service', '404']]);
  });

  it('W1: a worker is not registered by a connection that closes before it is complete', async () => {
    const connections = new Set<Socket>();
    const server = createServer((socket) => {
      connections.add(socket);
      socket.on('error', () => {}).destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const endpoint = `tcp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const worker = new Worker({ endpoint, service: 'echo', handlers: echo }).start();
    let registered = false;
    const watched = (async () => {
      await worker.registered();
      registered = true;
    })();
    await vi.waitFor(() => expect(connections.size).toBeGreaterThanOrEqual(3), patience);
    expect(registered).toBe(false);
    server.close();
    await once(server, 'close');
    await using _ = await vi.waitFor(() => Broker.bind({ endpoint }), patience);
    await watched;
    expect(worker.isRegistered).toBe(true);
    await worker.stop();
  });

  it('W1: registered() waits for the next registration after a loss, and its signal ends the wait', async () => {
    const broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    await using worker = new Worker({ endpoint: broker.endpoint, service: 'echo', handlers: echo }).start();
    await worker.registered();
    await broker.close();
    await vi.waitFor(() => expect(worker.isRegistered).toBe(false), patience);
    const reason = new TypeError('no time');
    await expect(worker.registered({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const given = worker.registered({ signal: controller.signal });
    controller.abort(reason);
    await expect(given).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await using _ = await vi.waitFor(() => Broker.bind({ endpoint: broker.endpoint }), patience);
    await worker.registered({ signal: AbortSignal.timeout(patience.timeout) });
    expect(worker.isRegistered).toBe(true);
  });

  it('C2: a call leaves nothing on the signal it was given, however it ends', async () => {
    await using broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    await using worker = new Worker({ endpoint: broker.endpoint, service: 'echo', handlers: echo }).start();
    await worker.registered();
    await using client = new Client({ endpoint: broker.endpoint, share: 1 });
    const { signal } = new AbortController();
    const answered = client.call(echoGet, {}, { signal });
    await expect(client.call(echoGet, {}, { signal })).rejects.toMatchObject({ code: 'OVERLOADED' });
    await answered;
    await expect(client.request('nobody', { action: 'x', data: {} }, { signal, timeoutMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
