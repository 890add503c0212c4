// A client to extend: each request ends with one call, of `onMessage` or of `onError`.
import { describe, expect, it } from 'vitest';
import { bellRing, echoGet } from '../test/contracts.ts';
import { Inbox } from '../test/conformance/wire.ts';
import { Broker } from './broker.ts';
import { Handlers } from './handlers.ts';
import { memoryTransport } from './memory.ts';
import { MessageClient, type Asked } from './message-client.ts';
import type { CallError } from './mdp/errors.ts';
import type { Message } from './message.ts';
import { Worker } from './worker.ts';

const endpoint = 'memory://house';

class PlainClient extends MessageClient {
  readonly heard = new Inbox<readonly [Message | string, Asked]>();

  protected override onMessage(message: Message, asked: Asked): void {
    this.heard.put([message, asked]);
  }
}

class TestClient extends PlainClient {
  protected override onError({ code }: CallError, asked: Asked): void {
    this.heard.put([code, asked]);
  }
}

interface House extends AsyncDisposable {
  readonly client: TestClient;
  readonly transport: ReturnType<typeof memoryTransport>;
}

async function openHouse(): Promise<House> {
  const transport = memoryTransport();
  const broker = await Broker.bind({ endpoint, transport });
  const handlers = new Handlers().on(echoGet, ({ text }) => ({ text })).on(bellRing, () => new Promise(() => {}));
  const worker = new Worker({ endpoint, transport, service: 'echo', handlers, capacity: 8, stopLimitMs: 0 }).start();
  await worker.registered();
  const client = new TestClient({ endpoint, transport });
  return {
    client,
    transport,
    async [Symbol.asyncDispose]() {
      await client.close();
      await worker.stop();
      await broker.close();
    },
  };
}

const echo = (text: unknown): Message => ({ action: 'echo.get', data: { text } });
const ring: Message = { action: 'bell.ring.do', data: { times: 1 } };

describe('a request ends with', () => {
  it('onMessage: the answer as it came, with what was asked, whatever the order of the answers', async () => {
    await using house = await openHouse();
    const asked = ['one', 'two', 'three'].map((text): Asked => ({ service: 'echo', message: echo(text) }));
    for (const { service, message } of asked) house.client.request(service, message);
    for (const one of asked) expect(await house.client.heard.take('an answer')).toEqual([{ action: 'echo.result', data: { status: true, reason: '', text: one.message.data['text'] } }, one]);
  });

  it('onMessage, also for an answer that is a no', async () => {
    await using house = await openHouse();
    house.client.request('echo', echo(7));
    const [message] = await house.client.heard.take('an answer');
    expect(message).toMatchObject({ action: 'echo.result', data: { status: false, code: 'INVALID_DATA' } });
  });

  it('onError when there is no answer: at its deadline, at a cancel, at the close, and from the broker', async () => {
    await using house = await openHouse();
    const cancelled = new AbortController();
    const told = async (code: string, message = ring): Promise<void> => { expect(await house.client.heard.take(code)).toEqual([code, { service: 'echo', message }]); };
    // What is to time out is connected first.
    house.client.request('echo', echo('connected'));
    await house.client.heard.take('an answer');
    house.client.request('echo', ring, { timeoutMs: 20 });
    await told('DEADLINE_EXCEEDED');
    house.client.request('echo', { action: 'echo.unknown', data: {} });
    await told('ACTION_UNKNOWN', { action: 'echo.unknown', data: {} });
    house.client.request('echo', ring, { signal: cancelled.signal });
    cancelled.abort();
    await told('ABORTED');
    house.client.request('echo', ring);
    await house.client.close();
    await house.client.close();
    await told('CLIENT_CLOSED');
    house.client.request('echo', ring);
    await told('CLIENT_CLOSED');
  });
});

it('without an onError of its own an error is a warning of the process, but for those of its own close', async () => {
  await using house = await openHouse();
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  try {
    await using client = new PlainClient({ endpoint, transport: house.transport });
    client.request('echo', ring);
    client.request('echo', { action: 'echo.unknown', data: {} });
    await expect.poll(() => warnings).toHaveLength(1);
    await client.close();
    await new Promise(setImmediate);
    expect(warnings).toEqual([expect.objectContaining({ code: 'ACTION_UNKNOWN' })]);
  } finally {
    process.off('warning', onWarning);
  }
});
