// Real libzmq is the judge: each type of socket that ours speak to, over TCP and Unix sockets, in both directions.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket as NetSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dealer as ZmqDealer, Publisher, Reply, Request, Router as ZmqRouter, type Socket } from 'zeromq';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readyCommand } from '../src/command.ts';
import { commandFrame } from '../src/frame.ts';
import { greeting } from '../src/greeting.ts';
import { PeerMachine } from '../src/peer-machine.ts';
import { Inbox, limits, openDealer, openRouter } from './peers.ts';

const folder = mkdtempSync(join(tmpdir(), 'majordomus-zmtp-'));
afterAll(() => rmSync(folder, { recursive: true }));

let paths = 0;
const wires = { tcp: () => 'tcp://127.0.0.1:*', ipc: () => `ipc://${join(folder, `${(paths += 1)}`)}` } as const;

/** Bodies around each border of the encoding, and beyond what one read brings. */
const bodies = [0, 1, 31, 32, 254, 255, 256, 4095, 4096, 4097, 16_383, 16_384, 65_535, 65_536, 1_000_000].map((bytes) => Buffer.alloc(bytes, bytes % 251));
const messages: Buffer[][] = [...bodies.map((body) => [body]), [Buffer.alloc(0), Buffer.from('MDPC01'), Buffer.alloc(0)], bodies];

const equal = (a: readonly Buffer[], b: readonly Buffer[]): boolean => a.length === b.length && a.every((frame, i) => b[i]?.equals(frame));

/** Receives as many messages as are given, and finds them the same, in their order. */
async function expectAll(receive: () => Promise<Buffer[]>, expected: readonly Buffer[][]): Promise<void> {
  for (const [i, message] of expected.entries()) expect(equal(await receive(), message), `message ${i}`).toBe(true);
}

const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

/** A socket of libzmq that is closed when its test ends. */
function open<S extends Socket>(socket: S): S {
  opened.push(socket);
  return socket;
}

describe.each(Object.entries(wires))('over %s', (_name, endpoint) => {
  it('our ROUTER and a DEALER of libzmq exchange messages of all sizes, both ways', async () => {
    await using router = await openRouter(endpoint());
    const dealer = open(new ZmqDealer({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 }));
    dealer.connect(router.socket.endpoint);
    for (const message of messages) await dealer.send(message);
    await expectAll(async () => {
      const { peer, frames } = await router.inbox.take();
      expect(router.socket.send(peer, frames)).toBe(true);
      return frames;
    }, messages);
    await expectAll(() => dealer.receive(), messages);
  });

  it('our ROUTER answers a REQ of libzmq', async () => {
    await using router = await openRouter(endpoint());
    const request = open(new Request({ linger: 0 }));
    request.connect(router.socket.endpoint);
    for (const text of ['one', 'two']) {
      await request.send(text);
      const { peer, frames: [delimiter, body] } = await router.inbox.take();
      expect([delimiter?.length, String(body)]).toEqual([0, text]);
      router.socket.send(peer, [Buffer.alloc(0), Buffer.from(`${text}!`)]);
      expect(String((await request.receive())[0])).toBe(`${text}!`);
    }
  });

  it('our ROUTER and a ROUTER of libzmq find each other by the routing id that one asks for', async () => {
    await using router = await openRouter(endpoint());
    const theirs = open(new ZmqRouter({ linger: 0, routingId: 'theirs', mandatory: true }));
    theirs.connect(router.socket.endpoint);
    await expect.poll(() => router.socket.send('theirs', [Buffer.from('hello')])).toBe(true);
    const [ours, body] = await theirs.receive();
    expect(String(body)).toBe('hello');
    await theirs.send([ours as Buffer, 'back']);
    expect(await router.inbox.take()).toEqual({ peer: 'theirs', frames: [Buffer.from('back')] });
  });

  it('our DEALER and a ROUTER of libzmq exchange messages of all sizes, both ways', async () => {
    const theirs = open(new ZmqRouter({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 }));
    await theirs.bind(endpoint());
    using dealer = await openDealer(theirs.lastEndpoint as string);
    for (const message of messages) expect(dealer.socket.send(message)).toBe(true);
    let id: Buffer | undefined;
    await expectAll(async () => {
      const [peer, ...frames] = await theirs.receive();
      id = peer;
      return frames;
    }, messages);
    for (const message of messages) await theirs.send([id as Buffer, ...message]);
    await expectAll(() => dealer.inbox.take(), messages);
  });

  it('our DEALER asks a REP of libzmq', async () => {
    const theirs = open(new Reply({ linger: 0 }));
    await theirs.bind(endpoint());
    using dealer = await openDealer(theirs.lastEndpoint as string);
    dealer.socket.send([Buffer.alloc(0), Buffer.from('question')]);
    expect(String((await theirs.receive())[0])).toBe('question');
    await theirs.send('answer');
    expect((await dealer.inbox.take()).map(String)).toEqual(['', 'answer']);
  });

  it('our DEALER and a DEALER of libzmq exchange messages', async () => {
    const theirs = open(new ZmqDealer({ linger: 0 }));
    await theirs.bind(endpoint());
    using dealer = await openDealer(theirs.lastEndpoint as string);
    dealer.socket.send([Buffer.from('a'), Buffer.from('b')]);
    expect((await theirs.receive()).map(String)).toEqual(['a', 'b']);
    await theirs.send(['c']);
    expect((await dealer.inbox.take()).map(String)).toEqual(['c']);
  });

  it('our ROUTER and our DEALER exchange messages of all sizes, both ways', async () => {
    await using router = await openRouter(endpoint());
    using dealer = await openDealer(router.socket.endpoint);
    for (const message of messages) dealer.socket.send(message);
    await expectAll(async () => {
      const { peer, frames } = await router.inbox.take();
      router.socket.send(peer, frames);
      return frames;
    }, messages);
    await expectAll(() => dealer.inbox.take(), messages);
  });
});

