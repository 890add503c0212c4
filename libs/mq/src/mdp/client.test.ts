import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientDriver } from '../../test/client-driver.ts';
import type { Dialect, OpenCall, Unsendable } from './client.ts';

/** The correlation id of a message that was sent. */
function idOf(message: readonly string[] | undefined): string {
  return message?.[0] ?? expect.unreachable();
}

describe('C1: one socket, many open requests', () => {
  it.each<Dialect>(['majordomus', 'domogik'])('C1: %s takes timeout and correlation id', (dialect) => {
    const client = ClientDriver.connected(dialect);
    client.call('a');
    const [message] = client.sent();
    expect(message).toEqual([expect.any(String), '', 'MDPC01', 'echo', '9.750', 'do', '{}']);
    expect(idOf(message)).toHaveLength(4);
  });

  it('C1: rfc takes neither: the documentation’s own frames', () => {
    const client = ClientDriver.connected('rfc');
    client.call('a', 10_000, 'dbmanager', ['config.get', '{"key":"protocol"}']);
    expect(client.sent()).toEqual([['', 'MDPC01', 'dbmanager', 'config.get', '{"key":"protocol"}']]);
    client.reply(undefined, 'config.result', '{}');
    expect(client.outcomes).toEqual({ a: 'config.result {}' });
  });

  it('C1: replies are matched by correlation id, in any order', () => {
    const client = ClientDriver.connected();
    for (const name of ['a', 'b', 'c']) client.call(name);
    const [a, b, c] = client.sent().map(idOf);
    client.reply(c, 'for c');
    client.reply(a, 'for a');
    client.reply(b, 'for b', '');
    expect(client.outcomes).toEqual({ a: 'for a', b: 'for b ', c: 'for c' });
    expect(client.machine.openCalls).toBe(0);
  });

  it('C1: a client refuses locally what goes beyond its share', () => {
    const client = ClientDriver.connected('majordomus', 2);
    for (const name of ['a', 'b', 'c']) client.call(name);
    const [first, , third] = client.sent();
    expect([client.outcomes, third]).toEqual([{ c: 'OVERLOADED' }, undefined]);
    client.reply(idOf(first), 'ok');
    client.call('d');
    expect(client.sent()).toHaveLength(1);
  });

  it('C1: in the plain dialect one request at a time', () => {
    const client = ClientDriver.connected('rfc');
    client.call('a');
    client.call('b');
    expect(client.outcomes).toEqual({ b: 'OVERLOADED' });
  });
});

describe('C2: every call ends', () => {
  it.each([[10_000, '9.750'], [2500, '2.250'], [1000, '0.900'], [100, '0.090'], [0.4, '0.000']])('C2: of %d ms the broker is given %s s', (timeoutMs, seconds) => {
    const client = ClientDriver.connected();
    client.call('a', timeoutMs);
    expect(client.sent()[0]?.[4]).toBe(seconds);
  });

  it('C2: the broker is given what is left when the connection comes', () => {
    const client = new ClientDriver();
    client.call('a', 10_000);
    client.advance(9000);
    client.connected();
    expect(client.sent()[0]?.[4]).toBe('0.900');
  });

  it.each<Dialect>(['majordomus', 'domogik', 'rfc'])('C2: at its own deadline at the latest, and a late reply is dropped (%s)', (dialect) => {
    const client = ClientDriver.connected(dialect);
    client.call('a', 1000);
    const [message] = client.sent();
    client.advance(999);
    expect(client.outcomes).toEqual({});
    client.advance(1);
    expect(client.outcomes).toEqual({ a: 'DEADLINE_EXCEEDED' });
    client.reply(dialect === 'rfc' ? undefined : idOf(message), 'late');
    expect(client.outcomes).toEqual({ a: 'DEADLINE_EXCEEDED' });
  });

  it('C2: in the plain dialect a late reply cannot be taken for the next one: the socket is replaced', () => {
    const client = ClientDriver.connected('rfc');
    client.call('a', 1000);
    client.advance(1000);
    client.call('b', 5000);
    client.reply(undefined, 'late');
    client.advance(100);
    expect(client.did()).toEqual(['close', 'open']);
    client.sent();
    client.connected();
    expect(client.sent()).toHaveLength(1);
    client.reply(undefined, 'for b');
    expect(client.outcomes).toEqual({ a: 'DEADLINE_EXCEEDED', b: 'for b' });
  });

  it('C2: what is no reply, or to nobody, is ignored', () => {
    const client = ClientDriver.connected();
    client.call('a');
    const id = idOf(client.sent()[0]);
    client.receive();
    client.receive('', 'MDPC01', 'echo', 'no id');
    client.receive(id, 'MDPC01', 'echo', 'no empty frame');
    client.receive(id, '', 'MDPW01', 'echo', 'not for clients');
    client.receive(id, id, '', 'MDPC01', 'echo', 'two ids');
    client.reply('\xff\xff\xff\xff', 'to nobody');
    expect(client.outcomes).toEqual({});
    client.reply(id, 'good');
    client.reply(id, 'again');
    expect(client.outcomes).toEqual({ a: 'good' });
  });

  it('C2, R17: cancelling ends a call, at the broker too, under its own address frames', () => {
    const client = ClientDriver.connected();
    const call = client.call('a');
    const id = idOf(client.sent()[0]);
    client.cancel(call);
    expect(client.outcomes).toEqual({ a: 'ABORTED' });
    expect(client.sent()).toEqual([[id, '', 'MDPC01', 'mmi.cancel']]);
    client.cancel(call);
    client.reply(id, 'late');
    expect([client.outcomes, client.sent()]).toEqual([{ a: 'ABORTED' }, []]);
  });

  it('C2: Domogik’s broker knows no cancel, and in the plain dialect the socket is replaced', () => {
    const domogik = ClientDriver.connected('domogik');
    domogik.cancel(domogik.call('a'));
    expect(domogik.sent()).toHaveLength(1);
    const rfc = ClientDriver.connected('rfc');
    rfc.cancel(rfc.call('a'));
    expect([rfc.sent().length, rfc.did()]).toEqual([1, ['close']]);
  });

  it.each<Dialect>(['majordomus', 'rfc'])('C2: a call that is cancelled before it was sent never is (%s)', (dialect) => {
    const client = new ClientDriver(dialect);
    client.cancel(client.call('a'));
    client.connected();
    expect([client.outcomes, client.sent()]).toEqual([{ a: 'ABORTED' }, []]);
  });

  it('C2: closing ends every open call, and later ones at once', () => {
    const client = ClientDriver.connected();
    client.call('a');
    client.end();
    client.call('b');
    client.end();
    expect([client.outcomes, client.did()]).toEqual([{ a: 'CLIENT_CLOSED', b: 'CLIENT_CLOSED' }, ['close']]);
    client.connected();
    client.disconnected();
    client.advance(60_000);
    expect([client.sent().length, client.did()]).toEqual([1, []]);
  });

  it('C2: closing while it waits to connect again opens nothing any more', () => {
    const client = ClientDriver.connected();
    client.disconnected();
    client.end();
    client.advance(10_000);
    expect(client.did()).toEqual(['close']);
  });
});

