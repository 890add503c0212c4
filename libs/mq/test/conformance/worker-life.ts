// Rules R9 to R11 on the wire: when the broker counts on a worker, and what it tells one that it does not know.
import { setTimeout as timePasses } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { ask, askTimed, manage, openBus, ready, reply, takeRefusal, takeRequest } from './raw-bus.ts';
import { disconnect, heartbeat, patience, type RawPeer, type Text, type Wire } from './wire.ts';

const quick = { heartbeatMs: 50, livenessMs: 250 } as const;

/** Sends HEARTBEAT as a living worker does, until it is disposed. */
function beating(worker: RawPeer, intervalMs = 50): Disposable {
  const timer = setInterval(() => worker.send(...heartbeat), intervalMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

export function workerLife(wire: Wire): void {
  describe('R9: silence', { concurrent: true }, () => {
    it('R9: an idle worker that is silent for its liveness is gone; one that speaks stays', async () => {
      await using bus = await openBus(wire, quick);
      // From before it is said: when it is heard, and when that is seen here, are other moments on a busy machine.
      const saidMs = performance.now();
      const [silent, alive, client] = [ready(bus.peer(), 'silent'), ready(bus.peer(), 'alive'), bus.peer()];
      using _ = beating(alive);
      await client.expectNothing();
      await vi.waitFor(async () => expect(await manage(client, 'mmi.workers', 'silent')).toBe('0'), patience);
      expect(performance.now() - saidMs).toBeGreaterThanOrEqual(quick.livenessMs - 2);
      expect(await manage(client, 'mmi.workers', 'alive')).toBe('1');
      silent.send(...heartbeat);
      expect(await silent.receive()).toEqual(disconnect);
    });

    it('R9: any message proves a worker alive, also a reply that nobody waits for', async () => {
      await using bus = await openBus(wire, quick);
      const [silent, alive, client] = [ready(bus.peer(), 'silent'), ready(bus.peer(), 'alive'), bus.peer()];
      const timer = setInterval(() => reply(alive, 'no token', 'x'), 50);
      await vi.waitFor(async () => expect(await manage(client, 'mmi.workers', 'silent')).toBe('0'), patience);
      expect(await manage(client, 'mmi.workers', 'alive')).toBe('1');
      clearInterval(timer);
      silent.close();
    });

    it('R9: the broker sends heartbeats to an idle and to a busy worker', async () => {
      await using bus = await openBus(wire, { heartbeatMs: 50 });
      const worker = ready(bus.peer(), 'echo');
      expect(await worker.receiveAny()).toEqual(heartbeat);
      expect(await worker.receiveAny()).toEqual(heartbeat);
      ask(bus.peer(), 'echo', 'act');
      await takeRequest(worker);
      expect(await worker.receiveAny()).toEqual(heartbeat);
      expect(await worker.receiveAny()).toEqual(heartbeat);
    });

    it('R9: a silent worker with capacity gets nothing more, and is gone after three times its liveness', async () => {
      await using bus = await openBus(wire, { ...quick, discoveryGraceMs: 10_000 });
      const sentMs = performance.now();
      const [worker, client] = [ready(bus.peer(), 'echo', '2'), bus.peer()];
      askTimed(client, 'held', 'echo', '10', 'act', '{}');
      await takeRequest(worker);
      // One that registers later and holds nothing is gone: so much attentive time has passed for both.
      expect(await worker.receiveAny()).toEqual(heartbeat);
      expect(await worker.receiveAny()).toEqual(heartbeat);
      await bus.worker('later');
      await vi.waitFor(async () => expect(await manage(client, 'mmi.workers', 'later')).toBe('0'), patience);
      askTimed(client, 'next', 'echo', '10', 'act', '{}');
      await client.expectNothing();
      expect(bus.broker.status().services).toEqual([{ name: 'echo', workers: 1, waiting: 1, served: 0 }]);
      expect(await takeRefusal(client)).toMatchObject({ address: ['held'], code: 'WORKER_LOST' });
      expect(performance.now() - sentMs).toBeGreaterThanOrEqual(740);
      await worker.expectNothing();
    });

    it('R9: a plain worker may be silent while it holds a request, until its deadline', async () => {
      await using bus = await openBus(wire, quick);
      const [worker, client] = [ready(bus.peer(), 'echo'), bus.peer()];
      ask(client, 'echo', 'act');
      const { token } = await takeRequest(worker);
      ready(bus.peer(), 'other');
      await client.expectNothing();
      await vi.waitFor(async () => expect(await manage(client, 'mmi.workers', 'other')).toBe('0'), patience);
      await timePasses(3 * quick.livenessMs);
      reply(worker, token, 'r');
      expect(await client.receive()).toEqual(['', 'MDPC01', 'echo', 'r']);
    });
  });

  describe('R10: closed connections', () => {
    it.each([
      { how: 'closes', leave: (worker: RawPeer) => worker.close() },
      { how: 'sends one empty frame', leave: (worker: RawPeer) => worker.send('') },
    ])('R10: a worker that $how is gone at once, and whoever waits for it is told', async ({ leave }) => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '8'), bus.peer()];
      for (const id of ['1', '2', '3']) askTimed(client, id, 'echo', '10', 'act', '{}');
      await takeRequest(worker);
      await takeRequest(worker);
      await takeRequest(worker);
      const goneMs = performance.now();
      leave(worker);
      for (const id of ['1', '2', '3']) expect(await takeRefusal(client)).toMatchObject({ address: [id], code: 'WORKER_LOST' });
      // By its silence it would be found after five seconds.
      expect(performance.now() - goneMs).toBeLessThan(3000);
      expect(await manage(client, 'mmi.workers', 'echo')).toBe('0');
    });

    it('R10: what a worker said last is read before it is gone', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '50'), bus.peer()];
      for (let i = 0; i < 50; i += 1) askTimed(client, `${i}`, 'echo', '10', 'act', '{}');
      for (let i = 0; i < 50; i += 1) reply(worker, (await takeRequest(worker)).token, 'r');
      worker.close();
      for (let i = 0; i < 50; i += 1) expect(await client.receive()).toEqual([`${i}`, '', 'MDPC01', 'echo', 'r']);
    });

    it.each([
      { how: 'closes', leave: (client: RawPeer) => client.close() },
      { how: 'sends one empty frame', leave: (client: RawPeer) => client.send('') },
    ])('R10: the waiting requests of a client that $how are dropped; of the one that a worker holds only the answer is', async ({ leave }) => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo'), bus.peer()];
      for (const name of ['held', 'waits', 'waits too']) ask(client, 'echo', name);
      const { token } = await takeRequest(worker);
      leave(client);
      await vi.waitFor(() => expect(bus.broker.status()).toMatchObject({ clients: 0, open: 1, heldBytes: 0 }), patience);
      reply(worker, token, 'r');
      await worker.expectNothing();
      expect(bus.broker.status()).toMatchObject({ open: 0, dropped: { replyUnwanted: 1, undeliverable: 0 } });
      ask(bus.peer(), 'echo', 'another client');
      expect((await takeRequest(worker)).body).toEqual(['another client']);
    });
  });

  describe('R11: DISCONNECT', () => {
    const cases: readonly { readonly what: string; readonly message: Text; readonly counted?: number }[] = [
      { what: 'a REPLY', message: ['', 'MDPW01', '\x03', 'token', '', 'r'] },
      { what: 'a HEARTBEAT', message: heartbeat, counted: 0 },
      { what: 'a READY without a name', message: ['', 'MDPW01', '\x01'] },
      { what: 'a READY for an empty name', message: ['', 'MDPW01', '\x01', ''] },
      { what: 'a READY for 256 bytes', message: ['', 'MDPW01', '\x01', 's'.repeat(256)] },
      { what: 'a READY for a reserved name', message: ['', 'MDPW01', '\x01', 'mmi.service'] },
      { what: 'a REQUEST', message: ['', 'MDPW01', '\x02', 'token', '', 'act'] },
      { what: 'a CANCEL', message: ['', 'MDPW01', '\x06', 'token', ''] },
      { what: 'command 0', message: ['', 'MDPW01', '\0'] },
      { what: 'command 255', message: ['', 'MDPW01', '\xff'] },
      { what: 'an empty command', message: ['', 'MDPW01', ''] },
      { what: 'a command of two bytes', message: ['', 'MDPW01', '\x04\x04'] },
    ];
    it.each(cases)('R11: $what from a stranger is answered with DISCONNECT in three frames', async ({ message, counted = 1 }) => {
      await using bus = await openBus(wire);
      const peer = bus.peer();
      peer.send(...message);
      expect(await peer.receive()).toEqual(['', 'MDPW01', '\x05']);
      await peer.expectNothing();
      expect(bus.broker.status()).toMatchObject({ workers: 0, services: [] });
      const { workerUnknown, workerInvalid } = bus.broker.status().dropped;
      expect(workerUnknown + workerInvalid).toBe(counted);
    });

    it.each([
      { what: 'a second READY', message: ['', 'MDPW01', '\x01', 'echo'] },
      { what: 'an unknown command', message: ['', 'MDPW01', '\x09'] },
      { what: 'a REPLY without an envelope', message: ['', 'MDPW01', '\x03'] },
    ])('R11: $what of a registered worker ends its registration', async ({ message }) => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '4'), bus.peer()];
      ask(client, 'echo', 'act');
      await takeRequest(worker);
      worker.send(...message);
      expect(await worker.receive()).toEqual(disconnect);
      expect(await takeRefusal(client)).toMatchObject({ code: 'WORKER_LOST' });
      expect(await manage(client, 'mmi.workers', 'echo')).toBe('0');
      ready(worker, 'echo');
      ask(client, 'echo', 'again');
      expect((await takeRequest(worker)).body).toEqual(['again']);
    });

    it('R11: DISCONNECT from a stranger is ignored', async () => {
      await using bus = await openBus(wire);
      const peer = bus.peer();
      peer.send(...disconnect);
      await peer.expectNothing();
    });

    it('R11: after a restart of the broker a worker that goes on is told to register again', async () => {
      await using bus = await openBus(wire);
      await using next = await openBus(wire);
      const [old, client] = [await bus.worker('echo'), bus.peer()];
      ask(client, 'echo', 'act');
      const { token } = await takeRequest(old);
      const stranger = next.peer();
      reply(stranger, token, 'r');
      expect(await stranger.receive()).toEqual(disconnect);
    });
  });
}
