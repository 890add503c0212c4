// Rules R14, R16 and R17 on the wire: many requests at one worker, a worker that leaves, and requests that are not
// wanted any more.
import { describe, expect, it } from 'vitest';
import { ask, askTimed, manage, openBus, ready, reply, takeRefusal, takeRequest } from './raw-bus.ts';
import { disconnect, heartbeat, type RawPeer, type Wire } from './wire.ts';

/** How many of ten requests a worker is given at once. */
async function givenAtOnce(wire: Wire, capacity: string | undefined, maxCapacity: number): Promise<number> {
  await using bus = await openBus(wire, { maxCapacity });
  const [worker, client] = [await bus.worker('echo', capacity), bus.peer()];
  for (let i = 0; i < 10; i += 1) ask(client, 'echo', String(i));
  await client.expectNothing();
  const { waiting } = bus.broker.status().services[0] ?? { waiting: 0 };
  for (let i = 0; i < 10 - waiting; i += 1) expect((await takeRequest(worker)).body).toEqual([String(i)]);
  await worker.expectNothing();
  return 10 - waiting;
}

function cancel(client: RawPeer, ...address: string[]): void {
  client.send(...address, '', 'MDPC01', 'mmi.cancel');
}

export function capacity(wire: Wire): void {
  describe('R14: capacity', () => {
    it.each([
      { capacity: undefined, given: 1 },
      { capacity: '1', given: 1 },
      { capacity: '3', given: 3 },
      { capacity: '8', given: 8 },
      { capacity: '9', given: 8 },
      { capacity: '4000000000', given: 8 },
    ])('R14: with capacity $capacity and a limit of 8 a worker is given $given at once', async ({ capacity, given }) => {
      expect(await givenAtOnce(wire, capacity, 8)).toBe(given);
    });

    it.each(['', '0', '-2', '1.5', '2 ', 'x', '0x8', '\xb2'])('R14: the invalid capacity %j is 1', async (frame) => {
      expect(await givenAtOnce(wire, frame, 8)).toBe(1);
    });

    it('R14: each reply makes room for one more', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '2'), bus.peer()];
      for (const name of ['1', '2', '3', '4']) ask(client, 'echo', name);
      const [first, second] = [await takeRequest(worker), await takeRequest(worker)];
      await worker.expectNothing();
      reply(worker, second.token, 'r');
      expect((await takeRequest(worker)).body).toEqual(['3']);
      await worker.expectNothing();
      reply(worker, first.token, 'r');
      expect((await takeRequest(worker)).body).toEqual(['4']);
    });
  });

  describe('R16: leaving', () => {
    it('R16: a worker that says DISCONNECT is not counted and gets nothing more, and still answers what it holds', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '2'), bus.peer()];
      ask(client, 'echo', 'held');
      const { token } = await takeRequest(worker);
      worker.send(...disconnect);
      await worker.expectNothing();
      expect(await manage(client, 'mmi.workers', 'echo')).toBe('0');
      expect(await manage(client, 'mmi.service', 'echo')).toBe('404');
      ask(client, 'echo', 'not for it');
      await client.expectNothing();
      worker.send(...heartbeat);
      await worker.expectNothing();
      reply(worker, token, 'r');
      expect(await client.receive()).toEqual(['', 'MDPC01', 'echo', 'r']);
      // Now it owes nothing and is forgotten: the broker's word that nothing more comes.
      worker.send(...heartbeat);
      expect(await worker.receive()).toEqual(disconnect);
    });

    it('R16: what it holds ends by its deadline, or by the close of its connection', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '2'), bus.peer()];
      askTimed(client, 'short', 'echo', '0.1', 'act', '{}');
      askTimed(client, 'long', 'echo', '10', 'act', '{}');
      await takeRequest(worker);
      await takeRequest(worker);
      worker.send(...disconnect);
      expect(await takeRefusal(client)).toMatchObject({ address: ['short'], code: 'DEADLINE_EXCEEDED' });
      worker.close();
      expect(await takeRefusal(client)).toMatchObject({ address: ['long'], code: 'WORKER_LOST' });
    });

    it('R16: it may register again on the same connection, and what it still holds counts against its capacity', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '2'), bus.peer()];
      ask(client, 'echo', 'held');
      const { token } = await takeRequest(worker);
      worker.send(...disconnect);
      ready(worker, 'echo', '2');
      await worker.expectNothing();
      for (const name of ['1', '2']) ask(client, 'echo', name);
      expect((await takeRequest(worker)).body).toEqual(['1']);
      await worker.expectNothing();
      reply(worker, token, 'r');
      expect(await client.receive()).toEqual(['', 'MDPC01', 'echo', 'r']);
      expect((await takeRequest(worker)).body).toEqual(['2']);
    });

    it('R16, R11: the DISCONNECT of an idle worker forgets it', async () => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo', '2');
      worker.send(...disconnect);
      await worker.expectNothing();
      expect(bus.broker.status()).toMatchObject({ workers: 0, services: [] });
    });
  });

  describe('R17: CANCEL', () => {
    it('R17: a worker with capacity is told of a deadline', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '2'), bus.peer()];
      askTimed(client, 'a', 'echo', '0.1', 'act', '{}');
      const { token } = await takeRequest(worker);
      expect(await worker.receive()).toEqual(['', 'MDPW01', '\x06', token, '']);
      await worker.expectNothing();
      expect(await takeRefusal(client)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    });

    it('R17: a worker with capacity is told of a lost client; its slot is free at the reply', async () => {
      await using bus = await openBus(wire);
      const [worker, client, other] = [await bus.worker('echo', '1'), bus.peer(), bus.peer()];
      ask(client, 'echo', 'act');
      const { token } = await takeRequest(worker);
      client.close();
      expect(await worker.receive()).toEqual(['', 'MDPW01', '\x06', token, '']);
      ask(other, 'echo', 'next');
      await other.expectNothing();
      await worker.expectNothing();
      reply(worker, token, 'r');
      expect((await takeRequest(worker)).body).toEqual(['next']);
    });

    it('R17: a client cancels under the address of the request; nothing is answered, and the slot is free at the reply', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '2'), bus.peer()];
      client.send('x', 'one', '', 'MDPC01', 'echo', 'act', '{}');
      client.send('x', 'two', '', 'MDPC01', 'echo', 'act', '{}');
      const [one, two] = [await takeRequest(worker), await takeRequest(worker)];
      cancel(client, 'x', 'one');
      expect(await worker.receive()).toEqual(['', 'MDPW01', '\x06', one.token, '']);
      await client.expectNothing();
      ask(client, 'echo', 'next');
      await client.expectNothing();
      await worker.expectNothing();
      reply(worker, one.token, 'r');
      expect((await takeRequest(worker)).body).toEqual(['next']);
      reply(worker, two.token, 'r');
      expect(await client.receive()).toEqual(['x', 'two', '', 'MDPC01', 'echo', 'r']);
      expect(bus.broker.status().dropped.replyUnwanted).toBe(1);
    });

    it('R17: after a cancel the slot is free at the deadline at the latest, and the worker is not told twice', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '1'), bus.peer()];
      askTimed(client, 'a', 'echo', '0.2', 'act', '{}');
      const { token } = await takeRequest(worker);
      cancel(client, 'a');
      expect(await worker.receive()).toEqual(['', 'MDPW01', '\x06', token, '']);
      ask(client, 'echo', 'next');
      expect((await takeRequest(worker)).body).toEqual(['next']);
      await client.expectNothing();
    });

    it('R17: a waiting request that is cancelled never reaches a worker', async () => {
      await using bus = await openBus(wire);
      const client = bus.peer();
      for (const id of ['a', 'b']) askTimed(client, id, 'echo', '10', 'act', id);
      cancel(client, 'a');
      await client.expectNothing();
      expect((await takeRequest(ready(bus.peer(), 'echo', '2'))).body).toEqual(['act', 'b']);
      expect(bus.broker.status().open).toBe(1);
    });

    it('R17: a cancel of nothing, or of another client’s request, does nothing', async () => {
      await using bus = await openBus(wire);
      const [worker, client, other] = [await bus.worker('echo', '2'), bus.peer(), bus.peer()];
      askTimed(client, 'a', 'echo', '10', 'act', '{}');
      const { token } = await takeRequest(worker);
      cancel(other, 'a');
      cancel(client, 'b');
      cancel(client, 'a', 'a');
      cancel(client);
      await other.expectNothing();
      await client.expectNothing();
      await worker.expectNothing();
      reply(worker, token, 'r');
      expect(await client.receive()).toEqual(['a', '', 'MDPC01', 'echo', 'r']);
    });

    it('R17: a plain worker is never sent CANCEL', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo'), bus.peer()];
      askTimed(client, 'a', 'echo', '10', 'act', '{}');
      const { token } = await takeRequest(worker);
      cancel(client, 'a');
      await client.expectNothing();
      await worker.expectNothing();
      ask(client, 'echo', 'next');
      reply(worker, token, 'r');
      expect((await takeRequest(worker)).body).toEqual(['next']);
    });
  });
}
