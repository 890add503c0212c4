// An action of the house as one value. The worker's handler type, the client's call type, the check at run time
// and the reference page all come from it, so a handler and a caller cannot disagree and compile.
// Pure: it describes, and does nothing.
import type { z } from 'zod';

/** What a peer's `data` frame holds after parsing. */
export type JsonObject = { readonly [key: string]: unknown };

export interface Contract<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
  Code extends string = string,
  Action extends string = string,
> {
  /** The part that answers it: a service name for what runs once, else the last part of `<host>.<service>`. */
  readonly service: string;
  /** The action frame of the request, e.g. `config.get`. */
  readonly action: Action;
  /** Other spellings of the action that are accepted, e.g. `plugin.start.do`. */
  readonly aliases: readonly string[];
  /** The action frame of the reply, e.g. `config.result`. */
  readonly reply: string;
  /** One sentence for the reference page. */
  readonly summary: string;
  readonly input: Input;
  /** The reply's data without `status` and `reason`, which every reply has. */
  readonly output: Output;
  /** The codes it can fail with, beside those of the bus, each with its meaning. */
  readonly errors: { readonly [K in Code]: string };
  /** True if doing it twice is the same as doing it once: only then is it tried again by itself (rule C3). */
  readonly idempotent: boolean;
  /** Brings older spellings of the data into the shape of `input`, before the check. */
  readonly accept?: (data: JsonObject) => JsonObject;
}

/** What a caller gives, and what a handler gets before defaults are filled in. */
export type InputOf<C extends Contract> = z.input<C['input']>;
/** What a handler gets: checked, with defaults. */
export type RequestOf<C extends Contract> = z.output<C['input']>;
/** What a handler returns. */
export type ResultOf<C extends Contract> = z.input<C['output']>;
/** What a caller gets. */
export type OutputOf<C extends Contract> = z.output<C['output']>;
/** The codes that a handler may fail with. */
export type CodeOf<C extends Contract> = keyof C['errors'] & string;

type Definition<Input extends z.ZodType, Output extends z.ZodType, Code extends string, Action extends string> = Omit<
  Contract<Input, Output, Code, Action>,
  'aliases' | 'reply' | 'errors' | 'idempotent'
> & {
  readonly aliases?: readonly string[];
  readonly reply?: string;
  readonly errors?: { readonly [K in Code]: string };
  readonly idempotent?: boolean;
};

/**
 * Defines an action. Without `reply`, `X.do` and `X.get` are answered by `X.result`, anything else by
 * `<action>.result` (docs/protocol.md, "Action names").
 */
export function contract<Input extends z.ZodType, Output extends z.ZodType, Action extends string, Code extends string = never>(
  definition: Definition<Input, Output, Code, Action>,
): Contract<Input, Output, Code, Action> {
  return {
    aliases: [],
    reply: replyAction(definition.action),
    errors: {} as { readonly [K in Code]: string },
    idempotent: false,
    ...definition,
  };
}

/** The reply action that the naming rule gives to a request action. */
export function replyAction(action: string): string {
  return `${action.replace(/\.(do|get)$/, '')}.result`;
}
