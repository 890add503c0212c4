// How an operation ended. What was refused is told without its class, which an error loses between threads.
import type { ActionFailure, JsonObject } from '@majordomus/contracts';

/** What an ActionFailure holds. */
interface Refusal {
  readonly code: string;
  readonly reason: string;
  readonly details: JsonObject;
}

/** What came of one operation: the result that its contract has, or why it was not done. Outcomes stand in the order of the operations. */
export type Outcome =
  | { readonly done: true; readonly result: unknown }
  | { readonly done: false; readonly refusal: Refusal };

export function refused({ code, message, details }: ActionFailure): Outcome {
  return { done: false, refusal: { code, reason: message, details } };
}
