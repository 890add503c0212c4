// Rule R15 on the wire: of two instances of a service the older one can do nothing any more.
import { describe, expect, it, vi } from 'vitest';
import { Client, Handlers, Worker } from '../../src/index.ts';
import { bellRing, echoGet } from '../contracts.ts';
import { ask, askTimed, manage, openBus, ready, reply, takeRefusal, takeRequest } from './raw-bus.ts';
import { disconnect, patience, superseded, type Wire } from './wire.ts';
import { echo, heldCalls, openHouse, request, takeReady } from './worker-house.ts';

export function epochs(wire: Wire): void {
  describe('R15: epochs at the broker', () => {
    it.each([
      { what: 'a lower one', older: ['4', '99'] }, { what: 'none', older: ['4'] }, { what: 'none, and no capacity', older: [] }, { what: 'one that is no number', older: ['4', 'x'] },
    ])('R15: the higher epoch takes the service from $what, and keeps it', async ({ older: [capacity, epoch] }) => {
      await using bus = await openBus(wire);
      const [old, client] = [await bus.worker('lamp', capacity, epoch), bus.peer()];
      const young = ready(bus.peer(), 'lamp', '4', '100');
      expect(await old.receive()).toEqual(superseded);
      const again = ready(bus.peer(), 'lamp', capacity, epoch);
      expect(await again.receive()).toEqual(superseded);
      expect(await manage(client, 'mmi.workers', 'lamp')).toBe('1');
      for (const name of ['1', '2', '3']) ask(client, 'lamp', name);
      for (const name of ['1', '2', '3']) expect((await takeRequest(young)).body).toEqual([name]);
      await old.expectNothing();
      await again.expectNothing();
    });

    it('R15: what the older instance holds is lost, given to nobody else, and its reply is dropped and counted', async () => {
      await using bus = await openBus(wire);
      const [old, client] = [await bus.worker('lamp', '4', '100'), bus.peer()];
      askTimed(client, 'a', 'lamp', '10', 'switch', '{}');
      const { token } = await takeRequest(old);
      const young = ready(bus.peer(), 'lamp', '4', '101');
      expect(await takeRefusal(client)).toEqual({ address: ['a'], service: 'lamp', code: 'WORKER_LOST' });
      expect(await old.receive()).toEqual(superseded);
      reply(old, token, 'switched');
      expect(await old.receive()).toEqual(disconnect);
      await client.expectNothing();
      await young.expectNothing();
      expect(bus.broker.status()).toMatchObject({ open: 0, dropped: { workerUnknown: 1, superseded: 1 } });
    });

    it('R15, R12: the highest epoch is remembered while the broker runs', async () => {
      await using bus = await openBus(wire);
      const [young, client] = [await bus.worker('lamp', '4', '101'), bus.peer()];
      expect(await manage(client, 'mmi.epoch', 'lamp')).toBe('101');
      expect(await manage(client, 'mmi.epoch', 'nobody')).toBe('404');
      young.close();
      await vi.waitFor(async () => expect(await manage(client, 'mmi.workers', 'lamp')).toBe('0'), patience);
      expect(await manage(client, 'mmi.epoch', 'lamp')).toBe('101');
      expect(await ready(bus.peer(), 'lamp', '4', '100').receive()).toEqual(superseded);
      await bus.worker('lamp', '4', '101');
      await bus.worker('lamp', '', '101');
      expect(await manage(client, 'mmi.workers', 'lamp')).toBe('2');
    });

    it('R11: a name with a comma is refused: the list of services could not tell it from two', async () => {
      await using bus = await openBus(wire);
      expect(await ready(bus.peer(), 'lamp, heating').receive()).toEqual(disconnect);
      expect(await manage(bus.peer(), 'mmi.services')).toBe('');
    });
  });

  describe('R15: epochs at our worker', () => {
    it.each([[4, '4'], [undefined, '']])('R15: READY with capacity %s and an epoch', async (capacity, frame) => {
      await using house = await openHouse(wire, echo, { epoch: 100, ...(capacity !== undefined && { capacity }) });
      await takeReady(house.broker, [frame, '100']);
    });

    it('R15: told that it is superseded it ends for good, its handlers are told, and nothing of theirs is sent', async () => {
      const { handlers, begun } = heldCalls();
      const told = Promise.withResolvers<void>();
      let presence = 0;
      await using house = await openHouse(wire, handlers, { capacity: 4, epoch: 100, onSuperseded: told.resolve, onPresence: () => { presence += 1; } });
      const { broker, worker } = house;
      const peer = await takeReady(broker, ['4', '100']);
      request(broker, peer, ['held'], 'bell.ring', '{"times":1}');
      const call = await begun.take('the call');
      broker.send(peer, ...superseded);
      await told.promise;
      expect([call.signal.aborted, worker.isRegistered, presence]).toEqual([true, false, 1]);
      await expect(worker.registered()).rejects.toMatchObject({ code: 'SUPERSEDED' });
      call.finish();
      await worker.stop();
      using other = wire.connect(broker.endpoint);
      other.send('the next that comes');
      expect((await broker.receive()).message).toEqual(['the next that comes']);
    });

    it('R15: one that comes too late ends likewise', async () => {
      await using bus = await openBus(wire);
      await bus.worker('echo', '4', '101');
      const told = Promise.withResolvers<void>();
      await using worker = new Worker({ endpoint: bus.broker.endpoint, transport: wire.transport, service: 'echo', handlers: echo, epoch: 100, onSuperseded: told.resolve }).start();
      await told.promise;
      expect(worker.isRegistered).toBe(false);
      expect(bus.broker.status()).toMatchObject({ workers: 1, dropped: { superseded: 1 } });
    });

    it('R15, W2: a request that is read together with `superseded` never begins', async () => {
      using broker = await wire.listen();
      const rung: number[] = [];
      const told = Promise.withResolvers<void>();
      const handlers = new Handlers().on(echoGet, ({ text }) => ({ text })).on(bellRing, ({ times }) => {
        rung.push(times);
        request(broker, peer, ['e2'], 'bell.ring', '{"times":2}');
        broker.send(peer, ...superseded);
        // This loop stands still while they arrive, so that they are read together.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
        return { rung: times };
      });
      await using _ = new Worker({ endpoint: broker.endpoint, transport: wire.transport, service: 'echo', handlers, capacity: 4, epoch: 100, onSuperseded: told.resolve }).start();
      const peer = await takeReady(broker, ['4', '100']);
      request(broker, peer, ['e1'], 'bell.ring', '{"times":1}');
      await told.promise;
      expect(rung).toEqual([1]);
    });

    it('R15, C3: of two workers the newer one serves, and an idempotent call that the older one held is done by it', async () => {
      await using bus = await openBus(wire);
      const served = { endpoint: bus.broker.endpoint, transport: wire.transport, service: 'echo', capacity: 4 };
      const told = Promise.withResolvers<void>();
      const stuck = new Handlers().on(echoGet, async () => { await told.promise; return { text: 'from the older' }; });
      await using old = new Worker({ ...served, handlers: stuck, epoch: 100, onSuperseded: told.resolve }).start();
      await old.registered();
      await using client = new Client({ endpoint: bus.broker.endpoint, transport: wire.transport });
      const asked = client.call(echoGet, { text: 'from the newer' });
      await vi.waitFor(() => expect(bus.broker.status()).toMatchObject({ open: 1, services: [{ workers: 1, waiting: 0 }] }), patience);
      await using young = new Worker({ ...served, handlers: echo, epoch: 101 }).start();
      await told.promise;
      await young.registered();
      expect(await asked).toMatchObject({ text: 'from the newer' });
      expect(bus.broker.status().services).toMatchObject([{ workers: 1 }]);
    });
  });
}
