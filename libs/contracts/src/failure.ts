// How a handler says no: with a stable code from its contract and a reason for a person. Anything else that a
// handler throws is its own bug and becomes INTERNAL.
import type { CodeOf, Contract, JsonObject } from './contract.ts';

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

/** A refusal with a code of the contract, which the compiler checks: `throw refuse(configGet, 'CONFIG_NOT_FOUND', …)`. */
export function refuse<C extends Contract>(_contract: C, code: CodeOf<C>, reason: string, details?: JsonObject, options?: ErrorOptions): ActionFailure<CodeOf<C>> {
  return new ActionFailure(code, reason, details, options);
}
