// How a handler says no: with a stable code from its contract and a reason for a person. Anything else that a
// handler throws is its own bug and becomes INTERNAL.
import type { JsonObject } from './contract.ts';

/** Thrown by a handler to answer `{"status": false, "code": …, "reason": …}`, with `details` beside them. */
export class ActionFailure<Code extends string = string> extends Error {
  override readonly name = 'ActionFailure';
  readonly code: Code;
  readonly details: JsonObject;

  constructor(code: Code, reason: string, details: JsonObject = {}, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
    this.details = details;
  }
}
