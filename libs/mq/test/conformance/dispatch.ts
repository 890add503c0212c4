// Rules R4 to R6 on the wire: whom a request reaches, when, and whose answer counts.
import { describe, expect, it } from 'vitest';
import { ask, askTimed, openBus, ready, reply, takeRefusal, takeRequest } from './raw-bus.ts';
import type { Wire } from './wire.ts';

export function dispatch(wire: Wire): void {
  describe('R4: order', () => {
    it('R4: workers are served least recently used first', async () => {
      await using bus = await openBus(wire);
      const workers = [await bus.worker('echo'), await bus.worker('echo'), await bus.worker('echo')] as const;
      const client = bus.peer();
      const tokens: string[] = [];
      for (const worker of workers) {
        ask(client, 'echo', 'first');
        tokens.push((await takeRequest(worker)).token);
      }
      for (const i of [2, 0, 1] as const) {
        reply(workers[i], tokens[i] ?? '', 'r');
        await client.receive();
      }
      for (const i of [2, 0, 1] as const) {
        ask(client, 'echo', 'second');
        expect((await takeRequest(workers[i])).body).toEqual(['second']);
      }
    });

    it('R4: workers with capacity take turns, until the only one with room gets the rest', async () => {
      await using bus = await openBus(wire);
      const [small, large] = [await bus.worker('echo', '2'), await bus.worker('echo', '4')];
      const client = bus.peer();
      for (const name of ['1', '2', '3', '4', '5', '6']) ask(client, 'echo', name);
      expect([await takeRequest(small), await takeRequest(small)].map(({ body }) => body[0])).toEqual(['1', '3']);
      const rest = [await takeRequest(large), await takeRequest(large), await takeRequest(large), await takeRequest(large)];
      expect(rest.map(({ body }) => body[0])).toEqual(['2', '4', '5', '6']);
    });

    it('R4: requests are served first in, first out, whoever asks', async () => {
      await using bus = await openBus(wire);
      const clients = [bus.peer(), bus.peer()] as const;
      for (const name of ['1', '2', '3', '4']) {
        const client = clients[Number(name) % 2 === 0 ? 0 : 1];
        ask(client, 'echo', name);
        await client.expectNothing();
      }
      const worker = ready(bus.peer(), 'echo');
      for (const name of ['1', '2', '3', '4']) {
        const { token, body } = await takeRequest(worker);
        expect(body).toEqual([name]);
        reply(worker, token, 'r');
      }
    });
  });

  describe('R5: tokens', () => {
    it('R5: the envelope is one frame of the broker’s own, new for each request and after each start', async () => {
      const tokens: string[] = [];
      for (let start = 0; start < 2; start += 1) {
        await using bus = await openBus(wire);
        const worker = await bus.worker('echo', '2');
        const client = bus.peer();
        client.send('my-address', '', 'MDPC01', 'echo', 'act');
        client.send('my-address', '', 'MDPC01', 'echo', 'act');
        tokens.push((await takeRequest(worker)).token, (await takeRequest(worker)).token);
      }
      expect(new Set(tokens).size).toBe(4);
      expect(tokens.join()).not.toContain('my-address');
      expect(tokens.every((token) => token.length > 0)).toBe(true);
    });

    it('R5: a worker can answer only what it was asked: a foreign, forged or repeated token is dropped and counted', async () => {
      await using bus = await openBus(wire);
      const [honest, other] = [await bus.worker('echo'), await bus.worker('other')];
      const [client, victim] = [bus.peer(), bus.peer()];
      ask(client, 'echo', 'act');
      ask(victim, 'other', 'act');
      const { token } = await takeRequest(honest);
      const { token: own } = await takeRequest(other);
      const next = nextToken(own);
      for (const forged of [token, '\0'.repeat(own.length), own.slice(1), `${own}x`, 'x', next]) reply(other, forged, 'forged');
      await other.expectNothing();
      expect(bus.broker.status().dropped.replyNotOpen).toBe(6);
      reply(honest, token, 'true');
      expect(await client.receive()).toEqual(['', 'MDPC01', 'echo', 'true']);
      reply(honest, token, 'again');
      await honest.expectNothing();
      await client.expectNothing();
      expect(bus.broker.status().dropped.replyNotOpen).toBe(7);
      reply(other, own, 'true');
      expect(await victim.receive()).toEqual(['', 'MDPC01', 'other', 'true']);
    });

    it('R5, R8: a reply after the deadline is dropped and counted, and reaches nobody', async () => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo');
      const client = bus.peer();
      askTimed(client, 'a', 'echo', '0.1', 'act', '{}');
      const { token } = await takeRequest(worker);
      expect(await takeRefusal(client)).toEqual({ address: ['a'], service: 'echo', code: 'DEADLINE_EXCEEDED' });
      askTimed(client, 'b', 'echo', '10', 'act', '{}');
      reply(worker, token, 'late');
      const next = await takeRequest(worker);
      await client.expectNothing();
      expect(bus.broker.status().dropped.replyNotOpen).toBe(1);
      reply(worker, next.token, 'in time');
      expect(await client.receive()).toEqual(['b', '', 'MDPC01', 'echo', 'in time']);
    });
  });

  describe('R6: waiting', () => {
    it('R6: a request waits for its worker, and the READY brings it at once', async () => {
      await using bus = await openBus(wire);
      const client = bus.peer();
      ask(client, 'echo', 'waits');
      await client.expectNothing();
      const worker = ready(bus.peer(), 'echo');
      expect((await takeRequest(worker)).body).toEqual(['waits']);
    });

    it('R6: it is never delivered after its deadline', async () => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo');
      const client = bus.peer();
      askTimed(client, 'long', 'echo', '10', 'act', 'long');
      askTimed(client, 'short', 'echo', '0.1', 'act', 'short');
      askTimed(client, 'last', 'echo', '10', 'act', 'last');
      const { token, body } = await takeRequest(worker);
      expect(body).toEqual(['act', 'long']);
      expect(await takeRefusal(client)).toMatchObject({ address: ['short'], code: 'DEADLINE_EXCEEDED' });
      reply(worker, token, 'r');
      expect((await takeRequest(worker)).body).toEqual(['act', 'last']);
    });

    it('R6: nor when the broker had no time to notice that it has passed', async () => {
      await using bus = await openBus(wire);
      const client = bus.peer();
      askTimed(client, 'short', 'echo', '0.1', 'act', 'short');
      askTimed(client, 'long', 'echo', '10', 'act', 'long');
      await client.expectNothing();
      const worker = ready(bus.peer(), 'echo');
      // The broker’s loop, which is this one, stands still until the deadline has passed and the READY has arrived.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
      expect((await takeRequest(worker)).body).toEqual(['act', 'long']);
      expect(await takeRefusal(client)).toMatchObject({ address: ['short'], code: 'DEADLINE_EXCEEDED' });
    });
  });
}

/** The token that comes after this one: well formed, and not open. */
function nextToken(token: string): string {
  const bytes = Buffer.from(token, 'latin1');
  bytes.writeUInt8((bytes.readUInt8(bytes.length - 1) + 1) % 256, bytes.length - 1);
  return bytes.toString('latin1');
}
