// A client on the bus: typed calls by contract, and plain requests. Every call ends, at its own deadline at the latest
// (docs/protocol.md, rules C1 to C4).
import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import type { Contract, InputOf, OutputOf } from '@majordomus/contracts';
import type { Message as WireMessage } from '@majordomus/zmtp';
import { callResult, peerError } from './call-result.ts';
import { ClientLink } from './client-link.ts';
import type { CallOutcome, Dialect } from './mdp/client.ts';
import { BusError, CallerError, PeerError, type CallContext, type CallError } from './mdp/errors.ts';
import { errorAction, type Frames } from './mdp/frames.ts';
import { decodeArrived, isBadMessage, type Message } from './message.ts';
import { nameFrame } from './name-frame.ts';
import { jsonText } from './request-body.ts';
import type { Transport } from './transport.ts';
import { defaultTransport } from './default-transport.ts';

export interface ClientOptions {
  /** Where the broker is, e.g. `tcp://127.0.0.1:40410`. */
  readonly endpoint: string;
  /** Which broker it is; `rfc` sends exactly the frames of RFC 7, one request at a time on each socket (rule C1). */
  readonly dialect?: Dialect;
  /** Most calls open at once; not above the broker's limit for a client (rule R13). */
  readonly share?: number;
  readonly transport?: Transport;
}

export interface RequestOptions {
  /** How long to wait for the answer; 10 s without it. */
  readonly timeoutMs?: number;
  /** Cancels the call, at the broker and the worker too (rule R17). */
  readonly signal?: AbortSignal;
  /** Whether it may be done twice, and is tried again when a worker or the broker is lost (rule C3). */
  readonly idempotent?: boolean;
}

export interface CallOptions extends Omit<RequestOptions, 'idempotent'> {
  /** Who is asked, where it is not the contract's own service: `<host>.<service>`. */
  readonly service?: string;
}

export const defaultTimeoutMs = 10_000;
const defaultShare = 4096;
/** Sockets of one client in the plain dialect. */
const maxPlainLinks = 64;

export class Client implements AsyncDisposable {
  readonly endpoint: string;
  readonly #dialect: Dialect;
  readonly #share: number;
  readonly #transport: Transport;
  readonly #links: ClientLink[] = [];
  #closed = false;

  /** Connects. @throws TransportError ADDRESS_INVALID */
  constructor({ endpoint, dialect = 'majordomus', share = defaultShare, transport = defaultTransport() }: ClientOptions) {
    this.endpoint = endpoint;
    this.#dialect = dialect;
    this.#share = dialect === 'rfc' ? 1 : share;
    this.#transport = transport;
    this.#newLink();
  }

  /** Whether a connection to the broker stands right now. */
  get isConnected(): boolean {
    return this.#links.some((link) => link.isConnected);
  }

  /**
   * Runs an action. An idempotent one is tried again when a worker or the broker is lost, within its time (rule C3).
   * @throws CallerError, BusError, PeerError with the codes of the bus and of the contract
   */
  call<C extends Contract>(contract: C, data: InputOf<C>, { service = contract.service, timeoutMs = defaultTimeoutMs, signal }: CallOptions = {}): Promise<OutputOf<C>> {
    const context = { service, action: contract.action };
    return this.#ask(context, data as Message['data'], contract.idempotent, timeoutMs, signal, (reply) => callResult(contract, reply, context));
  }

  /**
   * Sends any message and gives the reply as it came, also one with `status: false`.
   * @throws CallerError, BusError; PeerError only with BAD_REPLY, and with what the broker itself says (`mq.error`)
   */
  request(service: string, message: Message, { idempotent = false, timeoutMs = defaultTimeoutMs, signal }: RequestOptions = {}): Promise<Message> {
    return this.#ask({ service, action: message.action }, message.data, idempotent, timeoutMs, signal, asItCame);
  }

  /** Asks the broker itself, e.g. `mmi.service` with a service name (RFC 8); the answer as text. */
  manage(service: string, question = '', { timeoutMs = defaultTimeoutMs, signal }: RequestOptions = {}): Promise<string> {
    const context = { service, action: '' };
    return this.#send(context, () => [Buffer.from(question)], timeoutMs, signal, (message, bodyAt) => message.text(bodyAt));
  }

