// What a SyncClient and its thread say to each other. Data travels as JSON text, as it does on the bus; errors as their
// fields, because a copy of an error between threads loses its class.
import type { MessagePort } from 'node:worker_threads';
import type { JsonObject } from '@majordomus/contracts';
import type { Dialect } from './mdp/client.ts';
import { BusError, CallerError, PeerError, type CallError } from './mdp/errors.ts';

export interface SyncThreadData {
  readonly endpoint: string;
  readonly dialect: Dialect;
  readonly port: MessagePort;
  /** Counted up, with a notification, after each message of the thread. */
  readonly said: Int32Array;
}

export type ToSyncThread =
  | { readonly kind: 'request'; readonly id: number; readonly service: string; readonly action: string; readonly data: string; readonly timeoutMs: number; readonly idempotent: boolean }
  | { readonly kind: 'close' };

export type FromSyncThread =
  | { readonly kind: 'ready'; readonly id: 0 }
  | { readonly kind: 'reply'; readonly id: number; readonly action: string; readonly data: string }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PlainError };

/** A CallError without its class. */
export interface PlainError {
  readonly fault: 'CallerError' | 'BusError' | 'PeerError';
  readonly code: string;
  readonly reason: string;
  readonly service: string;
  readonly action: string;
  readonly details: JsonObject;
}

const faults = { CallerError, BusError, PeerError } as const;

export function plainError({ name, code, message, service, action, details }: CallError): PlainError {
  return { fault: name as PlainError['fault'], code, reason: message, service, action, details };
}

export function errorOf({ fault, code, reason, service, action, details }: PlainError): CallError {
  return new faults[fault](code, reason, { service, action }, details);
}
