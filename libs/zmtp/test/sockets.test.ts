// Our sockets over real connections: addresses, routing ids, limits, peers that do not read, and connections that come back.
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fork } from 'node:child_process';
import * as diagnostics from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { pingCommand, pongCommand, readyCommand } from '../src/command.ts';
import { commandFrame, encodeFrames, wireBytes, writeBody, writeHeader } from '../src/frame.ts';
import { greeting } from '../src/greeting.ts';
import { Dealer, EndpointError, type Router } from '../src/index.ts';
import { openDealer, openRouter } from './peers.ts';

const folder = mkdtempSync(join(tmpdir(), 'majordomus-zmtp-'));
afterAll(() => rmSync(folder, { recursive: true }));
const anyPort = 'tcp://127.0.0.1:*';

function portOf({ endpoint }: Router): number {
  return Number(/\d+$/.exec(endpoint)?.[0]);
}

/** A connection that has said the greeting and READY with a routing id, and says what it is given. */
async function rawPeer(router: Router, identity = ''): Promise<Socket> {
  const socket = connect({ port: portOf(router), host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const property = (name: string, value: string): string => `${String.fromCharCode(name.length)}${name}\0\0\0${String.fromCharCode(value.length)}${value}`;
  socket.write(Buffer.concat([greeting, commandFrame(Buffer.from(`\x05READY${property('Socket-Type', 'DEALER')}${property('Identity', identity)}`, 'latin1'))]));
  return socket;
}

function message(body: Buffer): Buffer {
  const bytes = Buffer.alloc(wireBytes(body.length));
  writeBody(bytes, writeHeader(bytes, 0, 0, body.length), body);
  return bytes;
}

describe('a ROUTER', () => {
  it('says where it listens, and that an address is taken or is none', async () => {
    await using router = await openRouter(anyPort);
    const { endpoint } = router.socket;
    expect(endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    await expect(openRouter(endpoint)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE', message: `${endpoint} is in use by another program` });
    await expect(openRouter('igor')).rejects.toThrow(EndpointError);
    await expect(openRouter('tcp://192.0.2.1:*')).rejects.toMatchObject({ code: 'ADDRESS_INVALID' });
    await router.socket.close();
    await router.socket.close();
    await using again = await openRouter(endpoint);
    expect(again.socket.endpoint).toBe(endpoint);
  });

  it('does not sleep between the messages of one who waits for each answer, and sleeps soon after the last', async () => {
    await using router = await openRouter(anyPort);
    using dealer = await openDealer(router.socket.endpoint);
    const turns = (): number => performance.nodeTiming.uvMetricsInfo.loopCount;
    const turnsIn = async (ms: number): Promise<number> => {
      const before = turns();
      await delay(ms);
      return turns() - before;
    };
    const exchange = async (): Promise<void> => {
      dealer.socket.send([Buffer.from('asked')]);
      const { peer, frames } = await router.inbox.take();
      router.socket.forward(peer, encodeFrames(frames), []);
      await dealer.inbox.take();
    };
    // Where the processor is taken from this process meanwhile, it turns less.
    await expect.poll(async () => {
      for (let i = 0; i < 5; i += 1) await exchange();
      return turnsIn(5);
    }).toBeGreaterThan(25);
    // Who polls has some ten thousand turns in that time.
    expect(await turnsIn(100)).toBeLessThan(1000);
  });

  it('takes the path of one that was killed, and none that is in use', async () => {
    const endpoint = `ipc://${join(folder, 'stale')}`;
    const killed = fork(new URL('./listen.ts', import.meta.url), [join(folder, 'stale')], { execArgv: [] });
    await once(killed, 'message');
    await expect(openRouter(endpoint)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(existsSync(join(folder, 'stale'))).toBe(true);
    await using router = await openRouter(endpoint);
    using dealer = await openDealer(endpoint);
    dealer.socket.send([Buffer.from('x')]);
    expect((await router.inbox.take()).frames.map(String)).toEqual(['x']);
  });

  it('does not remove a file that is no socket', async () => {
    writeFileSync(join(folder, 'file'), 'precious');
    await expect(openRouter(`ipc://${join(folder, 'file')}`)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    expect(existsSync(join(folder, 'file'))).toBe(true);
  });

  it('knows a peer by the routing id that it asks for, and closes a second one with the same', async () => {
    await using router = await openRouter(anyPort);
    const first = await rawPeer(router.socket, 'igor');
    first.write(message(Buffer.from('1')));
    expect((await router.inbox.take()).peer).toBe('igor');
    const second = await rawPeer(router.socket, 'igor');
    second.resume();
    await once(second, 'close');
    await expect.poll(() => router.ended).toEqual(['IDENTITY_TAKEN: another peer has this routing id']);
    first.write(message(Buffer.from('2')));
    expect((await router.inbox.take()).frames.map(String)).toEqual(['2']);
    first.destroy();
    await expect.poll(() => router.gone).toEqual(['igor']);
    const third = await rawPeer(router.socket, 'igor');
    third.write(message(Buffer.from('3')));
    expect((await router.inbox.take()).peer).toBe('igor');
    third.destroy();
  });

  it('gives an id of its own to one that asks for none, or for one of its kind', async () => {
    await using router = await openRouter(anyPort);
    const peers = await Promise.all(['', '', '\0abcd'].map((identity) => rawPeer(router.socket, identity)));
    for (const peer of peers) peer.write(message(Buffer.from('x')));
    const ids = await Promise.all(peers.map(async () => (await router.inbox.take()).peer));
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^\0[^]{4}$/);
    expect(ids).not.toContain('\0abcd');
    for (const peer of peers) peer.destroy();
  });

  it('ends a handshake that does not come to its end', async () => {
    await using router = await openRouter(anyPort, { handshakeMs: 100 });
    const socket = connect({ port: portOf(router.socket), host: '127.0.0.1' });
    socket.write('\xff', 'latin1');
    socket.resume();
    await once(socket, 'close');
    await expect.poll(() => router.ended).toEqual(['HANDSHAKE_TIMEOUT']);
    expect(router.gone).toEqual([]);
  });

  it('ends a peer that goes beyond a limit, and nobody else', async () => {
    await using router = await openRouter(anyPort, { limits: { maxFrameBytes: 1000, maxFrames: 10, maxMessageBytes: 2000 } });
    using dealer = await openDealer(router.socket.endpoint);
    const peer = await rawPeer(router.socket);
    peer.write(message(Buffer.alloc(1001)));
    peer.resume();
    await once(peer, 'close');
    await expect.poll(() => router.ended).toEqual(['TOO_LARGE']);
    dealer.socket.send([Buffer.alloc(1000)]);
    expect((await router.inbox.take()).frames[0]).toHaveLength(1000);
  });

  it('takes no more connections than it may, tells of each that it closed, and takes others when some have gone', async () => {
    await using router = await openRouter(anyPort, { maxConnections: 2 });
    const [first, second] = [await rawPeer(router.socket, '1'), await rawPeer(router.socket, '2')];
    for (let more = 0; more < 3; more += 1) {
      const third = connect({ port: portOf(router.socket), host: '127.0.0.1' }).resume();
      third.on('error', () => {});
      await once(third, 'close');
    }
    expect(router.full).toHaveLength(3);
    first.write(message(Buffer.from('1')));
    expect((await router.inbox.take()).peer).toBe('1');
    second.destroy();
    await expect.poll(() => router.gone).toEqual(['2']);
    const fourth = await rawPeer(router.socket, '4');
    fourth.write(message(Buffer.from('4')));
    expect((await router.inbox.take()).peer).toBe('4');
    for (const peer of [first, fourth]) peer.destroy();
  });

  it('an unfinished message costs no more than its limit', async () => {
    await using router = await openRouter(anyPort, { limits: { maxFrameBytes: 1 << 20, maxFrames: 100_000, maxMessageBytes: 1 << 22 } });
    const peer = await rawPeer(router.socket);
    const part = message(Buffer.alloc(1 << 20));
    part[0] = (part[0] as number) | 1;
    peer.resume();
    const closed = new Promise((resolve) => peer.once('close', resolve));
    for (let i = 0; i < 600 && !peer.destroyed; i += 1) {
      if (!peer.write(part)) await Promise.race([new Promise((resolve) => peer.once('drain', resolve)), closed]);
    }
    await closed;
    await expect.poll(() => router.ended).toEqual(['TOO_LARGE']);
  });

  it('ends the greediest when all together hold too much, and nobody else', async () => {
    await using router = await openRouter(anyPort, { maxHeldBytes: 10_000_000 });
    using dealer = await openDealer(router.socket.endpoint);
    const [large, small] = [message(Buffer.alloc(8_000_000)), message(Buffer.alloc(1_000_000))];
    const modest = await rawPeer(router.socket, 'modest');
    modest.write(small.subarray(0, 500_000));
    const greedy = await Promise.all(['1', '2', '3'].map((id) => rawPeer(router.socket, id)));
    for (const peer of greedy) peer.resume().write(large.subarray(0, 6_000_000));
    await expect.poll(() => router.ended.length, { timeout: 5000 }).toBe(2);
    expect(router.ended[0]).toMatch(/^TOO_LARGE: it held \d+ bytes, and all peers together more than 10000000$/);
    expect(router.gone).not.toContain('modest');
    modest.write(small.subarray(500_000));
    expect((await router.inbox.take()).peer).toBe('modest');
    dealer.socket.send([Buffer.from('x')]);
    expect((await router.inbox.take()).frames.map(String)).toEqual(['x']);
    for (const peer of [modest, ...greedy]) peer.destroy();
  });

  it('refuses what a peer does not read, at its limit of bytes or messages, and slows nobody else', async () => {
    await using router = await openRouter(anyPort, { outbox: { maxMessages: 1000, maxBytes: 1 << 20 } });
    const deaf = await rawPeer(router.socket, 'deaf');
    deaf.pause().write(message(Buffer.from('x')));
    await router.inbox.take();
    using dealer = await openDealer(router.socket.endpoint);
    dealer.socket.send([Buffer.from('hello')]);
    const { peer } = await router.inbox.take();

    const body = Buffer.alloc(100_000, 1);
    let sent = 0;
    while (router.socket.send('deaf', [body])) sent += 1;
    // What the kernel holds for both ends, and the limit.
    expect(sent * body.length).toBeLessThan(16 << 20);
    expect(router.socket.send('deaf', [Buffer.from('small')])).toBe(false);
    expect(router.socket.send(peer, [Buffer.from('others')])).toBe(true);
    expect((await dealer.inbox.take()).map(String)).toEqual(['others']);

    // It reads again: all that was taken arrives, and it is sent to again.
    let bytes = 0;
    deaf.on('data', (chunk: Buffer) => void (bytes += chunk.length)).resume();
    await expect.poll(() => bytes, { timeout: 5000 }).toBeGreaterThanOrEqual(sent * wireBytes(body.length));
    expect(router.socket.send('deaf', [Buffer.from('again')])).toBe(true);
    deaf.destroy();
  });

  it('answers no more PINGs of a peer that does not read than it would send it messages', async () => {
    await using router = await openRouter(anyPort, { outbox: { maxMessages: 100, maxBytes: 1 << 20 } });
    const deaf = await rawPeer(router.socket, 'deaf');
    deaf.pause();
    const ping = commandFrame(Buffer.concat([pingCommand(0), Buffer.alloc(16)]));
    const [rounds, pings] = [400, 1000];
    for (let round = 0; round < rounds; round += 1) {
      if (!deaf.write(Buffer.concat(Array.from({ length: pings }, () => ping)))) await once(deaf, 'drain');
    }
    deaf.write(message(Buffer.from('read all')));
    await router.inbox.take();
    expect(router.socket.send('deaf', [Buffer.from('x')])).toBe(false);
    let bytes = 0;
    deaf.on('data', (chunk: Buffer) => void (bytes += chunk.length)).resume();
    await expect.poll(() => router.socket.send('deaf', [Buffer.from('again')])).toBe(true);
    expect(bytes).toBeLessThan(rounds * pings * commandFrame(pongCommand(Buffer.alloc(16))).length);
    deaf.destroy();
  });

  it('takes as many messages in one turn as the limit, and more when the kernel takes them', async () => {
    await using router = await openRouter(anyPort, { outbox: { maxMessages: 10, maxBytes: 1 << 20 } });
    using dealer = await openDealer(router.socket.endpoint);
    dealer.socket.send([Buffer.from('hello')]);
    const { peer } = await router.inbox.take();
    for (let i = 0; i < 100; i += 1) expect(router.socket.send(peer, [Buffer.from(String(i))])).toBe(true);
    for (let i = 0; i < 100; i += 1) expect(String((await dealer.inbox.take())[0])).toBe(String(i));
  });
});

describe('a DEALER', () => {
  it('sends nothing while there is no connection, and comes back when somebody listens', async () => {
    const router = await openRouter(anyPort);
    const { endpoint } = router.socket;
    using dealer = await openDealer(endpoint, { reconnectMs: { first: 10, longest: 50 } });
    await router.socket.close();
    await expect.poll(() => dealer.told).toEqual(['connected', 'disconnected']);
    expect(dealer.socket.send([Buffer.from('lost')])).toBe(false);
    await using again = await openRouter(endpoint);
    await expect.poll(() => dealer.told).toEqual(['connected', 'disconnected', 'connected']);
    expect(dealer.socket.send([Buffer.from('found')])).toBe(true);
    expect((await again.inbox.take()).frames.map(String)).toEqual(['found']);
  });

  it('waits longer after each try, within its limit', async () => {
    const seenMs: number[] = [];
    // Somebody who hangs up at once.
    const server = createServer((socket) => {
      seenMs.push(performance.now());
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    using dealer = await openDealer(`tcp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, { reconnectMs: { first: 20, longest: 160 } }, false);
    await expect.poll(() => seenMs.length, { timeout: 5000 }).toBeGreaterThanOrEqual(6);
    const pauses = seenMs.slice(1).map((ms, i) => ms - (seenMs[i] as number));
    // Half of 20, 40, 80, 160, 160 at the least.
    for (const [i, least] of [10, 20, 40, 80, 80].entries()) expect(pauses[i]).toBeGreaterThanOrEqual(least - 2);
    expect(dealer.told).toEqual([]);
    server.close();
  });

  it('waits the first pause again after each connection that stood', async () => {
    // Somebody who completes the handshake, and hangs up.
    const server = createServer((socket) => {
      socket.on('error', () => {}).resume().end(Buffer.concat([greeting, commandFrame(readyCommand('ROUTER'))]));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    using dealer = await openDealer(`tcp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, { reconnectMs: { first: 20, longest: 60_000 } });
    // Pauses that grew would take ten times as long at the least.
    await expect.poll(() => dealer.told.filter((told) => told === 'connected').length, { timeout: 8000 }).toBeGreaterThanOrEqual(14);
    dealer.socket.close();
    server.close();
  });

  it('gives up a connection that does not come to stand in time, and tries another', async () => {
    // It listens and takes no connection: its thread waits for ever, and its queue is full.
    const deaf = new Worker(
      `const server = require('node:net').createServer();
       server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
         require('node:worker_threads').parentPort.postMessage(server.address().port);
         setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
       });`, { eval: true });
    const [port] = await once(deaf, 'message') as [number];
    const queued = Array.from({ length: 6 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => {}));
    await Promise.all(queued.slice(0, 2).map((socket) => once(socket, 'connect')));
    let tries = 0;
    const count = (): void => void (tries += 1);
    diagnostics.subscribe('net.client.socket', count);
    try {
      using dealer = await openDealer(`tcp://127.0.0.1:${port}`, { connectMs: 50, handshakeMs: 60_000, reconnectMs: { first: 10, longest: 10 } }, false);
      await expect.poll(() => tries, { timeout: 8000 }).toBeGreaterThanOrEqual(4);
      expect(dealer.told).toEqual([]);
    } finally {
      diagnostics.unsubscribe('net.client.socket', count);
      for (const socket of queued) socket.destroy();
      await deaf.terminate();
    }
  });

  it('gives up a peer that says nothing any more, and tells why', async () => {
    const server = createServer((socket) => void socket.write(Buffer.concat([greeting, commandFrame(Buffer.from('\x05READY\x0bSocket-Type\0\0\0\x06ROUTER', 'latin1'))]))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    using dealer = await openDealer(`tcp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, { heartbeat: { intervalMs: 20, timeoutMs: 60, ttlMs: 100 } });
    await expect.poll(() => dealer.told.slice(0, 3)).toEqual(['connected', 'SILENT', 'disconnected']);
    server.close();
  });

  it('does not wait for ever for a handshake', async () => {
    // It takes connections, and says nothing.
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const endpoint = `tcp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    using dealer = await openDealer(endpoint, { handshakeMs: 50, reconnectMs: { first: 10, longest: 10 } }, false);
    await expect.poll(() => dealer.told).toContain('HANDSHAKE_TIMEOUT');
    expect(dealer.told).not.toContain('connected');
    silent.close();
  });

  it('what was sent before its end still arrives', async () => {
    await using router = await openRouter(anyPort);
    const dealer = await openDealer(router.socket.endpoint);
    for (let i = 0; i < 100; i += 1) dealer.socket.send([Buffer.alloc(50_000, i)]);
    dealer.socket.close();
    dealer.socket.close();
    for (let i = 0; i < 100; i += 1) expect((await router.inbox.take()).frames[0]?.[0]).toBe(i);
    await expect.poll(() => router.gone).toHaveLength(1);
    expect(dealer.told).toEqual(['connected']);
  });

  it('what was sent while the kernel was full arrives too', async () => {
    await using router = await openRouter(anyPort);
    const dealer = await openDealer(router.socket.endpoint, { lingerMs: 10_000 });
    for (let i = 0; i < 100; i += 1) dealer.socket.send([Buffer.alloc(200_000, i)]);
    // The kernel holds what it can; these wait behind it.
    await new Promise((resolve) => { setImmediate(resolve); });
    for (let i = 100; i < 103; i += 1) expect(dealer.socket.send([Buffer.from([i])])).toBe(true);
    dealer.socket.close();
    for (let i = 0; i < 103; i += 1) expect((await router.inbox.take()).frames[0]?.[0]).toBe(i);
    await expect.poll(() => router.gone).toHaveLength(1);
  });

  it('is told the end of one that is silent and does not read, whatever waits for it', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket.pause());
      socket.write(Buffer.concat([greeting, commandFrame(readyCommand('ROUTER'))]));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    using dealer = await openDealer(`tcp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, { heartbeat: { intervalMs: 50, timeoutMs: 300, ttlMs: 300 }, reconnectMs: { first: 60_000, longest: 60_000 } });
    while (dealer.socket.send([Buffer.alloc(1_000_000)])) await new Promise((resolve) => { setImmediate(resolve); });
    await expect.poll(() => dealer.told, { timeout: 5000 }).toEqual(['connected', 'SILENT', 'disconnected']);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('one that never had a connection ends at once, and keeps no process', () => {
    const dealer = new Dealer('tcp://127.0.0.1:1', {
      limits: { maxFrameBytes: 1, maxFrames: 1, maxMessageBytes: 1 }, outbox: { maxMessages: 1, maxBytes: 1 },
      heartbeat: { intervalMs: 1000, timeoutMs: 1000, ttlMs: 1000 }, lingerMs: 60_000,
    }, { connected: () => {}, disconnected: () => {}, message: () => {} });
    expect(dealer.send([Buffer.alloc(1)])).toBe(false);
    dealer.close();
  });
});
