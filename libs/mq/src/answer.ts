// The reply to one request, also where it failed: whoever answers for a worker gives one body for each request's body
// (docs/protocol.md, rule W3).
import { ActionFailure, type JsonObject } from '@majordomus/contracts';
import { CallError } from './mdp/errors.ts';
import type { Frames } from './mdp/frames.ts';
import { encodeMessage } from './message.ts';

/** What whoever answers did that its author should know of: an unexpected exception, with the action it happened in. */
export type FaultReport = (action: string, error: unknown) => void;

/** A request that is being answered. */
export interface CallInfo {
  /** Fires when nobody waits for the answer any more, or the worker stops (rule W2). */
  readonly signal: AbortSignal;
}

/** Answers the requests of a worker. */
export interface Answerer {
  /** The body of the reply to a request's body. Never rejects. */
  answer(body: Frames, call: CallInfo, report: FaultReport): Promise<Frames>;
}

export function failure(action: string, code: string, reason: string, details: JsonObject = {}): Frames {
  return encodeMessage({ action, data: { ...details, status: false, code, reason } });
}

/** The reply to a request whose handling threw; what was not a refusal is reported. */
export function failureOf(error: unknown, { action, reply, call, report }: {
  readonly action: string;
  readonly reply: string;
  readonly call: CallInfo;
  readonly report: FaultReport;
}): Frames {
  if (error instanceof ActionFailure && isJson(error.details)) return failure(reply, error.code, error.message, error.details);
  // Why the request was given up says more than how its handling took it.
  const { signal } = call;
  if (signal.reason instanceof ActionFailure) return failure(reply, signal.reason.code, signal.reason.message);
  if (error instanceof CallError) return failure(reply, 'UNAVAILABLE', error.message);
  report(action, error);
  return failure(reply, 'INTERNAL', `${action} failed unexpectedly; the log of the service has the details`);
}

function isJson(value: JsonObject): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}
