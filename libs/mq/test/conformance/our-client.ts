// Rules C1 to C4 on the wire: our client before a raw ROUTER that plays the broker.
import { setTimeout as timePasses } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BusError, CallerError, Client, PeerError, type Dialect } from '../../src/index.ts';
import { bellRing, echoGet } from '../contracts.ts';
import type { RawRouter, Received, Wire } from './wire.ts';

interface TakenCall {
  readonly peer: string;
  /** Empty in the plain dialect. */
  readonly id: string;
  readonly timeoutMs: number;
  readonly data: unknown;
}

/** The next message, which must be a call of `action` at `echo` in the timed dialect. */
async function takeCall(broker: RawRouter, action: string): Promise<TakenCall> {
  const { peer, message } = await broker.receive();
  const [id = '', empty, header, service, timeout = '', called, data = '', ...more] = message;
  expect([empty, header, service, called, more]).toEqual(['', 'MDPC01', 'echo', action, []]);
  expect(id.length, 'the correlation id').toBe(4);
  expect(timeout, 'rule R2').toMatch(/^\d{1,10}(\.\d{1,10})?$/);
  return { peer, id, timeoutMs: Number(timeout) * 1000, data: JSON.parse(data) as unknown };
}

function answer(broker: RawRouter, { peer, id }: { readonly peer: string; readonly id: string }, action: string, data: object): void {
  broker.send(peer, ...(id === '' ? [] : [id]), '', 'MDPC01', 'echo', action, JSON.stringify(data));
}

function open(wire: Wire, broker: { readonly endpoint: string }, options: { readonly dialect?: Dialect; readonly share?: number } = {}): Client {
  return new Client({ endpoint: broker.endpoint, transport: wire.transport, ...options });
}

/** How a call ended that was to fail. */
async function failureOf(call: Promise<unknown>): Promise<{ readonly code: string; readonly kind: string }> {
  const error: unknown = await call.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof BusError || error instanceof CallerError || error instanceof PeerError) return { code: error.code, kind: error.name };
  throw new TypeError(`not an error of a call: ${String(error)}`);
}

const text = (value: string): object => ({ status: true, reason: '', text: value });

