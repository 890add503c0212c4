// A worker to extend, as Domogik's MQRep: its `onRequest` is called with each request and answers with `reply`. For
// actions that have a contract, `Worker` with `Handlers` checks more and needs less.
import { AsyncLocalStorage } from 'node:async_hooks';
import { replyAction } from '@majordomus/contracts';
import { failure, failureOf, type CallInfo, type FaultReport } from './answer.ts';
import { CallerError } from './mdp/errors.ts';
import { errorAction, type Frames } from './mdp/frames.ts';
import { decodeMessage, encodeMessage, isBadMessage, type Message } from './message.ts';
import { Worker, type WorkerOptions } from './worker.ts';

/** A request that a worker holds. */
export interface WorkerRequest extends Message {
  /** Fires when nobody waits for the answer any more, or the worker stops (rule W2). */
  readonly signal: AbortSignal;
  /**
   * Answers this request. It is sent at once; `onRequest` may go on.
   * @throws CallerError with ALREADY_REPLIED if it was answered before
   */
  readonly reply: (message: Message) => void;
}

export type RequestWorkerOptions = Omit<WorkerOptions, 'handlers'>;

/** The request that the running code was called for. */
const current = new AsyncLocalStorage<WorkerRequest>();

/**
 * Every request gets exactly one reply. If `onRequest` ends without one, its caller is told NO_REPLY; if it throws, the
 * code of an `ActionFailure`, or INTERNAL, and the log has the exception.
 */
export abstract class RequestWorker extends Worker {
  constructor(options: RequestWorkerOptions) {
    super({ ...options, handlers: { answer: (body, call, report) => this.#answer(body, call, report) } });
  }

  /** Called with each request, up to `capacity` at once. The request is open until this returns, or its promise ends. */
  protected abstract onRequest(request: WorkerRequest): void | Promise<void>;

  /**
   * Answers the request that the calling code handles, also after an `await` and with several in hand.
   * @throws CallerError with NO_REQUEST outside of `onRequest`, ALREADY_REPLIED the second time
   */
  protected reply(message: Message): void {
    const request = current.getStore();
    if (request === undefined) {
      throw new CallerError('NO_REQUEST', `reply was called outside of onRequest: there is no request that ${message.action} could answer; keep the request and call its own reply`, { service: this.service, action: message.action });
    }
    request.reply(message);
  }

  async #answer(body: Frames, call: CallInfo, report: FaultReport): Promise<Frames> {
    const message = decodeMessage(body);
    const reply = message.action === undefined ? errorAction : replyAction(message.action);
    if (isBadMessage(message)) return failure(reply, 'BAD_REQUEST', message.problem);
    const { action } = message;
    return await new Promise((resolve) => {
      let answeredWith: string | undefined;
      const answer = (frames: Frames, what: string): void => {
        answeredWith = what;
        resolve(frames);
      };
      const request: WorkerRequest = {
        ...message,
        get signal() { return call.signal; },
        reply: (answered) => {
          if (answeredWith !== undefined) throw new CallerError('ALREADY_REPLIED', `${action} was answered with ${answeredWith} already; ${answered.action} was not sent`, { service: this.service, action });
          answer(encodeMessage(answered), answered.action);
        },
      };
      const ended = (): void => {
        if (answeredWith === undefined) answer(failure(errorAction, 'NO_REPLY', `${this.service} has no answer to ${action}`), 'NO_REPLY');
      };
      const failed = (error: unknown): void => {
        if (answeredWith === undefined) answer(failureOf(error, { action, reply, call, report }), 'the failure of onRequest');
        else report(action, error);
      };
      current.run(request, async () => { await this.onRequest(request); }).then(ended, failed);
    });
  }
}
