// Contracts over real sockets: what a handler and a caller may say, at run time and to the compiler.
import { refuse, type configGet, type InputOf, type OutputOf, type RequestOf } from '@majordomus/contracts';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { Broker, Client, Handlers, PeerError, Worker, type Handler } from '../src/index.ts';
import { bellRing, echoGet } from './contracts.ts';

interface House extends AsyncDisposable {
  readonly client: Client;
}

async function openHouse(handlers: Handlers): Promise<House> {
  const broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
  const worker = new Worker({ endpoint: broker.endpoint, service: 'echo', handlers, capacity: 8 }).start();
  await worker.registered();
  const client = new Client({ endpoint: broker.endpoint });
  return {
    client,
    async [Symbol.asyncDispose](): Promise<void> {
      await client.close();
      await worker.stop();
      await broker.close();
    },
  };
}

describe('a typed call', () => {
  it('carries checked data to the handler, defaults filled in, and its result back', async () => {
    const seen: unknown[] = [];
    await using house = await openHouse(new Handlers().on(echoGet, (data) => {
      seen.push(data);
      return data;
    }));
    expect(await house.client.call(echoGet, {})).toEqual({ text: 'silence' });
    expect(await house.client.call(echoGet, { text: 'naïve ☕ \0' })).toEqual({ text: 'naïve ☕ \0' });
    expect(seen).toEqual([{ text: 'silence' }, { text: 'naïve ☕ \0' }]);
  });

  it('fails with the code, reason and details of a refusal', async () => {
    await using house = await openHouse(new Handlers().on(echoGet, ({ text }) => {
      throw refuse(echoGet, 'NOT_TODAY', `no ${text} today`, { tomorrow: true });
    }));
    const error: unknown = await house.client.call(echoGet, { text: 'song' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PeerError);
    expect(error).toMatchObject({ code: 'NOT_TODAY', message: 'no song today', service: 'echo', action: 'echo.get', details: { tomorrow: true } });
  });

  it('fails with INVALID_DATA and a reason for each field when a caller without types gets it wrong', async () => {
    await using house = await openHouse(new Handlers().on(bellRing, ({ times }) => ({ rung: times })));
    const data: { times: number } = JSON.parse('{"times": 0.5}') as { times: number };
    await expect(house.client.call(bellRing, data)).rejects.toMatchObject({ code: 'INVALID_DATA', details: { fields: { times: expect.any(String) as string } } });
  });

  it('reaches a handler by each of its names, and any service by its own', async () => {
    await using house = await openHouse(new Handlers().on(bellRing, ({ times }) => ({ rung: times })));
    for (const action of ['bell.ring.do', 'bell.ring']) {
      expect(await house.client.request('echo', { action, data: { times: 2 } })).toEqual({ action: 'bell.ring.result', data: { status: true, reason: '', rung: 2 } });
    }
    await expect(house.client.call(bellRing, { times: 1 }, { service: 'igor.echo', timeoutMs: 200 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', service: 'igor.echo' });
  });

  it('many at once keep apart', async () => {
    await using house = await openHouse(new Handlers().on(echoGet, async ({ text }) => {
      await new Promise((resolve) => { setImmediate(resolve); });
      return { text };
    }));
    const texts = Array.from({ length: 500 }, (_, i) => String(i));
    const answers = await Promise.all(texts.map((text) => house.client.call(echoGet, { text })));
    expect(answers.map(({ text }) => text)).toEqual(texts);
  });
});

describe('the compiler', () => {
  it('knows what a handler gets and a caller is given', () => {
    expectTypeOf<Parameters<Handler<typeof bellRing>>[0]>().toEqualTypeOf<{ times: number }>();
    expectTypeOf<RequestOf<typeof echoGet>>().toEqualTypeOf<{ text: string }>();
    expectTypeOf<InputOf<typeof echoGet>>().toEqualTypeOf<{ text?: string | undefined }>();
    const call = (client: Client) => client.call(echoGet, {});
    expectTypeOf(call).returns.resolves.toEqualTypeOf<{ text: string }>();
    expectTypeOf<OutputOf<typeof configGet>>().toExtend<{ host: string; plugin: string }>();
  });

  it('refuses a handler, a caller and a refusal that disagree with the contract', () => {
    const handlers = new Handlers();
    // @ts-expect-error the result is a number of rings
    handlers.on(bellRing, () => ({ rung: 'twice' }));
    // @ts-expect-error the result has `rung`
    handlers.on(bellRing, () => ({}));
    // @ts-expect-error and so has a promised one
    handlers.on(bellRing, async () => ({ sung: 1 }));
    // @ts-expect-error there is no `volume` in the request
    handlers.on(bellRing, ({ volume }) => ({ rung: Number(volume) }));
    // @ts-expect-error the code is not one of the contract's
    refuse(echoGet, 'TOMORROW', 'no');
    // @ts-expect-error a contract without codes of its own refuses with none
    refuse(bellRing, 'NOT_TODAY', 'no');
    expectTypeOf<Client['call']>().toBeCallableWith(bellRing, { times: 1 });
    // @ts-expect-error `times` is a number
    void ((client: Client) => client.call(bellRing, { times: 'once' }));
    // @ts-expect-error `times` must be there
    void ((client: Client) => client.call(bellRing, {}));
    // @ts-expect-error the answer has no `sung`
    void (async (client: Client) => (await client.call(bellRing, { times: 1 })).sung);
    expect(handlers.actions).toEqual(['bell.ring.do']);
  });
});
