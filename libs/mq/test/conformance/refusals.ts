// Rules R7 and R8 on the wire: nobody waits in vain, and a worker that does not answer blocks nobody.
import { describe, expect, it, vi } from 'vitest';
import { ask, askTimed, manage, openBus, ready, reply, takeRefusal, takeRequest } from './raw-bus.ts';
import { disconnect, patience, type RawPeer, type Wire } from './wire.ts';

export function refusals(wire: Wire): void {
  describe('R7: the broker’s own answers', () => {
    it('R7: an mq.error has the caller’s address, the service, and status, code and reason', async () => {
      await using bus = await openBus(wire);
      const client = bus.peer();
      client.send('a', 'b', '', 'MDPC01', 'echo');
      const [, , , , , action, data] = await client.receive();
      expect(action).toBe('mq.error');
      expect(JSON.parse(data ?? '')).toEqual({ status: false, code: 'BAD_REQUEST', reason: expect.any(String) as string });
      client.send('a', 'b', '', 'MDPC01', 'echo');
      expect(await takeRefusal(client)).toEqual({ address: ['a', 'b'], service: 'echo', code: 'BAD_REQUEST' });
    });

    it('R7: DEADLINE_EXCEEDED when the deadline passes at a worker', async () => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo');
      const client = bus.peer();
      askTimed(client, 'a', 'echo', '0.1', 'act', '{}');
      await takeRequest(worker);
      expect(await takeRefusal(client)).toEqual({ address: ['a'], service: 'echo', code: 'DEADLINE_EXCEEDED' });
      expect(bus.broker.status().refused.DEADLINE_EXCEEDED).toBe(1);
    });

    it('R7: SERVICE_UNKNOWN when nobody offers the service for the discovery grace', async () => {
      await using bus = await openBus(wire, { discoveryGraceMs: 150 });
      const client = bus.peer();
      await client.expectNothing();
      const beganMs = performance.now();
      askTimed(client, 'a', 'nobody', '10', 'act', '{}');
      expect(await takeRefusal(client)).toEqual({ address: ['a'], service: 'nobody', code: 'SERVICE_UNKNOWN' });
      expect(performance.now() - beganMs).toBeGreaterThanOrEqual(148);
      expect(bus.broker.status().services).toEqual([]);
    });

    it('R7: the grace begins anew when the last worker leaves', async () => {
      await using bus = await openBus(wire, { discoveryGraceMs: 300 });
      const [worker, client] = [await bus.worker('echo'), bus.peer()];
      askTimed(client, 'held', 'echo', '10', 'act', '{}');
      askTimed(client, 'waits', 'echo', '10', 'act', '{}');
      await takeRequest(worker);
      // The request has waited for longer than the grace when the worker goes.
      askTimed(client, 'clock', 'nobody', '10', 'act', '{}');
      expect(await takeRefusal(client)).toMatchObject({ address: ['clock'], code: 'SERVICE_UNKNOWN' });
      const lostMs = performance.now();
      worker.close();
      expect(await takeRefusal(client)).toMatchObject({ address: ['held'], code: 'WORKER_LOST' });
      expect(await takeRefusal(client)).toMatchObject({ address: ['waits'], code: 'SERVICE_UNKNOWN' });
      expect(performance.now() - lostMs).toBeGreaterThanOrEqual(298);
    });

    it('R7: WORKER_LOST when the worker that holds the request goes, and no other worker gets it', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo'), bus.peer()];
      ask(client, 'echo', 'act');
      await takeRequest(worker);
      const other = await bus.worker('echo');
      worker.close();
      expect(await takeRefusal(client)).toEqual({ address: [], service: 'echo', code: 'WORKER_LOST' });
      await other.expectNothing();
    });

    it('R7: OVERLOADED at once when the queue of the service is full', async () => {
      await using bus = await openBus(wire, { maxWaitingPerService: 2 });
      const client = bus.peer();
      for (const id of ['1', '2', '3']) askTimed(client, id, 'echo', '10', 'act', '{}');
      expect(await takeRefusal(client)).toEqual({ address: ['3'], service: 'echo', code: 'OVERLOADED' });
      askTimed(client, '4', 'other', '10', 'act', '{}');
      await client.expectNothing();
    });

    it('R7, R13: OVERLOADED at once beyond the client’s share, and for that client only', async () => {
      await using bus = await openBus(wire, { maxOpenPerClient: 2 });
      const worker = await bus.worker('echo', '8');
      const [greedy, modest] = [bus.peer(), bus.peer()];
      for (const id of ['1', '2', '3']) askTimed(greedy, id, 'echo', '10', 'act', id);
      expect(await takeRefusal(greedy)).toEqual({ address: ['3'], service: 'echo', code: 'OVERLOADED' });
      askTimed(modest, 'm', 'echo', '10', 'act', 'm');
      const [first] = [await takeRequest(worker), await takeRequest(worker), await takeRequest(worker)];
      reply(worker, first.token, 'r');
      expect(await greedy.receive()).toEqual(['1', '', 'MDPC01', 'echo', 'r']);
      askTimed(greedy, '4', 'echo', '10', 'act', '4');
      expect((await takeRequest(worker)).body).toEqual(['act', '4']);
    });

    it('R7, R13: OVERLOADED at once when waiting requests hold too many bytes', async () => {
      await using bus = await openBus(wire, { maxHeldBytes: 6000 });
      const client = bus.peer();
      const body = 'x'.repeat(2000);
      for (const id of ['1', '2', '3']) askTimed(client, id, 'echo', '10', 'act', body);
      expect(await takeRefusal(client)).toEqual({ address: ['3'], service: 'echo', code: 'OVERLOADED' });
      const worker = ready(bus.peer(), 'echo', '3');
      await takeRequest(worker);
      await takeRequest(worker);
      askTimed(client, '4', 'echo', '10', 'act', body);
      expect((await takeRequest(worker)).body).toEqual(['act', body]);
    });

    it('R7, R13: empty frames are not free', async () => {
      await using bus = await openBus(wire, { maxHeldBytes: 6000 });
      const client = bus.peer();
      ask(client, 'echo', ...Array.from({ length: 100 }, () => ''));
      expect(await takeRefusal(client)).toMatchObject({ code: 'OVERLOADED' });
    });

    it('R7, R13: TOO_LARGE above the body limit, all frames together', async () => {
      await using bus = await openBus(wire, { maxBodyBytes: 1000 });
      const [worker, client] = [await bus.worker('echo'), bus.peer()];
      ask(client, 'echo', 'act', 'x'.repeat(998));
      expect(await takeRefusal(client)).toEqual({ address: [], service: 'echo', code: 'TOO_LARGE' });
      ask(client, 'echo', 'act', 'x'.repeat(997));
      expect((await takeRequest(worker)).body).toEqual(['act', 'x'.repeat(997)]);
    });

    it('R7: BAD_REQUEST without any body frame, in both dialects’ sense', async () => {
      await using bus = await openBus(wire);
      const client = bus.peer();
      ask(client, 'echo');
      expect(await takeRefusal(client)).toEqual({ address: [], service: 'echo', code: 'BAD_REQUEST' });
    });

    it.each([{ name: 'is empty', length: 0 }, { name: 'has 256 bytes', length: 256 }])('R7: BAD_REQUEST for a service name that $name', async ({ length }) => {
      await using bus = await openBus(wire);
      const client = bus.peer();
      ask(client, 's'.repeat(length), 'act', '{}');
      expect(await takeRefusal(client)).toEqual({ address: [], service: 's'.repeat(Math.min(length, 255)), code: 'BAD_REQUEST' });
    });

    it('R7: a service name may have 255 bytes of any kind', async () => {
      await using bus = await openBus(wire);
      const name = '\xff\0 é'.repeat(63).slice(0, 255);
      const [worker, client] = [await bus.worker(name), bus.peer()];
      ask(client, name, 'act', '{}');
      reply(worker, (await takeRequest(worker)).token, 'r');
      expect(await client.receive()).toEqual(['', 'MDPC01', name, 'r']);
    });
  });

  describe('R8: deadlines at a worker', () => {
    it('R8: a worker with capacity has the slot back at the deadline', async () => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo', '1');
      const client = bus.peer();
      askTimed(client, 'silent', 'echo', '0.1', 'act', '{}');
      askTimed(client, 'next', 'echo', '10', 'act', 'next');
      const { token } = await takeRequest(worker);
      expect(await worker.receive()).toEqual(['', 'MDPW01', '\x06', token, '']);
      expect((await takeRequest(worker)).body).toEqual(['act', 'next']);
    });

    it.each([
      { how: 'a HEARTBEAT', speak: (worker: RawPeer) => worker.send('', 'MDPW01', '\x04') },
      { how: 'its late reply', speak: (worker: RawPeer, token: string) => reply(worker, token, 'late') },
    ])('R8: a plain worker gets nothing after a missed deadline, until $how', async ({ speak }) => {
      await using bus = await openBus(wire);
      const worker = await bus.worker('echo');
      const client = bus.peer();
      askTimed(client, 'silent', 'echo', '0.1', 'act', '{}');
      askTimed(client, 'next', 'echo', '10', 'act', 'next');
      const { token } = await takeRequest(worker);
      expect(await takeRefusal(client)).toMatchObject({ address: ['silent'], code: 'DEADLINE_EXCEEDED' });
      await client.expectNothing();
      expect(bus.broker.status().services).toEqual([{ name: 'echo', workers: 1, waiting: 1, served: 0 }]);
      speak(worker, token);
      expect((await takeRequest(worker)).body).toEqual(['act', 'next']);
      await client.expectNothing();
    });

    it('R8: a plain worker that is silent for its liveness after the deadline is gone, and the service is not wedged', async () => {
      await using bus = await openBus(wire, { heartbeatMs: 50, livenessMs: 250, discoveryGraceMs: 5000 });
      const [worker, client] = [ready(bus.peer(), 'echo'), bus.peer()];
      const askedMs = performance.now();
      askTimed(client, 'silent', 'echo', '0.1', 'act', '{}');
      const { token } = await takeRequest(worker);
      expect(await takeRefusal(client)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      askTimed(client, 'next', 'echo', '10', 'act', 'next');
      await vi.waitFor(async () => expect(await manage(client, 'mmi.workers', 'echo')).toBe('0'), patience);
      // The deadline, and the liveness from there on.
      expect(performance.now() - askedMs).toBeGreaterThanOrEqual(100 + 250 - 2);
      const successor = ready(bus.peer(), 'echo');
      expect((await takeRequest(successor)).body).toEqual(['act', 'next']);
      // Back again, it is a stranger: it must register anew.
      reply(worker, token, 'late');
      expect(await worker.receive()).toEqual(disconnect);
      await client.expectNothing();
    });
  });
}