describe('C4: nothing is queued for a broker that is not connected', () => {
  it('C4: a call waits for the connection inside its own deadline', () => {
    const client = new ClientDriver();
    client.call('a');
    client.call('b');
    client.advance(5000);
    expect(client.sent()).toEqual([]);
    client.connected();
    expect(client.sent().map((message) => message.slice(1))).toEqual([['', 'MDPC01', 'echo', '4.750', 'do', '{}'], ['', 'MDPC01', 'echo', '4.750', 'do', '{}']]);
  });

  it('C4: its deadline says that nothing was done', () => {
    const client = new ClientDriver();
    client.call('a', 1000);
    client.advance(1000);
    expect(client.outcomes).toEqual({ a: 'NOT_CONNECTED' });
    client.connected();
    expect(client.sent()).toEqual([]);
  });

  it.each<Dialect>(['majordomus', 'domogik', 'rfc'])('C4: a call whose deadline has passed is not sent, though nobody had time to say so yet (%s)', (dialect) => {
    const client = new ClientDriver(dialect);
    client.call('a', 1000);
    client.nowMs += 8000;
    client.connected();
    expect(client.sent()).toEqual([]);
    client.tick();
    expect(client.outcomes).toEqual({ a: 'NOT_CONNECTED' });
  });

  it.each<Dialect>(['majordomus', 'rfc'])('C4: nor one that is made without any time (%s)', (dialect) => {
    const client = ClientDriver.connected(dialect);
    client.call('a', 0);
    client.tick();
    expect(client.sent()).toEqual([]);
    expect(Object.keys(client.outcomes)).toEqual(['a']);
  });

  it('C4: the disconnect event ends every call that was sent with BROKER_LOST', () => {
    const client = ClientDriver.connected();
    client.call('a');
    client.call('b');
    client.disconnected();
    expect(client.outcomes).toEqual({ a: 'BROKER_LOST', b: 'BROKER_LOST' });
  });

  it('C4: a reply over an old connection, or while there is none, is not taken', () => {
    const client = ClientDriver.connected();
    client.call('a');
    const id = idOf(client.sent()[0]);
    client.disconnected();
    client.call('b');
    client.reply(id, 'late');
    expect(client.outcomes).toEqual({ a: 'BROKER_LOST' });
  });

  it('C4: what the transport could not send was not done: it waits for the next connection inside its own deadline', () => {
    const client = ClientDriver.connected();
    client.call('a', 10_000);
    const [message] = client.sent();
    client.unsendable(message ?? []);
    expect(client.outcomes).toEqual({});
    client.disconnected();
    expect(client.outcomes).toEqual({});
    client.advance(100);
    client.connected();
    const [again] = client.sent();
    client.reply(idOf(again), 'ok');
    expect(client.outcomes).toEqual({ a: 'ok' });
  });

  it('C4: … and ends as not done, when no other connection comes', () => {
    const client = ClientDriver.connected();
    client.call('a', 1000);
    client.unsendable(client.sent()[0] ?? []);
    client.advance(1000);
    expect(client.outcomes).toEqual({ a: 'NOT_CONNECTED' });
    client.unsendable(['', 'MDPC01', 'echo']);
    client.unsendable([]);
  });

  it('C4: what a broker that does not read was not sent ends at once as not done, and only that', () => {
    const client = ClientDriver.connected();
    client.call('a');
    client.call('b');
    const [a, b] = client.sent();
    client.unsendable(b ?? [], 'full');
    expect(client.outcomes).toEqual({ b: 'NOT_READ' });
    client.reply(idOf(a), 'ok');
    client.disconnected();
    client.advance(100);
    client.connected();
    expect([client.outcomes, client.sent()]).toEqual([{ a: 'ok', b: 'NOT_READ' }, []]);
  });

  it('C4: it connects again by itself, later each time until a broker has spoken', () => {
    const client = new ClientDriver('majordomus', 10, () => 0.999_999);
    const waits = [false, false, false, true, false].map((spoken) => {
      client.connected();
      if (spoken) client.reply('none', 'hello');
      client.did();
      client.disconnected();
      const fromMs = client.nowMs;
      expect(client.did()).toEqual(['close']);
      while (!client.did().includes('open')) client.advance(1);
      return client.nowMs - fromMs;
    });
    expect(waits).toEqual([100, 200, 400, 100, 200]);
  });
});