export function ourClient(wire: Wire): void {
  describe('C1: dialects', () => {
    it.each(['majordomus', 'domogik'] as const)('C1: %s sends timeout and correlation id, and matches answers in any order', async (dialect) => {
      using broker = await wire.listen();
      await using client = open(wire, broker, { dialect });
      const calls = ['1', '2', '3'].map((value) => client.call(echoGet, { text: value }, { timeoutMs: 5000 }));
      const taken = [await takeCall(broker, 'echo.get'), await takeCall(broker, 'echo.get'), await takeCall(broker, 'echo.get')];
      expect(new Set(taken.map(({ peer }) => peer)).size, 'one socket').toBe(1);
      expect(new Set(taken.map(({ id }) => id)).size).toBe(3);
      for (const call of taken.toReversed()) answer(broker, call, 'echo.result', { ...text(''), ...(call.data as object) });
      expect(await Promise.all(calls)).toEqual([{ text: '1' }, { text: '2' }, { text: '3' }]);
    });

    it('C1: rfc sends the frames of RFC 7 and nothing else, one call at a time on each socket', async () => {
      using broker = await wire.listen();
      await using client = open(wire, broker, { dialect: 'rfc' });
      const calls = [client.call(echoGet, { text: '1' }), client.call(echoGet, { text: '2' })];
      const taken: Received[] = [await broker.receive(), await broker.receive()];
      expect(new Set(taken.map(({ peer }) => peer)).size).toBe(2);
      const messages = taken.map(({ message }) => message);
      expect(messages).toContainEqual(['', 'MDPC01', 'echo', 'echo.get', '{"text":"1"}']);
      expect(messages).toContainEqual(['', 'MDPC01', 'echo', 'echo.get', '{"text":"2"}']);
      for (const { peer, message } of taken.toReversed()) answer(broker, { peer, id: '' }, 'echo.result', text(`answer to ${message[4] ?? ''}`));
      expect(await Promise.all(calls)).toEqual([{ text: 'answer to {"text":"1"}' }, { text: 'answer to {"text":"2"}' }]);
      const again = client.call(echoGet, { text: '3' });
      const { peer } = await broker.receive();
      expect(taken.map((call) => call.peer), 'a socket that is free again').toContain(peer);
      answer(broker, { peer, id: '' }, 'echo.result', text('3'));
      await again;
    });

    it('C1, R13: what goes beyond its share is refused here, and not sent', async () => {
      using broker = await wire.listen();
      await using client = open(wire, broker, { share: 2 });
      const calls = [client.call(echoGet, { text: '1' }), client.call(echoGet, { text: '2' })];
      expect(await failureOf(client.call(echoGet, { text: '3' }))).toEqual({ code: 'OVERLOADED', kind: 'CallerError' });
      const taken = [await takeCall(broker, 'echo.get'), await takeCall(broker, 'echo.get')];
      for (const call of taken) answer(broker, call, 'echo.result', text(''));
      await Promise.all(calls);
      const next = client.call(echoGet, { text: '4' });
      const call = await takeCall(broker, 'echo.get');
      expect(call.data).toEqual({ text: '4' });
      answer(broker, call, 'echo.result', text(''));
      await next;
    });
  });

  describe('C2: every call ends', { concurrent: true }, () => {
    it.each([[300, 270], [1000, 900], [10_000, 9750]])('C2: of %i ms the broker is given %i', async (timeoutMs, givenMs) => {
      using broker = await wire.listen();
      await using client = open(wire, broker);
      const first = client.call(echoGet, {});
      answer(broker, await takeCall(broker, 'echo.get'), 'echo.result', text('connected'));
      await first;
      const call = client.call(echoGet, {}, { timeoutMs });
      const taken = await takeCall(broker, 'echo.get');
      expect(taken.timeoutMs).toBeLessThanOrEqual(givenMs);
      expect(taken.timeoutMs).toBeGreaterThan(givenMs * 0.8);
      answer(broker, taken, 'echo.result', text(''));
      await call;
    });

    it.each(['majordomus', 'domogik', 'rfc'] as const)('C2: in %s a call ends at its own deadline, and a late answer reaches no later call', async (dialect) => {
      using broker = await wire.listen();
      await using client = open(wire, broker, { dialect });
      const idOf = (frames: Received['message']): string => (dialect === 'rfc' ? '' : frames[0] ?? '');
      // What is to time out is connected first: what could not be sent is NOT_CONNECTED.
      const first = client.call(echoGet, {});
      const connected = await broker.receive();
      answer(broker, { peer: connected.peer, id: idOf(connected.message) }, 'echo.result', text('connected'));
      await first;
      const beganMs = performance.now();
      const [failure, late] = await Promise.all([failureOf(client.call(echoGet, {}, { timeoutMs: 300 })), broker.receive()]);
      expect(failure).toEqual({ code: 'DEADLINE_EXCEEDED', kind: 'BusError' });
      expect(performance.now() - beganMs).toBeGreaterThanOrEqual(298);
      expect(performance.now() - beganMs).toBeLessThan(3000);
      const next = client.call(echoGet, {}, { timeoutMs: 5000 });
      const { peer, message } = await broker.receive();
      answer(broker, { peer: late.peer, id: idOf(late.message) }, 'echo.result', text('late'));
      answer(broker, { peer, id: idOf(message) }, 'echo.result', text('in time'));
      expect(await next).toEqual({ text: 'in time' });
    });

    it.each([
      { what: 'an mq.error of the broker', action: 'mq.error', data: { status: false, code: 'OVERLOADED', reason: 'full' }, code: 'OVERLOADED' },
      { what: 'a refusal of the peer', action: 'echo.result', data: { status: false, code: 'NOT_TODAY', reason: 'it rains' }, code: 'NOT_TODAY' },
      { what: 'a refusal without a code, as Domogik’s', action: 'echo.result', data: { status: false, reason: 'no' }, code: 'FAILED' },
      { what: 'an answer that breaks its contract', action: 'echo.result', data: { status: true, reason: '' }, code: 'BAD_REPLY' },
    ])('C2: $what ends the call with its code', async ({ action, data, code }) => {
      using broker = await wire.listen();
      await using client = open(wire, broker);
      const call = client.call(echoGet, {});
      answer(broker, await takeCall(broker, 'echo.get'), action, data);
      expect(await failureOf(call)).toEqual({ code, kind: 'PeerError' });
    });

    it.each([[[]], [['']], [['echo.result', 'x']], [['echo.result', '[]']], [['echo.result', '{}', '{}']]])('C2: an answer of %j is BAD_REPLY', async (body) => {
      using broker = await wire.listen();
      await using client = open(wire, broker);
      const call = client.call(echoGet, {});
      const { peer, id } = await takeCall(broker, 'echo.get');
      broker.send(peer, id, '', 'MDPC01', 'echo', ...body);
      expect(await failureOf(call)).toEqual({ code: 'BAD_REPLY', kind: 'PeerError' });
    });

    it('C2: what is no answer to an open call is ignored', async () => {
      using broker = await wire.listen();
      await using client = open(wire, broker);
      const call = client.call(echoGet, {});
      const taken = await takeCall(broker, 'echo.get');
      broker.send(taken.peer, 'x');
      broker.send(taken.peer, '', 'MDPC01', 'echo', 'echo.result', '{"text":"no id"}');
      broker.send(taken.peer, 'idid', '', 'MDPC01', 'echo', 'echo.result', '{"text":"another id"}');
      broker.send(taken.peer, taken.id, '', 'MDPW01', '\x05');
      answer(broker, taken, 'echo.result', text('this one'));
      expect(await call).toEqual({ text: 'this one' });
    });

    it('C2, R17: an AbortSignal ends a call at once, and cancels it at the broker under its own id', async () => {
      using broker = await wire.listen();
      await using client = open(wire, broker);
      const controller = new AbortController();
      const call = failureOf(client.call(echoGet, {}, { signal: controller.signal }));
      const { peer, id } = await takeCall(broker, 'echo.get');
      controller.abort();
      expect(await call).toEqual({ code: 'ABORTED', kind: 'CallerError' });
      expect(await broker.receive()).toEqual({ peer, message: [id, '', 'MDPC01', 'mmi.cancel'] });
      expect(await failureOf(client.call(echoGet, {}, { signal: controller.signal }))).toMatchObject({ code: 'ABORTED' });
    });

    it('C2: close ends every open call', async () => {
      using broker = await wire.listen();
      const client = open(wire, broker);
      const calls = [failureOf(client.call(echoGet, {})), failureOf(client.call(echoGet, {}))];
      await takeCall(broker, 'echo.get');
      await client.close();
      await client.close();
      expect(await Promise.all([...calls, failureOf(client.call(echoGet, {}))])).toEqual(Array.from({ length: 3 }, () => ({ code: 'CLIENT_CLOSED', kind: 'CallerError' })));
    });
  });

  describe('C3: trying again', () => {
    it('C3: an idempotent action is tried again after WORKER_LOST, within the deadline of its caller', async () => {
      using broker = await wire.listen();
      await using client = open(wire, broker);
      const call = client.call(echoGet, {}, { timeoutMs: 5000 });
      const first = await takeCall(broker, 'echo.get');
      await timePasses(50);
      answer(broker, first, 'mq.error', { status: false, code: 'WORKER_LOST', reason: 'gone' });
      const second = await takeCall(broker, 'echo.get');
      expect(second.id).not.toBe(first.id);
      expect(second.timeoutMs).toBeLessThanOrEqual(first.timeoutMs - 45);
      answer(broker, second, 'echo.result', text('second'));
      expect(await call).toEqual({ text: 'second' });
    });

    it('C3: an idempotent action is tried again after BROKER_LOST', async () => {
      const first = await wire.listen();
      await using client = open(wire, first);
      const call = client.call(echoGet, {}, { timeoutMs: 8000 });
      await takeCall(first, 'echo.get');
      first.close();
      using second = await wire.listen(first.endpoint);
      answer(second, await takeCall(second, 'echo.get'), 'echo.result', text('second'));
      expect(await call).toEqual({ text: 'second' });
    });

    it.each(['WORKER_LOST', 'OVERLOADED', 'DEADLINE_EXCEEDED'])('C3: any other action is not tried again after %s', async (code) => {
      using broker = await wire.listen();
      await using client = open(wire, broker);
      const ring = failureOf(client.call(bellRing, { times: 1 }));
      answer(broker, await takeCall(broker, 'bell.ring.do'), 'mq.error', { status: false, code, reason: 'a reason' });
      expect(await ring).toMatchObject({ code });
      const next = client.call(echoGet, {});
      answer(broker, await takeCall(broker, 'echo.get'), 'echo.result', text(''));
      await next;
    });
  });

  describe('C4: no broker', () => {
    it('C4: a call that is made while no broker is there is sent when it comes, with the time that is left', async () => {
      const endpoint = await wire.absentEndpoint();
      await using client = open(wire, { endpoint });
      const call = client.call(bellRing, { times: 1 }, { timeoutMs: 6000 });
      const madeMs = performance.now();
      expect(client.isConnected).toBe(false);
      using broker = await wire.listen(endpoint);
      const taken = await takeCall(broker, 'bell.ring.do');
      expect(taken.timeoutMs).toBeLessThanOrEqual(6000 - 250);
      expect(taken.timeoutMs).toBeGreaterThan(6000 - 250 - (performance.now() - madeMs) - 50);
      answer(broker, taken, 'bell.ring.result', { status: true, reason: '', rung: 1 });
      expect(await call).toEqual({ rung: 1 });
      expect(client.isConnected).toBe(true);
    });

    it.each(['majordomus', 'rfc'] as const)('C4: in %s what could not be sent in time is NOT_CONNECTED, and never sent later', async (dialect) => {
      const endpoint = await wire.absentEndpoint();
      await using client = open(wire, { endpoint }, { dialect });
      const beganMs = performance.now();
      expect(await failureOf(client.call(bellRing, { times: 1 }, { timeoutMs: 200 }))).toEqual({ code: 'NOT_CONNECTED', kind: 'BusError' });
      expect(performance.now() - beganMs).toBeGreaterThanOrEqual(198);
      using broker = await wire.listen(endpoint);
      const next = client.call(echoGet, { text: 'first to arrive' }, { timeoutMs: 8000 });
      const { peer, message } = await broker.receive();
      expect(message.slice(-2)).toEqual(['echo.get', '{"text":"first to arrive"}']);
      answer(broker, { peer, id: dialect === 'rfc' ? '' : message[0] ?? '' }, 'echo.result', text(''));
      await next;
    });

    it('C4: a connection that closes ends every open call with BROKER_LOST at once', async () => {
      const broker = await wire.listen();
      await using client = open(wire, broker);
      const calls = [1, 2, 3].map((times) => failureOf(client.call(bellRing, { times }, { timeoutMs: 10_000 })));
      for (let i = 0; i < 3; i += 1) await takeCall(broker, 'bell.ring.do');
      const closedMs = performance.now();
      broker.close();
      expect(await Promise.all(calls)).toEqual(calls.map(() => ({ code: 'BROKER_LOST', kind: 'BusError' })));
      // By its silence it would be found after five seconds.
      expect(performance.now() - closedMs).toBeLessThan(3000);
    });
  });
}
