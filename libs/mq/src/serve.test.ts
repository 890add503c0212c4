// A part whose broker goes and comes back: it is told of what lasts, and not of what is over in a moment.
import { expect, it } from 'vitest';
import { Broker } from './broker.ts';
import { Handlers } from './handlers.ts';
import { memoryTransport } from './memory.ts';
import { serve } from './serve.ts';

const endpoint = 'memory://house';
const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Serves two names, and tells what it is told. */
function part(transport: ReturnType<typeof memoryTransport>) {
  const told: string[] = [];
  const waiting = new Map<string, () => void>();
  const tell = (what: string): void => {
    told.push(what);
    waiting.get(what)?.();
  };
  const stopping = new AbortController();
  const served = serve({
    endpoint, transport, services: ['attic.lamps', 'lamps'], handlers: new Handlers(), capacity: 1, log, signal: stopping.signal,
    onRegistered: () => tell('registered'), onLost: (reason) => tell(reason), onBack: () => tell('back'),
  });
  return {
    told,
    next: async (what: string): Promise<void> => new Promise((resolve) => void waiting.set(what, resolve)),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await served;
    },
  };
}

it('is told when the broker has been gone for a moment, and when all its names are registered again', async () => {
  const transport = memoryTransport();
  const first = await Broker.bind({ endpoint, transport });
  await using lamps = part(transport);
  await lamps.next('registered');
  const lost = lamps.next('the broker at memory://house does not answer');
  await first.close();
  await lost;
  const back = lamps.next('back');
  await using second = await Broker.bind({ endpoint, transport });
  await back;
  expect(second.status().workers).toBe(2);
  expect(lamps.told).toEqual(['registered', 'the broker at memory://house does not answer', 'back']);
});

it('is told nothing of a broker that is back in a moment, nor at its own stop', async () => {
  const transport = memoryTransport();
  const first = await Broker.bind({ endpoint, transport });
  const lamps = part(transport);
  await lamps.next('registered');
  await first.close();
  await using second = await Broker.bind({ endpoint, transport });
  await expect.poll(() => second.status().workers).toBe(2);
  await lamps[Symbol.asyncDispose]();
  expect(lamps.told).toEqual(['registered']);
});
