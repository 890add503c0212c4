import { getEventListeners } from 'node:events';
import { contract } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { read, texts, toBroker, type Part, type Received } from '../test/broker-driver.ts';
import { Broker } from './broker.ts';
import { Client, type ClientOptions } from './client.ts';
import { memoryTransport } from './memory.ts';
import type { BrokerLimits } from './mdp/broker-state.ts';
import { BusError, CallerError, PeerError } from './mdp/errors.ts';
import type { DealerSocket, Transport } from './transport.ts';
import { framesToBroker } from './wire.ts';

const endpoint = 'memory://house';

const get = contract({
  service: 'lamp', action: 'lamp.get', summary: 'The state of a lamp.', idempotent: true,
  input: z.object({ room: z.string() }), output: z.object({ percent: z.number() }), errors: { LAMP_BROKEN: 'The lamp is broken.' },
});
const toggle = contract({ ...get, action: 'lamp.toggle', reply: 'lamp.result', idempotent: false });

const good = ['lamp.result', '{"status":true,"reason":"","percent":40}'];

/** A worker of raw frames, whose behaviour is the test's. */
interface RawWorker {
  readonly requests: Extract<Received, { kind: 'request' }>[];
  readonly cancels: Buffer[];
  answer(token: Buffer, ...body: Part[]): void;
  close(): void;
}

/** A house on a memory transport of its own. */
class House implements AsyncDisposable {
  readonly transport = memoryTransport();
  readonly #stops: (() => unknown)[] = [];
  readonly #limits: Partial<BrokerLimits>;
  #broker: Broker | undefined;

  constructor(limits: Partial<BrokerLimits> = {}) {
    this.#limits = limits;
  }

  static async open(limits: Partial<BrokerLimits> = {}): Promise<House> {
    const house = new House(limits);
    await house.openBroker();
    return house;
  }

  async openBroker(): Promise<void> {
    this.#broker = await Broker.bind({ endpoint, transport: this.transport, limits: this.#limits });
  }

  get broker(): Broker {
    return this.#broker ?? expect.unreachable();
  }

  client(options: Partial<ClientOptions> = {}): Client {
    const client = new Client({ endpoint, transport: this.transport, ...options });
    this.#stops.push(() => client.close());
    return client;
  }

  /** A worker for `lamp` that does with each request what it is told. */
  worker(onRequest: (request: Extract<Received, { kind: 'request' }>, worker: RawWorker) => void, service = 'lamp'): RawWorker {
    const send = (...parts: Part[]): void => socket.send(toBroker(...parts));
    const worker: RawWorker = {
      requests: [], cancels: [],
      answer: (token, ...body) => send('', 'MDPW01', '\x03', token, '', ...body),
      close: () => socket.close(),
    };
    const socket: DealerSocket = this.transport.connect(endpoint, { highWaterMark: 1000, lingerMs: 0 }, {
      connected: () => send('', 'MDPW01', '\x01', service, '100'),
      disconnected: () => socket.close(),
      unsendable: () => {},
      message: (message) => {
        const received = read(message.frames());
        if (received.kind === 'heartbeat') send('', 'MDPW01', '\x04');
        if (received.kind === 'cancel') worker.cancels.push(received.token);
        if (received.kind !== 'request') return;
        worker.requests.push(received);
        onRequest(received, worker);
      },
    });
    this.#stops.push(() => socket.close());
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) await stop();
    await this.#broker?.close();
  }
}

/** The same transport, which keeps what its dealers send. */
function recording(transport: Transport, sent: string[][]): Transport {
  return {
    bind: (...args) => transport.bind(...args),
    connect(...args): DealerSocket {
      const socket = transport.connect(...args);
      return {
        send(message): void {
          sent.push(texts(framesToBroker(message)));
          socket.send(message);
        },
        close: () => socket.close(),
      };
    },
  };
}

const answers = (request: { readonly token: Buffer }, worker: RawWorker): void => worker.answer(request.token, ...good);
const dies = (_request: unknown, worker: RawWorker): void => worker.close();
const sleeps = (): void => {};