describe('whatever happens', () => {
  const event = fc.oneof(
    fc.record({ call: fc.integer({ min: -10, max: 3000 }) }),
    fc.record({ reply: fc.nat(5) }), fc.record({ cancel: fc.nat(5) }), fc.record({ unsendable: fc.nat(3), why: fc.constantFrom<Unsendable>('closed', 'full') }), fc.record({ wait: fc.nat(1500) }),
    fc.record({ receive: fc.array(fc.oneof(fc.constantFrom('', 'MDPC01', '\x00\x00\x00\xff'), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 6 }) }),
    fc.constantFrom('connected', 'connected', 'connected', 'disconnected', 'tick'),
  );

  it.each<Dialect>(['majordomus', 'domogik', 'rfc'])('every call ends exactly once, never with the answer to another, and by its deadline (%s)', (dialect) => {
    fc.assert(fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const client = new ClientDriver(dialect, 4, () => 0.5);
      const calls: { readonly name: string; readonly handle: OpenCall; readonly deadlineMs: number }[] = [];
      let messages: string[][] = [];
      for (const each of events) {
        if (typeof each === 'string') client[each]();
        else if ('wait' in each) client.advance(each.wait);
        else if ('receive' in each) {
          // In the plain dialect any well-formed reply is one; in the others none is whose id no call has.
          if (dialect !== 'rfc' || !each.receive.includes('MDPC01')) client.receive(...each.receive);
        } else if ('call' in each) {
          const name = `call ${calls.length}`;
          calls.push({ name, handle: client.call(name, each.call, 'echo', ['do', name]), deadlineMs: client.nowMs + each.call });
        } else if ('cancel' in each) {
          const call = calls.at(-1 - each.cancel);
          if (call !== undefined) client.cancel(call.handle);
        } else if ('unsendable' in each) client.unsendable(messages.at(-1 - each.unsendable) ?? [], each.why);
        else {
          // In the plain dialect a socket carries the reply to the last request only.
          const message = messages.at(dialect === 'rfc' ? -1 : -1 - each.reply);
          if (message !== undefined && (dialect !== 'rfc' || client.machine.isConnected)) client.reply(dialect === 'rfc' ? undefined : idOf(message), message.at(-1) ?? '');
        }
        if (client.did().includes('close') && dialect === 'rfc') messages = [];
        messages.push(...client.sent().filter((message) => !message.includes('mmi.cancel')));
      }
      for (const { name } of calls) expect([undefined, name, 'DEADLINE_EXCEEDED', 'NOT_CONNECTED', 'BROKER_LOST', 'OVERLOADED', 'NOT_READ', 'ABORTED']).toContain(client.outcomes[name]);
      const lastMs = Math.max(client.nowMs, ...calls.map(({ deadlineMs }) => deadlineMs));
      client.advance(lastMs - client.nowMs);
      for (const { name } of calls) expect(client.outcomes[name]).toBeDefined();
      expect(client.machine.openCalls).toBe(0);
    }), { numRuns: 300 });
  });
});