  /** Ends every open call with CLIENT_CLOSED and closes. May be called twice. */
  close(): Promise<void> {
    this.#closed = true;
    for (const link of this.#links.splice(0)) link.end();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @param read makes the result of a reply that is none of the broker's own; what it throws is the call's failure */
  #ask<T>(context: CallContext, data: Message['data'], idempotent: boolean, timeoutMs: number, signal: AbortSignal | undefined, read: (reply: Message) => T): Promise<T> {
    const bodyOf = (): Frames => [nameFrame(context.action), Buffer.from(jsonText(data, context))];
    if (!idempotent) return this.#send(context, bodyOf, timeoutMs, signal, (message, bodyAt) => read(replyOf(message, bodyAt, context)));
    // What a worker says of those that it asked itself is an answer, and is not asked again.
    return retrying(timeoutMs, (leftMs) => this.#send(context, bodyOf, leftMs, signal, (message, bodyAt) => replyOf(message, bodyAt, context))).then(read);
  }

  /**
   * @param bodyOf is called at once; what it throws is the call's failure
   * @param take reads the reply where it stands; what it throws is the call's failure
   */
  #send<T>(context: CallContext, bodyOf: () => Frames, timeoutMs: number, signal: AbortSignal | undefined, take: (message: WireMessage, bodyAt: number) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const body = bodyOf();
      if (this.#closed) return reject(failed('CLIENT_CLOSED', context, timeoutMs, this.endpoint));
      if (Number.isNaN(timeoutMs)) return reject(failed('BAD_REQUEST', context, timeoutMs, this.endpoint));
      if (signal?.aborted === true) return reject(failed('ABORTED', context, timeoutMs, this.endpoint));
      const link = this.#linkForCall();
      const onAbort = signal && ((): void => link.cancel(call));
      // Before the call, which may end at once.
      if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true });
      const call = link.call(nameFrame(context.service), body, timeoutMs, (outcome) => {
        if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
        if (outcome.kind === 'failed') return reject(failed(outcome.code, context, timeoutMs, this.endpoint));
        try {
          resolve(take(outcome.message, outcome.bodyAt));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** A link with room; in the plain dialect each carries one call, so there may be several. */
  #linkForCall(): ClientLink {
    const free = this.#links.find((link) => link.openCalls < this.#share);
    if (free !== undefined) return free;
    const [first] = this.#links;
    return first === undefined || (this.#dialect === 'rfc' && this.#links.length < maxPlainLinks) ? this.#newLink() : first;
  }

  #newLink(): ClientLink {
    const link = new ClientLink({ endpoint: this.endpoint, dialect: this.#dialect, share: this.#share, transport: this.#transport });
    this.#links.push(link);
    return link;
  }
}

const asItCame = (reply: Message): Message => reply;

/** @throws PeerError BAD_REPLY if it cannot be read, and what the broker itself says */
function replyOf(message: WireMessage, bodyAt: number, context: CallContext): Message {
  const reply = decodeArrived(message, bodyAt);
  if (isBadMessage(reply)) throw new PeerError('BAD_REPLY', `the reply of ${context.service} to ${context.action} cannot be read: ${reply.problem}`, context);
  if (reply.action === errorAction) throw peerError(reply, context);
  return reply;
}

/** Tries again within the time when a worker or the broker is lost (rule C3). */
async function retrying<T>(timeoutMs: number, send: (leftMs: number) => Promise<T>): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  let first: unknown;
  for (;;) {
    try {
      return await send(endMs - performance.now());
    } catch (error) {
      const lost = (error instanceof BusError || error instanceof PeerError) && (error.code === 'WORKER_LOST' || error.code === 'BROKER_LOST');
      // A later try that was never sent must not hide that an earlier one may have run.
      if (!lost) throw first !== undefined && error instanceof BusError && error.code === 'NOT_CONNECTED' ? first : error;
      if (performance.now() >= endMs) throw error;
      first ??= error;
    }
  }
}

type FailureCode = Extract<CallOutcome, { kind: 'failed' }>['code'] | 'BAD_REQUEST';

function failed(code: FailureCode, context: CallContext, timeoutMs: number, endpoint: string): CallError {
  const what = `${context.action || context.service} at ${context.service}`;
  switch (code) {
    case 'DEADLINE_EXCEEDED':
      return new BusError(code, `${what} was not answered within ${Math.round(timeoutMs)} ms; the action may have run`, context);
    case 'NOT_CONNECTED':
      return new BusError(code, `no broker answers at ${endpoint}; is the house running (domus up), and is the address right (--broker)?`, context);
    case 'BROKER_LOST':
      return new BusError(code, `the connection to the broker at ${endpoint} closed while ${what} was open; the action may have run`, context);
    case 'OVERLOADED':
      return new CallerError(code, `this client has as many calls open as it may; ${what} was not sent`, context);
    case 'NOT_READ':
      return new BusError('OVERLOADED', `more waits to be sent than the broker at ${endpoint} reads; ${what} was not sent, try again later`, context);
    case 'BAD_REQUEST':
      return new CallerError(code, `the time-out of ${what} is not a number of milliseconds`, context);
    case 'ABORTED':
      return new CallerError(code, `${what} was cancelled`, context);
    case 'CLIENT_CLOSED':
      return new CallerError(code, `the client is closed; ${what} has no answer`, context);
    default:
      return code satisfies never;
  }
}
