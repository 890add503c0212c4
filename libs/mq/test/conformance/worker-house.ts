// A worker of ours before a raw ROUTER that plays the broker, and what the two say.
import { expect } from 'vitest';
import { Handlers, Worker, type WorkerOptions } from '../../src/index.ts';
import { bellRing, echoGet } from '../contracts.ts';
import { Inbox, type RawRouter, type Text, type Wire } from './wire.ts';

export interface House extends AsyncDisposable {
  readonly broker: RawRouter;
  readonly worker: Worker;
}

/** A raw broker and a worker of ours; at the end the broker closes first, so that the worker waits for no goodbye. */
export async function openHouse(wire: Wire, handlers: Handlers, options: Partial<WorkerOptions> = {}): Promise<House> {
  const broker = await wire.listen();
  const worker = startWorker(wire, broker, handlers, options);
  return {
    broker,
    worker,
    async [Symbol.asyncDispose](): Promise<void> {
      broker.close();
      await worker.stop();
    },
  };
}

export function startWorker(wire: Wire, broker: RawRouter, handlers: Handlers, options: Partial<WorkerOptions> = {}): Worker {
  return new Worker({ endpoint: broker.endpoint, transport: wire.transport, service: 'echo', handlers, ...options }).start();
}

export function request(broker: RawRouter, peer: string, envelope: Text, action: string, data: string): void {
  broker.send(peer, '', 'MDPW01', '\x02', ...envelope, '', action, data);
}

/** The next message, which must be READY; tells whose. */
export async function takeReady(broker: RawRouter, capacity: Text = []): Promise<string> {
  const { peer, message } = await broker.receive();
  expect(message).toEqual(['', 'MDPW01', '\x01', 'echo', ...capacity]);
  return peer;
}

/** The next message, which must be a REPLY of two body frames. */
export async function takeReply(broker: RawRouter, envelope: Text): Promise<{ readonly action: string; readonly data: unknown }> {
  const { message } = await broker.receive();
  const body = message.slice(4 + envelope.length);
  expect(message.slice(0, 4 + envelope.length)).toEqual(['', 'MDPW01', '\x03', ...envelope, '']);
  expect(body.length).toBe(2);
  return { action: body[0] ?? '', data: JSON.parse(body[1] ?? '') as unknown };
}

export const echo = new Handlers().on(echoGet, ({ text }) => ({ text }));

/** Handlers whose calls the test ends one by one. */
export function heldCalls(): { readonly handlers: Handlers; readonly begun: Inbox<{ readonly times: number; readonly signal: AbortSignal; readonly finish: () => void }> } {
  const begun = new Inbox<{ readonly times: number; readonly signal: AbortSignal; readonly finish: () => void }>();
  const handlers = new Handlers()
    .on(echoGet, ({ text }) => ({ text }))
    .on(bellRing, async ({ times }, { signal }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      begun.put({ times, signal, finish: resolve });
      await promise;
      return { rung: times };
    });
  return { handlers, begun };
}
