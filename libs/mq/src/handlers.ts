// The actions that a worker answers, and how each is answered: every request gets a reply, whatever it holds and
// whatever its handler does (docs/protocol.md, rule W3).
import { fieldProblems, problemsText, type Contract, type JsonObject, type RequestOf, type ResultOf } from '@majordomus/contracts';
import { z } from 'zod';
import { failure, failureOf, type Answerer, type CallInfo, type FaultReport } from './answer.ts';
import { errorAction, type Frames } from './mdp/frames.ts';
import { decodeMessage, encodeMessage, isBadMessage } from './message.ts';

/** Answers an action; throws `ActionFailure` with a code of the contract to refuse. */
export type Handler<C extends Contract> = (data: RequestOf<C>, call: CallInfo) => ResultOf<C> | Promise<ResultOf<C>>;

interface Entry {
  readonly contract: Contract;
  readonly handler: (data: unknown, call: CallInfo) => unknown;
}

export class Handlers implements Answerer {
  readonly #byAction = new Map<string, Entry>();

  /** Adds the handler of an action, under its name and its aliases. */
  on<C extends Contract>(contract: C, handler: Handler<C>): this {
    const entry: Entry = { contract, handler: handler as Entry['handler'] };
    for (const action of [contract.action, ...contract.aliases]) this.#byAction.set(action, entry);
    return this;
  }

  /** The names of all actions, aliases left out. */
  get actions(): string[] {
    return [...new Set([...this.#byAction.values()].map(({ contract }) => contract.action))];
  }

  /** The body of the reply to a request's body. Never rejects. */
  async answer(body: Frames, call: CallInfo, report: FaultReport): Promise<Frames> {
    const message = decodeMessage(body);
    const entry = message.action === undefined ? undefined : this.#byAction.get(message.action);
    if (entry === undefined) {
      return message.action === undefined
        ? failure(errorAction, 'BAD_REQUEST', isBadMessage(message) ? message.problem : 'the body has no action')
        : failure(errorAction, 'ACTION_UNKNOWN', `there is no action ${message.action} here; there are ${this.actions.join(', ')}`);
    }
    const { contract, handler } = entry;
    if (isBadMessage(message)) return failure(contract.reply, 'BAD_REQUEST', message.problem);
    try {
      const data = checkData(contract, message.data);
      if (!data.success) return failure(contract.reply, 'INVALID_DATA', ...invalidData(data.error));
      const result = await handler(data.data, call);
      return encodeMessage({ action: contract.reply, data: { status: true, reason: '', ...(result as JsonObject) } });
    } catch (error) {
      return failureOf(error, { action: contract.action, reply: contract.reply, call, report });
    }
  }
}

/** Checks the data; the check itself gives up on what is nested deeper than the stack. */
function checkData({ input, accept }: Contract, data: JsonObject): z.ZodSafeParseResult<unknown> {
  try {
    return input.safeParse(accept?.(data) ?? data);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { success: false, error: new z.ZodError([{ code: 'custom', path: [], message: 'is nested too deeply', input: undefined }]) };
  }
}

/** A sentence with every problem, and the problems by field. */
function invalidData(error: z.ZodError): [reason: string, details: JsonObject] {
  const fields = fieldProblems(error.issues);
  return [problemsText(fields), { fields }];
}
