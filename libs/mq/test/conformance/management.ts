// Rules R12 and R13 on the wire: the management interface, and messages that are not MDP.
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { dropKinds, type BrokerStatus, type DropKind } from '../../src/index.ts';
import { ask, askTimed, manage, openBus, ready, reply, takeRefusal, takeRequest } from './raw-bus.ts';
import { disconnect, patience, toFrames, type Text, type Wire } from './wire.ts';

export function management(wire: Wire): void {
  describe('R12: the management interface', () => {
    it('R12: mmi.service, mmi.services and mmi.workers tell what is offered', async () => {
      await using bus = await openBus(wire);
      const peer = bus.peer();
      expect(await manage(peer, 'mmi.services')).toBe('');
      const [leaving] = [await bus.worker('gamma'), await bus.worker('beta', '4'), await bus.worker('alpha'), await bus.worker('beta')];
      askTimed(peer, 'a', 'asked-for-only', '10', 'act', '{}');
      expect(await manage(peer, 'mmi.services')).toBe('alpha, beta, gamma');
      expect(await manage(peer, 'mmi.workers', 'beta')).toBe('2');
      leaving.send(...disconnect);
      await leaving.expectNothing();
      expect(await manage(peer, 'mmi.services')).toBe('alpha, beta');
      expect(await manage(peer, 'mmi.service', 'beta')).toBe('200');
      expect(await manage(peer, 'mmi.service', 'gamma')).toBe('404');
      expect(await manage(peer, 'mmi.service', 'asked-for-only')).toBe('404');
      expect(await manage(peer, 'mmi.workers', 'gamma')).toBe('0');
    });

    it.each([{ body: [] }, { body: [''] }, { body: ['5.0'] }, { body: ['None', ''] }])('R12: mmi.service without a name, as $body, answers 404', async ({ body }) => {
      await using bus = await openBus(wire);
      expect(await manage(await bus.worker('echo'), 'mmi.service', ...body)).toBe('404');
      expect(await manage(bus.peer(), 'mmi.workers', ...body)).toBe('0');
      expect(await manage(bus.peer(), 'mmi.services', ...body)).toBe('echo');
    });

    it('R12: mmi.majordomus is the status of the broker as JSON', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo'), bus.peer()];
      ask(client, 'echo', 'act');
      reply(worker, (await takeRequest(worker)).token, 'r');
      await client.receive();
      for (const name of ['held', 'waits']) ask(client, 'echo', name);
      const status = JSON.parse(await manage(client, 'mmi.majordomus')) as BrokerStatus;
      expect(status).toMatchObject({
        protocol: 'MDP/0.1', clients: 1, workers: 1, open: 2,
        services: [{ name: 'echo', workers: 1, waiting: 1, served: 1 }],
      });
      expect(Object.keys(status.dropped)).toEqual(Object.keys(dropKinds));
      expect(status.uptimeMs).toBeGreaterThanOrEqual(0);
      expect(status.heldBytes).toBeGreaterThan(0);
    });

    it.each(['mmi.', 'mmi.echo', 'mmi.service ', 'mmi.SERVICE'])('R12: %j answers 501', async (name) => {
      await using bus = await openBus(wire);
      expect(await manage(bus.peer(), name, 'echo')).toBe('501');
    });

    it('R12: a question has the address frames that any request has, and counts against no share', async () => {
      await using bus = await openBus(wire, { maxOpenPerClient: 1 });
      const client = bus.peer();
      askTimed(client, 'a', 'echo', '10', 'act', '{}');
      client.send('x', 'y', '', 'MDPC01', 'mmi.service', 'echo');
      expect(await client.receive()).toEqual(['x', 'y', '', 'MDPC01', 'mmi.service', '404']);
    });
  });

  describe('R13: what is not MDP', () => {
    const malformed: readonly { readonly what: string; readonly message: Text }[] = [
      { what: 'no empty frame', message: ['MDPC01', 'echo', 'act'] },
      { what: 'one frame', message: ['x'] },
      { what: 'two empty frames', message: ['', ''] },
      { what: 'another protocol', message: ['', 'MDPC02', 'echo', 'act'] },
      { what: 'a client header in lower case', message: ['', 'mdpc01', 'echo', 'act'] },
      { what: 'a client message without a service', message: ['', 'MDPC01'] },
      { what: 'a worker message without a command', message: ['', 'MDPW01'] },
      { what: 'a worker message with an address', message: ['a', '', 'MDPW01', '\x04'] },
      { what: 'two empty frames before the header', message: ['', '', 'MDPC01', 'echo', 'act'] },
      { what: 'a hundred frames', message: Array.from({ length: 100 }, () => 'x') },
    ];
    it.each(malformed)('R13: $what is dropped and counted, and nothing is answered', async ({ message }) => {
      await using bus = await openBus(wire);
      const peer = bus.peer();
      peer.send(...message);
      await peer.expectNothing();
      expect(bus.broker.status().dropped).toEqual({ ...Object.fromEntries(Object.keys(dropKinds).map((kind) => [kind, 0])), malformed: 1 });
    });

    it('R13: each kind of what is dropped has its counter', async () => {
      await using bus = await openBus(wire);
      const [worker, client, stranger] = [await bus.worker('echo', '4'), bus.peer(), bus.peer()];
      const counts = (): Partial<Record<DropKind, number>> => Object.fromEntries(Object.entries(bus.broker.status().dropped).filter(([, count]) => count > 0));
      client.send('x');
      await client.expectNothing();
      expect(counts()).toEqual({ malformed: 1 });
      reply(stranger, 'token', 'r');
      await stranger.receive();
      expect(counts()).toEqual({ malformed: 1, workerUnknown: 1 });
      stranger.send('', 'MDPW01', '\x07');
      await stranger.receive();
      expect(counts()).toEqual({ malformed: 1, workerUnknown: 1, workerInvalid: 1 });
      reply(worker, 'token', 'r');
      await worker.expectNothing();
      expect(counts()).toEqual({ malformed: 1, workerUnknown: 1, workerInvalid: 1, replyNotOpen: 1 });
      askTimed(client, 'a', 'echo', '10', 'act', '{}');
      const { token } = await takeRequest(worker);
      client.send('a', '', 'MDPC01', 'mmi.cancel');
      await worker.receive();
      reply(worker, token, 'r');
      await worker.expectNothing();
      expect(counts()).toEqual({ malformed: 1, workerUnknown: 1, workerInvalid: 1, replyNotOpen: 1, replyUnwanted: 1 });
    });

    it('R13: a service without workers and requests is forgotten', async () => {
      await using bus = await openBus(wire, { discoveryGraceMs: 50 });
      const client = bus.peer();
      for (let i = 0; i < 100; i += 1) askTimed(client, `${i}`, `nobody-${i}`, '10', 'act', '{}');
      for (let i = 0; i < 100; i += 1) expect(await takeRefusal(client)).toMatchObject({ code: 'SERVICE_UNKNOWN' });
      expect(bus.broker.status()).toMatchObject({ services: [], open: 0, heldBytes: 0 });
      client.close();
      await vi.waitFor(() => expect(bus.broker.status().clients).toBe(0), patience);
    });

    it('R13: no frames of any kind stop the broker or harm another', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [await bus.worker('echo', '4'), bus.peer()];
      const frame = fc.oneof(
        fc.constantFrom('', 'MDPC01', 'MDPW01', '\x01', '\x02', '\x03', '\x04', '\x05', '\x06', 'echo', 'other', 'mmi.cancel', 'mmi.majordomus', '5', 'None'),
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      );
      await fc.assert(fc.asyncProperty(fc.array(fc.array(frame, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 20 }), async (messages) => {
        using hostile = wire.connect(bus.broker.endpoint);
        for (const message of messages) {
          // What would be a proper request or registration at `echo` would rightly be served.
          if (!message.includes('echo')) hostile.send(...message);
        }
        ask(client, 'echo', 'act', 'still here');
        const { token, body } = await takeRequest(worker);
        reply(worker, token, ...body);
        expect(await client.receive()).toEqual(['', 'MDPC01', 'echo', 'act', 'still here']);
      }), { numRuns: 60 });
    });

    it('R13: closing the broker while messages arrive harms nobody', async () => {
      const bus = await openBus(wire);
      const peers = [bus.peer(), bus.peer(), bus.peer()];
      for (let i = 0; i < 300; i += 1) for (const peer of peers) ask(peer, 'mmi.services');
      await peers[0]?.receive();
      await bus[Symbol.asyncDispose]();
      await using next = await openBus(wire);
      await next.peer().expectNothing();
    });

    it('R13: a body just below the limit of 16 MiB passes', async () => {
      await using bus = await openBus(wire);
      const [worker, client] = [ready(bus.peer(), 'echo'), bus.peer()];
      const large = 'x'.repeat(16 * 1024 * 1024 - 3);
      ask(client, 'echo', 'act', large);
      const { token, body } = await takeRequest(worker);
      expect(body[1]?.length).toBe(large.length);
      reply(worker, token, 'r');
      expect(await client.receive()).toEqual(['', 'MDPC01', 'echo', 'r']);
      ask(client, 'echo', 'act!', large);
      expect(await takeRefusal(client)).toMatchObject({ code: 'TOO_LARGE' });
      expect(toFrames(['act', large]).reduce((sum, { length }) => sum + length, 0)).toBe(16 * 1024 * 1024);
    });
  });
}
