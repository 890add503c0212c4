// How a call fails, by who is at fault: the caller, the bus between, or the peer that answered. Each has a stable code
// (libs/contracts, codes.ts, and the contract's own) and says what happened, to what, and what to do.
import type { JsonObject } from '@majordomus/contracts';

export interface CallContext {
  readonly service: string;
  readonly action: string;
}

/** A call that did not end with a result. Narrow by `instanceof` for the fault, by `code` for the reason. */
export abstract class CallError extends Error {
  readonly code: string;
  readonly service: string;
  readonly action: string;
  /** What the peer said beside code and reason, such as `fields`. */
  readonly details: JsonObject;

  constructor(code: string, reason: string, { service, action }: CallContext, details: JsonObject = {}, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
    this.service = service;
    this.action = action;
    this.details = details;
  }
}

/** The caller's own: data that does not fit, a closed client, more calls than its share, or it cancelled. */
export class CallerError extends CallError {
  override readonly name = 'CallerError';
}

/** No answer came through: time ran out, or a connection or worker was lost. */
export class BusError extends CallError {
  override readonly name = 'BusError';
}

/** The peer answered, and the answer is no, or is not what its contract promises. */
export class PeerError extends CallError {
  override readonly name = 'PeerError';
}
