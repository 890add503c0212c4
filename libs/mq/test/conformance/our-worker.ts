// Rules W2 to W5 on the wire: our worker before a raw ROUTER that plays the broker.
import { describe, expect, it } from 'vitest';
import { refuse } from '@majordomus/contracts';
import { Handlers, Worker } from '../../src/index.ts';
import { bellRing, echoGet } from '../contracts.ts';
import { disconnect, heartbeat, type Wire } from './wire.ts';
import { echo, heldCalls, openHouse, request, startWorker, takeReady, takeReply } from './worker-house.ts';

export function ourWorker(wire: Wire): void {
  describe('W2: cancelled requests', () => {
    it('W2, R17: CANCEL fires the handler’s signal, and that of no other', async () => {
      const { handlers, begun } = heldCalls();
      await using house = await openHouse(wire, handlers, { capacity: 4 });
      const { broker } = house;
      const peer = await takeReady(broker, ['4']);
      for (const times of [1, 2]) request(broker, peer, [`e${times}`], 'bell.ring', `{"times":${times}}`);
      const [one, two] = [await begun.take('call 1'), await begun.take('call 2')];
      const fired = new Promise((resolve) => { one.signal.addEventListener('abort', resolve, { once: true }); });
      broker.send(peer, '', 'MDPW01', '\x06', 'e1', '');
      await fired;
      expect(two.signal.aborted).toBe(false);
      two.finish();
      expect(await takeReply(broker, ['e2'])).toMatchObject({ data: { rung: 2 } });
      one.finish();
      await takeReply(broker, ['e1']);
    });

    it('W2: a request whose CANCEL was read with it never begins', async () => {
      using broker = await wire.listen();
      const rung: number[] = [];
      const handlers = new Handlers().on(echoGet, ({ text }) => ({ text })).on(bellRing, ({ times }) => {
        rung.push(times);
        if (times === 1) {
          request(broker, peer, ['e2'], 'bell.ring', '{"times":2}');
          broker.send(peer, '', 'MDPW01', '\x06', 'e2', '');
          request(broker, peer, ['e3'], 'bell.ring', '{"times":3}');
          // This loop stands still while they arrive, so that they are read together.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
        }
        return { rung: times };
      });
      await using _ = startWorker(wire, broker, handlers, { capacity: 4 });
      const peer = await takeReady(broker, ['4']);
      request(broker, peer, ['e1'], 'bell.ring', '{"times":1}');
      const replies = [(await broker.receive()).message, (await broker.receive()).message, (await broker.receive()).message];
      expect(rung).toEqual([1, 3]);
      expect(new Set(replies.map((message) => message[3]))).toEqual(new Set(['e1', 'e2', 'e3']));
    });
  });

  describe('W3: every request gets a reply', () => {
    const handlers = new Handlers()
      .on(echoGet, ({ text }) => {
        if (text === 'no') throw refuse(echoGet, 'NOT_TODAY', 'it rains', { weather: 'rain' });
        throw new TypeError(text);
      });
    it.each([
      { what: 'an unknown action', body: ['no.such', '{}'], action: 'mq.error', data: { code: 'ACTION_UNKNOWN' } },
      { what: 'no body', body: [], action: 'mq.error', data: { code: 'BAD_REQUEST' } },
      { what: 'an empty frame', body: [''], action: 'mq.error', data: { code: 'BAD_REQUEST' } },
      { what: 'an unknown action with bad data', body: ['no.such', 'x', 'y'], action: 'mq.error', data: { code: 'ACTION_UNKNOWN' } },
      { what: 'three frames', body: ['echo.get', '{}', '{}'], action: 'echo.result', data: { code: 'BAD_REQUEST' } },
      { what: 'data that is not JSON', body: ['echo.get', '{"text":'], action: 'echo.result', data: { code: 'BAD_REQUEST' } },
      { what: 'data that is not UTF-8', body: ['echo.get', '\xff\xfe'], action: 'echo.result', data: { code: 'BAD_REQUEST' } },
      { what: 'a JSON array', body: ['echo.get', '[]'], action: 'echo.result', data: { code: 'BAD_REQUEST' } },
      { what: 'null', body: ['echo.get', 'null'], action: 'echo.result', data: { code: 'BAD_REQUEST' } },
      { what: 'a string', body: ['echo.get', '"x"'], action: 'echo.result', data: { code: 'BAD_REQUEST' } },
      { what: 'data that does not fit', body: ['echo.get', '{"text":5}'], action: 'echo.result', data: { code: 'INVALID_DATA', fields: { text: expect.any(String) as string } } },
      { what: 'a refusal', body: ['echo.get', '{"text":"no"}'], action: 'echo.result', data: { code: 'NOT_TODAY', reason: 'it rains', weather: 'rain' } },
      { what: 'an exception', body: ['echo.get', '{}'], action: 'echo.result', data: { code: 'INTERNAL' } },
    ])('W3: $what is answered', async ({ body, action, data }) => {
      await using house = await openHouse(wire, handlers);
      const { broker } = house;
      const peer = await takeReady(broker);
      broker.send(peer, '', 'MDPW01', '\x02', 'e', '', ...body);
      const answer = await takeReply(broker, ['e']);
      expect(answer).toEqual({ action, data: { status: false, reason: expect.stringMatching(/.+/) as string, ...data } });
    });
  });

  describe('W4: stopping', () => {
    it('W4: it says DISCONNECT, then answers what it holds and what crossed it, then closes', async () => {
      const { handlers, begun } = heldCalls();
      await using house = await openHouse(wire, handlers, { capacity: 4 });
      const { broker, worker } = house;
      const peer = await takeReady(broker, ['4']);
      request(broker, peer, ['held'], 'bell.ring', '{"times":1}');
      const held = await begun.take('the call');
      const stopped = worker.stop();
      expect(held.signal.aborted, 'W2: the signal fires at stop').toBe(true);
      expect((await broker.receive()).message).toEqual(disconnect);
      request(broker, peer, ['crossed'], 'echo.get', '{"text":"crossed"}');
      expect(await takeReply(broker, ['crossed'])).toMatchObject({ data: { status: true, text: 'crossed' } });
      held.finish();
      expect(await takeReply(broker, ['held'])).toMatchObject({ data: { status: true, rung: 1 } });
      await stopped;
      await worker.stop();
    });

    it('W4: with nothing in hand it asks by a HEARTBEAT whether it is forgotten', async () => {
      await using house = await openHouse(wire, echo);
      const { broker, worker } = house;
      await takeReady(broker);
      const stopped = worker.stop();
      expect((await broker.receiveAny()).message).toEqual(disconnect);
      expect((await broker.receiveAny()).message).toEqual(heartbeat);
      await stopped;
    });

    it('W4: a broker that has forgotten it ends the wait', async () => {
      const { handlers, begun } = heldCalls();
      // With this call in hand it would wait beyond the time of the test.
      await using house = await openHouse(wire, handlers, { stopLimitMs: 600_000 });
      const { broker, worker } = house;
      const peer = await takeReady(broker);
      request(broker, peer, ['e'], 'bell.ring', '{"times":1}');
      await begun.take('the call');
      const stopped = worker.stop();
      expect((await broker.receive()).message).toEqual(disconnect);
      broker.send(peer, ...disconnect);
      await stopped;
    });

    it('W4: a handler that does not end is waited for within a bound only', async () => {
      const { handlers, begun } = heldCalls();
      await using house = await openHouse(wire, handlers, { stopLimitMs: 200 });
      const { broker, worker } = house;
      request(broker, await takeReady(broker), ['e'], 'bell.ring', '{"times":1}');
      await begun.take('the call');
      const beganMs = performance.now();
      await worker.stop();
      expect(performance.now() - beganMs).toBeGreaterThanOrEqual(198);
      expect(performance.now() - beganMs).toBeLessThan(2000);
    });

    it('W4: a worker that never reached a broker stops at once', async () => {
      const endpoint = await wire.absentEndpoint();
      const worker = new Worker({ endpoint, transport: wire.transport, service: 'echo', handlers: echo });
      await worker.start().stop();
      expect(worker.isRegistered).toBe(false);
    });
  });

  describe('W5: the envelope', () => {
    it.each([[['e']], [['client', 'correlation']], [['\0k\x8bEh', '1', '2', '3', '4', '5', '6', '7', '8']]])('W5: %j is copied back as it came', async (envelope) => {
      await using house = await openHouse(wire, echo);
      const { broker } = house;
      request(broker, await takeReady(broker), envelope, 'echo.get', '{"text":"é"}');
      await takeReply(broker, envelope);
    });

    it('W5: a reply goes only to the connection that brought the request', async () => {
      const { handlers, begun } = heldCalls();
      await using house = await openHouse(wire, handlers);
      const { broker } = house;
      const first = await takeReady(broker);
      request(broker, first, ['old'], 'bell.ring', '{"times":1}');
      const call = await begun.take('the call');
      broker.send(first, ...disconnect);
      const second = await takeReady(broker);
      expect(call.signal.aborted, 'W2: the signal fires when the connection is lost').toBe(true);
      call.finish();
      request(broker, second, ['new'], 'echo.get', '{}');
      await takeReply(broker, ['new']);
    });
  });
}
