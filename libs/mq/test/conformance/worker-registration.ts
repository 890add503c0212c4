// Rule W1 on the wire: how our worker registers, stays registered, and comes back.
import { describe, expect, it } from 'vitest';
import { Worker } from '../../src/index.ts';
import { disconnect, heartbeat, type Wire } from './wire.ts';
import { echo, heldCalls, openHouse, request, startWorker, takeReady, takeReply } from './worker-house.ts';

export function workerRegistration(wire: Wire): void {
  describe('W1: registration', { concurrent: true }, () => {
    it.each([[undefined, []], [1, ['1']], [256, ['256']]])('W1, R14: READY with capacity %s', async (capacity, frames) => {
      await using house = await openHouse(wire, echo, capacity === undefined ? {} : { capacity });
      const { broker, worker } = house;
      await takeReady(broker, frames);
      await worker.registered();
      expect(worker.isRegistered).toBe(true);
    });

    it.each([{ shape: 'as RFC 7 has it', frames: disconnect }, { shape: 'without the empty frame', frames: disconnect.slice(1) }])('W1: DISCONNECT $shape: a new socket and READY', async ({ frames }) => {
      await using house = await openHouse(wire, echo);
      const { broker, worker } = house;
      const first = await takeReady(broker);
      const toldMs = performance.now();
      broker.send(first, ...frames);
      const second = await takeReady(broker);
      expect(second).not.toBe(first);
      expect(performance.now() - toldMs).toBeGreaterThan(48);
      expect(performance.now() - toldMs, 'it does not wait for the silence').toBeLessThan(3000);
      request(broker, second, ['e'], 'echo.get', '{"text":"back"}');
      expect(await takeReply(broker, ['e'])).toEqual({ action: 'echo.result', data: { status: true, reason: '', text: 'back' } });
      expect(worker.isRegistered).toBe(true);
    });

    it('W1: a broker that goes and comes is registered with again, and again', async () => {
      let broker = await wire.listen();
      await using _ = startWorker(wire, broker, echo);
      await takeReady(broker);
      for (let restart = 0; restart < 3; restart += 1) {
        const { endpoint } = broker;
        broker.close();
        broker = await wire.listen(endpoint);
        await takeReady(broker);
      }
      broker.close();
    });

    it('W1: a worker that is started before its broker registers when it comes', async () => {
      const endpoint = await wire.absentEndpoint();
      await using worker = new Worker({ endpoint, transport: wire.transport, service: 'echo', handlers: echo }).start();
      expect(worker.isRegistered).toBe(false);
      using broker = await wire.listen(endpoint);
      await takeReady(broker);
      await worker.registered();
    });

    it('W1, W2: it sends a HEARTBEAT each second, also while its handler runs', async () => {
      const { handlers, begun } = heldCalls();
      // Before it says READY: that may be seen here later than its clock begins.
      const startMs = performance.now();
      await using house = await openHouse(wire, handlers);
      const { broker } = house;
      const peer = await takeReady(broker);
      expect((await broker.receiveAny()).message).toEqual(heartbeat);
      expect(performance.now() - startMs).toBeGreaterThan(998);
      request(broker, peer, ['e'], 'bell.ring', '{"times":1}');
      const call = await begun.take('the call');
      expect((await broker.receiveAny()).message).toEqual(heartbeat);
      expect((await broker.receiveAny()).message).toEqual(heartbeat);
      call.finish();
      await takeReply(broker, ['e']);
    });

    it('W1: a broker that is silent for 5 s is given up; one that heartbeats, or whose request is held, is not', async () => {
      using broker = await wire.listen();
      const { handlers, begun } = heldCalls();
      const startMs = performance.now();
      await using _idle = startWorker(wire, broker, handlers);
      const idle = await takeReady(broker);
      await using _busy = startWorker(wire, broker, handlers);
      const busy = await takeReady(broker);
      await using _kept = startWorker(wire, broker, handlers);
      const kept = await takeReady(broker);
      request(broker, busy, ['e'], 'bell.ring', '{"times":1}');
      const call = await begun.take('the call');
      const timer = setInterval(() => broker.send(kept, ...heartbeat), 1000);
      const back = await takeReady(broker);
      clearInterval(timer);
      expect([idle, busy, kept]).not.toContain(back);
      expect(performance.now() - startMs).toBeGreaterThan(4998);
      // One that waited as long as the busy one does would need three times that.
      expect(performance.now() - startMs).toBeLessThan(9000);
      call.finish();
      await takeReply(broker, ['e']);
      request(broker, kept, ['k'], 'echo.get', '{}');
      await takeReply(broker, ['k']);
    });
  });
}