describe('a call', () => {
  it('gives what its contract promises', async () => {
    await using house = await House.open();
    const worker = house.worker(answers);
    await expect(house.client().call(get, { room: 'hall' })).resolves.toEqual({ percent: 40 });
    expect(worker.requests[0]?.body).toEqual(['lamp.get', '{"room":"hall"}']);
  });

  it('goes to the service it is told', async () => {
    await using house = await House.open();
    const worker = house.worker(answers, 'igor.lamp');
    await house.client().call(get, { room: 'hall' }, { service: 'igor.lamp' });
    expect(worker.requests).toHaveLength(1);
  });

  it.each<[string, string[], object]>([
    ['a refusal', ['lamp.result', '{"status":false,"code":"LAMP_BROKEN","reason":"no light","watts":0}'], { code: 'LAMP_BROKEN', message: 'no light', details: { watts: 0 } }],
    ['a refusal without code and reason, as Domogik’s', ['lamp.result', '{"status":false}'], { code: 'FAILED', message: 'the peer gave no reason' }],
    ['a refusal with a code of the bus and no reason', ['lamp.result', '{"status":false,"code":"STOPPING","reason":""}'], { code: 'STOPPING', message: expect.stringContaining('stopping') }],
    ['an unknown action', ['mq.error', '{"status":false,"code":"ACTION_UNKNOWN","reason":"no"}'], { code: 'ACTION_UNKNOWN' }],
    ['data that the contract does not promise', ['lamp.result', '{"status":true,"percent":"much"}'], { code: 'BAD_REPLY', message: expect.stringContaining('percent') }],
    ['what is not JSON', ['lamp.result', '{'], { code: 'BAD_REPLY' }],
    ['no frame', [], { code: 'BAD_REPLY' }],
  ])('fails with PeerError at %s', async (_what, body, expected) => {
    await using house = await House.open();
    const worker = house.worker((request) => worker.answer(request.token, ...body));
    const error: unknown = await house.client().call(get, { room: 'hall' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PeerError);
    expect(error).toMatchObject({ service: 'lamp', action: 'lamp.get', ...expected });
    expect(worker.requests).toHaveLength(1);
  });

  it('without its contract gives the reply as it came, also a refusal', async () => {
    await using house = await House.open();
    const worker = house.worker((request) => worker.answer(request.token, 'any.thing', '{"status":false,"code":"X"}'));
    await expect(house.client().request('lamp', { action: 'do', data: {} })).resolves.toEqual({ action: 'any.thing', data: { status: false, code: 'X' } });
  });

  it('to the broker itself is answered as text', async () => {
    await using house = await House.open();
    house.worker(answers);
    const client = house.client();
    await client.call(get, { room: 'hall' });
    await expect(client.manage('mmi.service', 'lamp')).resolves.toBe('200');
    await expect(client.manage('mmi.services')).resolves.toBe('lamp');
  });

  it('C2: fails with DEADLINE_EXCEEDED, and says that it may have run', async () => {
    await using house = await House.open();
    house.worker(sleeps);
    const client = house.client();
    await client.manage('mmi.services');
    const error: unknown = await client.call(toggle, { room: 'hall' }, { timeoutMs: 30 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', message: expect.stringContaining('may have run') });
  });

  it('C4: fails with NOT_CONNECTED when there is no broker, and says what to do', async () => {
    await using house = new House();
    const error: unknown = await house.client().call(get, { room: 'hall' }, { timeoutMs: 20 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BusError);
    expect(error).toMatchObject({ code: 'NOT_CONNECTED', message: expect.stringContaining(endpoint) });
  });

  it('C4: waits for the broker within its time', async () => {
    await using house = new House();
    const call = house.client().call(get, { room: 'hall' });
    await house.openBroker();
    house.worker(answers);
    await expect(call).resolves.toEqual({ percent: 40 });
  });

  it.each([Number.NaN])('is refused with a time-out of %d ms', async (timeoutMs) => {
    await using house = await House.open();
    const worker = house.worker(answers);
    const error: unknown = await house.client().call(get, { room: 'hall' }, { timeoutMs }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CallerError);
    expect(error).toMatchObject({ code: 'BAD_REQUEST' });
    expect(worker.requests).toEqual([]);
  });

  it.each([Infinity, 1e15])('may have all the time in the world (%d ms)', async (timeoutMs) => {
    await using house = await House.open();
    const worker = house.worker(answers);
    await expect(house.client().call(get, { room: 'hall' }, { timeoutMs })).resolves.toEqual({ percent: 40 });
    expect(worker.requests[0]?.body).toEqual(['lamp.get', '{"room":"hall"}']);
  });

  it.each([0, -1])('with %d ms is not sent', async (timeoutMs) => {
    await using house = await House.open();
    const worker = house.worker(answers);
    const client = house.client();
    await client.manage('mmi.services');
    await expect(client.call(toggle, { room: 'hall' }, { timeoutMs })).rejects.toBeInstanceOf(BusError);
    await client.manage('mmi.services');
    expect(worker.requests).toEqual([]);
  });
});

describe('C3: trying again', () => {
  it('C3: an idempotent action is tried again when its worker is lost', async () => {
    await using house = await House.open();
    const first = house.worker((request, worker) => {
      house.worker(answers);
      dies(request, worker);
    });
    await expect(house.client().call(get, { room: 'hall' })).resolves.toEqual({ percent: 40 });
    expect(first.requests).toHaveLength(1);
  });

  it.each([[true, 'lamp.result'], [false, 'WORKER_LOST']])('C3: a plain request that is idempotent: %s ends with %s', async (idempotent, end) => {
    await using house = await House.open();
    house.worker((request, worker) => {
      house.worker(answers);
      dies(request, worker);
    });
    const asked = house.client().request('lamp', { action: 'lamp.get', data: { room: 'hall' } }, { idempotent });
    expect(await asked.then(({ action }) => action, ({ code }: PeerError) => code)).toBe(end);
  });

  it('C3: what a worker says of those that it asked itself is an answer, and is not asked for again', async () => {
    await using house = await House.open();
    const worker = house.worker(({ token }, self) => self.answer(token, 'lamp.result', '{"status":false,"code":"WORKER_LOST","reason":"the bridge"}'));
    await expect(house.client().call(get, { room: 'hall' })).rejects.toMatchObject({ code: 'WORKER_LOST', message: 'the bridge' });
    expect(worker.requests).toHaveLength(1);
  });

  it('C3: any other is not', async () => {
    await using house = await House.open();
    let second: RawWorker | undefined;
    const first = house.worker((request, worker) => {
      second = house.worker(answers);
      dies(request, worker);
    });
    const client = house.client();
    await expect(client.call(toggle, { room: 'hall' })).rejects.toMatchObject({ code: 'WORKER_LOST' });
    await client.call(get, { room: 'hall' });
    expect([first.requests.length, second?.requests.length]).toEqual([1, 1]);
  });

  it('C3: an idempotent action is tried again when the broker is lost', async () => {
    await using house = await House.open();
    house.worker(() => {
      void house.broker.close();
      void house.openBroker().then(() => house.worker(answers));
    });
    await expect(house.client().call(get, { room: 'hall' })).resolves.toEqual({ percent: 40 });
  });

  it('C3: any other is not, and the client is whole again with the broker', async () => {
    await using house = await House.open();
    house.worker(() => void house.broker.close());
    const client = house.client();
    await expect(client.call(toggle, { room: 'hall' })).rejects.toMatchObject({ code: 'BROKER_LOST' });
    await house.openBroker();
    house.worker(answers);
    await expect(client.call(toggle, { room: 'hall' })).resolves.toEqual({ percent: 40 });
  });

  it.each(['LAMP_BROKEN', 'DEADLINE_EXCEEDED', 'OVERLOADED', 'SERVICE_UNKNOWN', 'INTERNAL', 'STOPPING'])('C3: nothing is tried again after %s', async (code) => {
    await using house = await House.open();
    const worker = house.worker((request) => worker.answer(request.token, 'mq.error', JSON.stringify({ status: false, code, reason: 'no' })));
    await expect(house.client().call(get, { room: 'hall' })).rejects.toMatchObject({ code });
    expect(worker.requests).toHaveLength(1);
  });

  it('C3: nor after its own time-out', async () => {
    await using house = await House.open();
    const worker = house.worker(sleeps);
    const client = house.client();
    await client.manage('mmi.service', 'lamp');
    await expect(client.call(get, { room: 'hall' }, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(worker.requests).toHaveLength(1);
  });

  it('C3: a request without a contract is never tried again', async () => {
    await using house = await House.open();
    house.worker(dies);
    await expect(house.client().request('lamp', { action: 'lamp.get', data: {} })).rejects.toMatchObject({ code: 'WORKER_LOST' });
  });

  it('C3: all within the caller’s deadline', async () => {
    await using house = await House.open();
    let tries = 0;
    const again = (request: unknown, worker: RawWorker): void => {
      tries += 1;
      house.worker(again);
      dies(request, worker);
    };
    house.worker(again);
    const client = house.client();
    await client.manage('mmi.services');
    const startMs = performance.now();
    await expect(client.call(get, { room: 'hall' }, { timeoutMs: 500 })).rejects.toMatchObject({ code: expect.stringMatching(/^(WORKER_LOST|DEADLINE_EXCEEDED|NOT_CONNECTED)$/) });
    expect(performance.now() - startMs).toBeGreaterThan(490);
    expect(performance.now() - startMs).toBeLessThan(5000);
    expect(tries).toBeGreaterThan(1);
  });

  it('C3: a try that was lost is told even if no broker could be reached again: it may have run', async () => {
    await using house = await House.open();
    house.worker(() => void house.broker.close());
    const client = house.client();
    await client.manage('mmi.services');
    await expect(client.call(get, { room: 'hall' }, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'BROKER_LOST' });
  });

  it('C3: a later try has only the time that is left', async () => {
    await using house = await House.open();
    const sent: string[][] = [];
    house.worker((request, worker) => {
      house.worker(answers);
      const fromMs = performance.now();
      while (performance.now() < fromMs + 5);
      dies(request, worker);
    });
    await house.client({ transport: recording(house.transport, sent) }).call(get, { room: 'hall' }, { timeoutMs: 10_000 });
    const [first, second] = sent.map((message) => Number(message[4]));
    expect(sent).toHaveLength(2);
    expect(first).toBeLessThanOrEqual(9.75);
    expect(second).toBeLessThanOrEqual((first ?? 0) - 0.004);
  });
});

describe('an AbortSignal', () => {
  it('C2, R17: cancels a call, at the worker too', async () => {
    await using house = await House.open();
    const cancelling = new AbortController();
    const worker = house.worker(() => cancelling.abort());
    const client = house.client();
    const error: unknown = await client.call(get, { room: 'hall' }, { signal: cancelling.signal }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CallerError);
    expect(error).toMatchObject({ code: 'ABORTED' });
    await client.manage('mmi.services');
    expect(worker.cancels).toEqual(worker.requests.map(({ token }) => token));
  });

  it('C2: that has fired already lets nothing be sent', async () => {
    await using house = await House.open();
    const worker = house.worker(answers);
    const client = house.client();
    await client.manage('mmi.services');
    await expect(client.call(get, { room: 'hall' }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await client.manage('mmi.services');
    expect(worker.requests).toEqual([]);
  });

  it('C2: ends also a call that is tried again and again', async () => {
    await using house = await House.open();
    const cancelling = new AbortController();
    let tries = 0;
    const again = (request: unknown, worker: RawWorker): void => {
      tries += 1;
      if (tries === 3) cancelling.abort();
      house.worker(again);
      dies(request, worker);
    };
    house.worker(again);
    await expect(house.client().call(get, { room: 'hall' }, { signal: cancelling.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(tries).toBe(3);
  });

  it.each<[string, Partial<ClientOptions>, boolean]>([
    ['an answer', {}, true],
    ['a call that is refused at once', { share: 0 }, false],
  ])('is let go of after %s', async (_what, options, succeeds) => {
    await using house = await House.open();
    house.worker(answers);
    const { signal } = new AbortController();
    const outcome = await house.client(options).call(get, { room: 'hall' }, { signal }).then(() => true, () => false);
    expect(outcome).toBe(succeeds);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('data that is no JSON', () => {
  it('is the caller’s fault, and is not sent', async () => {
    await using house = await House.open();
    const worker = house.worker(answers);
    const client = house.client();
    for (const idempotent of [false, true]) {
      await expect(client.request('lamp', { action: 'lamp.get', data: { room: 1n } }, { idempotent }))
        .rejects.toMatchObject({ name: 'CallerError', code: 'BAD_REQUEST', message: expect.stringMatching(/^the data of lamp\.get at lamp is no JSON: .*BigInt/) as string });
    }
    expect(worker.requests).toEqual([]);
  });
});

describe('closing a client', () => {
  it('ends what is open and what comes, may be done twice, and the broker forgets it', async () => {
    await using house = await House.open();
    const begun = Promise.withResolvers<void>();
    house.worker(() => begun.resolve());
    const client = house.client();
    const open = client.call(get, { room: 'hall' }).catch((reason: unknown) => reason);
    await begun.promise;
    await client.close();
    await client.close();
    expect(await open).toMatchObject({ code: 'CLIENT_CLOSED' });
    await expect(client.call(get, { room: 'hall' })).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(client.isConnected).toBe(false);
    await house.client().manage('mmi.services');
    expect(house.broker.status()).toMatchObject({ clients: 0 });
  });
});

describe('C1: a client of the plain dialect', () => {
  it('has as many sockets as it has calls open, up to a limit', async () => {
    await using house = await House.open();
    const waiting: Buffer[] = [];
    const worker = house.worker((request) => waiting.push(request.token));
    const client = house.client({ dialect: 'rfc' });
    const calls = Array.from({ length: 65 }, () => client.call(get, { room: 'hall' }).then(() => 'ok', (error: unknown) => (error as { code: string }).code));
    await expect(calls[64]).resolves.toBe('OVERLOADED');
    while (waiting.length < 64) await client.manage('mmi.services').catch(() => {});
    for (const token of waiting) worker.answer(token, ...good);
    await expect(Promise.all(calls.slice(0, 64))).resolves.toEqual(Array.from({ length: 64 }, () => 'ok'));
  });
});
