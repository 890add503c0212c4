// A worker to extend: what becomes of each request, however its `onRequest` ends.
import { setTimeout as timePasses } from 'node:timers/promises';
import { ActionFailure } from '@majordomus/contracts';
import { describe, expect, it, vi } from 'vitest';
import { Broker } from './broker.ts';
import { Client } from './client.ts';
import { memoryTransport } from './memory.ts';
import type { Message } from './message.ts';
import { RequestWorker, type WorkerRequest } from './request-worker.ts';
import type { BusLog } from './worker.ts';

const endpoint = 'memory://house';

type Behaviour = (request: WorkerRequest, worker: TestWorker) => void | Promise<void>;

class TestWorker extends RequestWorker {
  /** A field of a subclass, which is set after the constructor of the worker. */
  readonly behaviour: Behaviour;

  constructor(behaviour: Behaviour, options: { readonly transport: ReturnType<typeof memoryTransport>; readonly log: BusLog; readonly capacity?: number }) {
    super({ endpoint, service: 'test_rep', ...options });
    this.behaviour = behaviour;
  }

  protected override onRequest(request: WorkerRequest): void | Promise<void> {
    return this.behaviour(request, this);
  }

  /** As `this.reply` in a subclass. */
  answer(message: Message): void {
    this.reply(message);
  }
}

interface House extends AsyncDisposable {
  readonly transport: ReturnType<typeof memoryTransport>;
  readonly client: Client;
  readonly worker: TestWorker;
  /** What was logged as an error. */
  readonly logged: unknown[];
}

async function openHouse(behaviour: Behaviour, capacity?: number): Promise<House> {
  const transport = memoryTransport();
  const logged: unknown[] = [];
  const log: BusLog = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: (fields) => logged.push((fields as { err: unknown }).err) };
  const broker = await Broker.bind({ endpoint, transport });
  const worker = new TestWorker(behaviour, { transport, log, ...(capacity !== undefined && { capacity }) }).start();
  await worker.registered();
  const client = new Client({ endpoint, transport });
  return {
    transport,
    client,
    worker,
    logged,
    async [Symbol.asyncDispose]() {
      await client.close();
      await worker.stop();
      await broker.close();
    },
  };
}

const foo: Message = { action: 'foo.this.do', data: { a_key: 'a value' } };
const fooResult: Message = { action: 'foo.this.result', data: { another_key: 'another_value' } };
const ask = async ({ client }: House, message = foo): Promise<Message> => await client.request('test_rep', message);

describe('a request is answered', () => {
  it('by reply, with exactly the message that it is given', async () => {
    const seen: unknown[] = [];
    await using house = await openHouse(({ action, data }, worker) => {
      seen.push({ action, data });
      worker.answer(fooResult);
    });
    expect(await ask(house)).toEqual(fooResult);
    expect(seen).toEqual([foo]);
  });

  it('by a reply after an await, from a callback, and by its own reply', async () => {
    await using house = await openHouse(async ({ data, reply }, worker) => {
      await timePasses(1);
      if (data['by'] === 'await') worker.answer(fooResult);
      else if (data['by'] === 'itself') reply(fooResult);
      else await new Promise<void>((resolve) => { setImmediate(() => { worker.answer(fooResult); resolve(); }); });
    });
    for (const by of ['await', 'itself', 'callback']) expect(await ask(house, { action: 'foo.get', data: { by } }), by).toEqual(fooResult);
  });

  it('each with its own, also when several are in hand and end in another order', async () => {
    const held: (() => void)[] = [];
    await using house = await openHouse(async ({ data }, worker) => {
      await new Promise<void>((resolve) => { held.push(resolve); });
      worker.answer({ action: 'foo.result', data });
    }, 3);
    const asked = [0, 1, 2].map(async (n) => (await ask(house, { action: 'foo.get', data: { n } })).data['n']);
    await expect.poll(() => held).toHaveLength(3);
    for (const finish of held.toReversed()) finish();
    expect(await Promise.all(asked)).toEqual([0, 1, 2]);
  });

  it('at once: onRequest may go on after its reply', async () => {
    const end = Promise.withResolvers<void>();
    await using house = await openHouse(async (_request, worker) => {
      worker.answer(fooResult);
      await end.promise;
    });
    expect(await ask(house)).toEqual(fooResult);
    expect(await ask(house)).toEqual(fooResult);
    end.resolve();
  });
});

