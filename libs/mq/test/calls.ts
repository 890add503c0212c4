// What the tests ask of calls and brokers from outside.
import { expect, vi } from 'vitest';
import { CallError, type BrokerStatus, type Client } from '../src/index.ts';
import { patience } from './conformance/wire.ts';

/** How a call ended. */
export async function endOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'answered';
  } catch (error) {
    if (error instanceof CallError) return error.code;
    throw error;
  }
}

export async function statusOf(client: Client): Promise<BrokerStatus> {
  return JSON.parse(await client.manage('mmi.majordomus')) as BrokerStatus;
}

/** Waits until `service` has so many workers. */
export async function offered(client: Client, service: string, workers = 1): Promise<void> {
  await vi.waitFor(async () => expect(await client.manage('mmi.workers', service)).toBe(String(workers)), patience);
}
