// A request's data as JSON text: what is no JSON is the caller's fault, and never sent.
import type { JsonObject } from '@majordomus/contracts';
import { CallerError, type CallContext } from './mdp/errors.ts';

/** @throws CallerError BAD_REQUEST */
export function jsonText(data: JsonObject, context: CallContext): string {
  try {
    return JSON.stringify(data);
  } catch (cause) {
    throw new CallerError('BAD_REQUEST', `the data of ${context.action} at ${context.service} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, context, {}, { cause });
  }
}