describe('W3: a request is answered also when', () => {
  it('onRequest ends without a reply: with NO_REPLY, at once', async () => {
    await using house = await openHouse(() => {});
    await expect(ask(house)).rejects.toMatchObject({ name: 'PeerError', code: 'NO_REPLY', message: 'test_rep has no answer to foo.this.do' });
  });

  it('it throws, or its promise rejects: with INTERNAL under the action that is expected, and the log has why', async () => {
    const mistake = new RangeError('a mistake');
    await using house = await openHouse(({ data }) => {
      if (data['how'] === 'throws') throw mistake;
      return Promise.reject(mistake);
    });
    for (const how of ['throws', 'rejects']) {
      const { action, data } = await ask(house, { action: 'foo.this.do', data: { how } });
      expect({ action, data }).toMatchObject({ action: 'foo.this.result', data: { status: false, code: 'INTERNAL' } });
      expect(JSON.stringify(data)).not.toContain('a mistake');
    }
    expect(house.logged).toEqual([mistake, mistake]);
  });

  it('it refuses: with the code and details of the ActionFailure, and nothing is logged', async () => {
    await using house = await openHouse(() => { throw new ActionFailure('LAMP_BROKEN', 'the lamp is broken', { lamp: 7 }); });
    expect((await ask(house)).data).toEqual({ status: false, code: 'LAMP_BROKEN', reason: 'the lamp is broken', lamp: 7 });
    expect(house.logged).toEqual([]);
  });

  it('its body is not a message: with BAD_REQUEST, and onRequest is not called', async () => {
    const called = vi.fn<Behaviour>();
    await using house = await openHouse(called);
    await using plain = new Client({ endpoint, transport: house.transport, dialect: 'rfc' });
    expect(await plain.manage('test_rep', '')).toBe('mq.error');
    expect(called).not.toHaveBeenCalled();
  });

  it('the reply cannot be written as JSON: with INTERNAL', async () => {
    await using house = await openHouse((_request, worker) => { worker.answer({ action: 'foo.result', data: { big: 1n } }); });
    expect((await ask(house)).data).toMatchObject({ status: false, code: 'INTERNAL' });
    expect(house.logged).toEqual([expect.any(TypeError)]);
  });
});

describe('a reply too many', () => {
  it('the second one throws ALREADY_REPLIED in its author’s code; the first one stands', async () => {
    const second = vi.fn<(error: unknown) => void>();
    await using house = await openHouse(({ reply }, worker) => {
      worker.answer(fooResult);
      for (const again of [reply, (message: Message) => { worker.answer(message); }]) {
        try {
          again({ action: 'foo.late', data: {} });
        } catch (error) {
          second(error);
        }
      }
    });
    expect(await ask(house)).toEqual(fooResult);
    expect(second.mock.calls).toEqual([[expect.objectContaining({ code: 'ALREADY_REPLIED' })], [expect.objectContaining({ code: 'ALREADY_REPLIED' })]]);
  });

  it('one after onRequest has ended throws ALREADY_REPLIED too: its caller was told NO_REPLY', async () => {
    const kept = Promise.withResolvers<WorkerRequest>();
    await using house = await openHouse((request) => { kept.resolve(request); });
    await expect(ask(house)).rejects.toMatchObject({ code: 'NO_REPLY' });
    const { reply } = await kept.promise;
    expect(() => { reply(fooResult); }).toThrow('foo.this.do was answered with NO_REPLY already; foo.this.result was not sent');
  });

  it('what onRequest throws after its reply is in the log, and the answer stands', async () => {
    const mistake = new RangeError('a mistake');
    await using house = await openHouse((_request, worker) => {
      worker.answer(fooResult);
      throw mistake;
    });
    expect(await ask(house)).toEqual(fooResult);
    await expect.poll(() => house.logged).toEqual([mistake]);
  });

  it('one outside of any request throws NO_REQUEST', async () => {
    await using house = await openHouse(() => {});
    expect(() => { house.worker.answer(fooResult); }).toThrow(expect.objectContaining({ code: 'NO_REQUEST' }));
  });
});

it('W2: the signal of a request fires when its caller gives up', async () => {
  const given = Promise.withResolvers<AbortSignal>();
  await using house = await openHouse(async ({ signal, reply }) => {
    given.resolve(signal);
    await new Promise((resolve) => { signal.addEventListener('abort', resolve, { once: true }); });
    reply(fooResult);
  }, 2);
  const giveUp = new AbortController();
  const asked = house.client.request('test_rep', foo, { signal: giveUp.signal });
  expect((await given.promise).aborted).toBe(false);
  giveUp.abort();
  await expect(asked).rejects.toMatchObject({ code: 'ABORTED' });
  await expect.poll(async () => (await given.promise).aborted).toBe(true);
});

it('W2: a signal that a handler asks for only afterwards has fired already', async () => {
  const held = Promise.withResolvers<WorkerRequest>();
  const end = Promise.withResolvers<void>();
  await using house = await openHouse(async (request) => {
    if (request.action !== foo.action) return request.reply(fooResult);
    held.resolve(request);
    await end.promise;
  }, 2);
  const giveUp = new AbortController();
  const asked = house.client.request('test_rep', foo, { signal: giveUp.signal }).catch(() => {});
  const request = await held.promise;
  giveUp.abort();
  await asked;
  // Answered after CANCEL was read, which came before it.
  await ask(house, { action: 'other', data: {} });
  expect([request.signal.aborted, request.signal.reason]).toEqual([true, expect.objectContaining({ code: 'ABORTED' })]);
  end.resolve();
});