describe('with libzmq', () => {
  it('its heartbeats are answered: an idle connection stands beyond its time-out', async () => {
    await using router = await openRouter('tcp://127.0.0.1:*');
    const dealer = open(new ZmqDealer({ linger: 0, heartbeatInterval: 50, heartbeatTimeout: 1000, heartbeatTimeToLive: 1000 }));
    let lost = 0;
    dealer.events.on('disconnect', () => void (lost += 1));
    await using line = await tappedLine(router.socket.endpoint);
    dealer.connect(line.endpoint);
    await dealer.send('first');
    const { peer } = await router.inbox.take();
    // More than its time-out takes: had they not been answered, the connection would be another by now.
    await expect.poll(() => line.count('PING'), { timeout: 15_000 }).toBeGreaterThan(30);
    await dealer.send('second');
    expect(await router.inbox.take()).toEqual({ peer, frames: [Buffer.from('second')] });
    expect([lost, router.gone]).toEqual([0, []]);
  });

  it('it answers our heartbeats', async () => {
    const theirs = open(new ZmqRouter({ linger: 0 }));
    await theirs.bind('tcp://127.0.0.1:*');
    await using line = await tappedLine(theirs.lastEndpoint as string);
    using dealer = await openDealer(line.endpoint, { heartbeat: { intervalMs: 50, timeoutMs: 1000, ttlMs: 1000 } });
    await expect.poll(() => line.count('PONG'), { timeout: 15_000 }).toBeGreaterThan(30);
    expect(dealer.told).toEqual(['connected']);
  });

  it('its end is told after its last message', async () => {
    await using router = await openRouter('tcp://127.0.0.1:*');
    const dealer = new ZmqDealer({ linger: 1000 });
    dealer.connect(router.socket.endpoint);
    for (let i = 0; i < 100; i += 1) await dealer.send(String(i));
    dealer.close();
    let peer = '';
    for (let i = 0; i < 100; i += 1) {
      const received = await router.inbox.take();
      peer = received.peer;
      expect(String(received.frames[0])).toBe(String(i));
      expect(i === 99 || router.gone.length === 0).toBe(true);
    }
    await expect.poll(() => router.gone).toEqual([peer]);
    expect(router.socket.send(peer, [Buffer.from('x')])).toBe(false);
  });

  it('a PUB of libzmq is told that it is the wrong socket', async () => {
    await using router = await openRouter('tcp://127.0.0.1:*');
    const publisher = open(new Publisher({ linger: 0 }));
    publisher.connect(router.socket.endpoint);
    await expect.poll(() => router.ended).toContain('SOCKET_TYPE_MISMATCH: ROUTER does not speak to PUB');
  });

  it('what it sends is read the same, wherever the stream is cut', async () => {
    const small = bodies.filter(({ length }) => length < 256);
    const said = [...small.map((body) => [body]), small, [Buffer.alloc(0), Buffer.from('MDPC01')], [Buffer.alloc(4097, 1)]];
    const stream = await recordDealer(said);
    const read = (chunks: readonly Buffer[]): Buffer[][] => {
      const seen: Buffer[][] = [];
      // Given to the machine itself: between two sockets the kernel would put the pieces together again.
      const machine = new PeerMachine({ type: 'ROUTER', limits, handshakeMs: 1000 }, {
        write: () => {},
        open: () => true,
        message: (message) => void seen.push(message.frames()),
        alive: () => {},
        end: (reason) => expect.fail(reason),
      }, 0);
      machine.start();
      for (const chunk of chunks) machine.receive(chunk, 0);
      return seen;
    };
    for (let place = 0; place <= stream.length; place += 1) {
      const seen = read([stream.subarray(0, place), stream.subarray(place)]);
      expect(seen.length === said.length && seen.every((frames, i) => equal(frames, said[i] ?? [])), `cut at ${place}`).toBe(true);
    }
    expect(read([...stream].map((byte) => Buffer.from([byte])))).toEqual(said);
  });
});

/** A line to an endpoint that counts the commands that pass. */
async function tappedLine(endpoint: string): Promise<{ readonly endpoint: string; count(command: string): number } & AsyncDisposable> {
  let passed = '';
  const sockets = new Set<NetSocket>();
  const server = createServer((near) => {
    const far = connect({ port: Number(/\d+$/.exec(endpoint)?.[0]), host: '127.0.0.1' });
    for (const [from, to] of [[near, far], [far, near]] as const) {
      sockets.add(from);
      from.on('error', () => {}).on('close', () => to.destroy()).on('data', (chunk: Buffer) => {
        passed += chunk.toString('latin1');
        to.write(chunk);
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: (command) => passed.split(command).length - 1,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** All bytes that a DEALER of libzmq writes to say these messages. */
async function recordDealer(said: readonly Buffer[][]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const all = new Inbox<void>();
  const wanted = said.flat().reduce((sum, frame) => sum + frame.length, 0);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(Buffer.concat([greeting, commandFrame(readyCommand('ROUTER'))]));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (chunks.reduce((sum, { length }) => sum + length, 0) >= 64 + wanted) all.put();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dealer = open(new ZmqDealer({ linger: 0, sendHighWaterMark: 0 }));
  dealer.connect(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (const message of said) await dealer.send(message);
  await all.take();
  // The bytes after the last body that was waited for are framing that came with it.
  await expect.poll(() => Buffer.concat(chunks).subarray(-(said.at(-1)?.[0]?.length ?? 0)).equals(said.at(-1)?.[0] ?? Buffer.alloc(0))).toBe(true);
  server.close();
  return Buffer.concat(chunks);
}
