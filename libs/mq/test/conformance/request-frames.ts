// Rules R1 to R3 on the wire: how the frames of a request are read, and how its answer finds the way back.
import { describe, expect, it } from 'vitest';
import { ask, askTimed, manage, openBus, reply, takeRefusal, takeRequest, type TakenRequest } from './raw-bus.ts';
import type { Text, Wire } from './wire.ts';

export function requestFrames(wire: Wire): void {
  describe('R1: address frames', () => {
    it.each([0, 1, 2, 7, 8])('R1: a reply carries the same %i address frames back', async (count) => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo');
      const client = bus.peer();
      const address = Array.from({ length: count }, (_, i) => `\xff${i}`);
      client.send(...address, '', 'MDPC01', 'echo', 'act', '{}');
      const request = await takeRequest(worker);
      expect(request.body).toEqual(['act', '{}']);
      reply(worker, request.token, 'act.result', '{"status":true}');
      expect(await client.receive()).toEqual([...address, '', 'MDPC01', 'echo', 'act.result', '{"status":true}']);
    });

    it('R1: nine address frames, or more than 1 KiB of them, are no client message', async () => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo');
      const client = bus.peer();
      client.send('1', '2', '3', '4', '5', '6', '7', '8', '9', '', 'MDPC01', 'echo', 'act', '{}');
      client.send('a'.repeat(1000), 'b'.repeat(25), '', 'MDPC01', 'echo', 'act', '{}');
      await client.expectNothing();
      await worker.expectNothing();
      expect(bus.broker.status().dropped.malformed).toBe(2);
      client.send('a'.repeat(1000), 'b'.repeat(24), '', 'MDPC01', 'echo', 'act', '{}');
      reply(worker, (await takeRequest(worker)).token, 'r');
      expect(await client.receive()).toEqual(['a'.repeat(1000), 'b'.repeat(24), '', 'MDPC01', 'echo', 'r']);
    });

    it('R1: two clients with the same correlation ids, many open at once and answered in any order, each get their own', async () => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo', '8');
      const clients = [bus.peer(), bus.peer()];
      for (const [number, client] of clients.entries()) {
        for (const id of ['x', 'y', 'z']) askTimed(client, id, 'echo', '10', 'act', `${number}${id}`);
      }
      const requests: TakenRequest[] = [];
      for (let i = 0; i < 6; i += 1) requests.push(await takeRequest(worker));
      for (const { token, body } of requests.toReversed()) reply(worker, token, 'r', String(body[1]));
      for (const [number, client] of clients.entries()) {
        const answers = [await client.receive(), await client.receive(), await client.receive()].map(([id, ...rest]) => [id, rest.at(-1)]);
        expect(Object.fromEntries(answers)).toEqual({ x: `${number}x`, y: `${number}y`, z: `${number}z` });
      }
    });
  });

  describe('R2: the timeout frame', () => {
    it.each(['10', '5.0', '0.25', '3600', '9999999999', '30.0123456789', 'None'])('R2: %s before action and data is no part of the body', async (timeout) => {
      expect(await bodyAtWorker(wire, timeout, 'act', '{}')).toEqual(['act', '{}']);
    });

    it.each(['-1', '+1', '1e3', '5.', '.5', ' 5', '5 ', 'none', 'NONE', '0x10', '5,0', '5.0.0', '12345678901', '1.12345678901', '\xb2', ''])('R2: %j before action and data belongs to the body', async (frame) => {
      expect(await bodyAtWorker(wire, frame, 'act', '{}')).toEqual([frame, 'act', '{}']);
    });

    it.each([[['10', '{}']], [['10']], [['None', '{}']]])('R2: a number with less than two frames behind it is body: %j', async (body) => {
      expect(await bodyAtWorker(wire, ...body)).toEqual(body);
    });

    it('R2: only one frame is dropped', async () => {
      expect(await bodyAtWorker(wire, '5', '6', 'act', '{}')).toEqual(['6', 'act', '{}']);
    });

    it.each([
      { title: 'is the deadline in seconds', timeout: ['0.15'], limits: {} },
      { title: 'is cut to the maximum', timeout: ['3600'], limits: { maxTimeoutMs: 150 } },
      { title: 'None means the default', timeout: ['None'], limits: { defaultTimeoutMs: 150 } },
      { title: 'none at all means the default', timeout: [], limits: { defaultTimeoutMs: 150 } },
    ])('R2: the timeout $title', async ({ timeout, limits }) => {
      await using bus = await openBus(wire, limits);
      const client = bus.peer();
      await client.expectNothing();
      const beganMs = performance.now();
      client.send('', 'MDPC01', 'nobody', ...timeout, 'act', '{}');
      expect(await takeRefusal(client)).toEqual({ address: [], service: 'nobody', code: 'DEADLINE_EXCEEDED' });
      expect(performance.now() - beganMs).toBeGreaterThanOrEqual(150 - 2);
      expect(performance.now() - beganMs).toBeLessThan(2000);
    });

    it('R2: a management question may have a timeout with one or no frame behind it', async () => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo');
      expect(await manage(worker, 'mmi.service', '5.0', 'echo')).toBe('200');
      expect(await manage(worker, 'mmi.service', 'None', 'echo')).toBe('200');
      expect(await manage(worker, 'mmi.services', '10')).toBe('echo');
      expect(await manage(worker, 'mmi.services', 'None')).toBe('echo');
    });
  });

  describe('R3: bodies', () => {
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1');
    it.each([
      { title: 'one empty frame', body: [''] },
      { title: 'empty frames around one', body: ['', 'x', '', ''] },
      { title: 'every byte', body: [everyByte, everyByte] },
      { title: 'a hundred frames', body: Array.from({ length: 100 }, (_, i) => `${i}`.repeat(i)) },
      { title: 'what looks like MDP', body: ['', 'MDPW01', '\x05', '', 'MDPC01', 'echo'] },
      { title: 'a megabyte', body: ['a', everyByte.repeat(4096)] },
    ])('R3: $title passes byte for byte, both ways', async ({ body }) => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo');
      const client = bus.peer();
      ask(client, 'echo', ...body);
      const request = await takeRequest(worker);
      expect(request.body).toEqual(body);
      reply(worker, request.token, ...body);
      expect(await client.receive()).toEqual(['', 'MDPC01', 'echo', ...body]);
    });

    it('R3: a reply without any body passes too', async () => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo');
      const client = bus.peer();
      ask(client, 'echo', 'act', '{}');
      reply(worker, (await takeRequest(worker)).token);
      expect(await client.receive()).toEqual(['', 'MDPC01', 'echo']);
    });
  });
}

/** What a worker gets of a request with this body. */
async function bodyAtWorker(wire: Wire, ...body: Text): Promise<Text> {
  await using bus = await openBus(wire);
  const worker = await bus.worker('echo');
  ask(bus.peer(), 'echo', ...body);
  return (await takeRequest(worker)).body;
}
