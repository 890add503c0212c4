// A client that blocks its thread until the answer is there, for scripts and the REPL, as Domogik's MQSyncReq. A `Client`
// in a thread of its own does the work. Not for a worker or a plugin: while it waits, nothing else runs in its thread.
import { performance } from 'node:perf_hooks';
import { MessageChannel, receiveMessageOnPort, Worker as Thread, type MessagePort } from 'node:worker_threads';
import type { Contract, InputOf, OutputOf } from '@majordomus/contracts';
import { callResult } from './call-result.ts';
import { defaultTimeoutMs, type CallOptions, type RequestOptions } from './client.ts';
import type { Dialect } from './mdp/client.ts';
import { BusError, CallerError, type CallContext } from './mdp/errors.ts';
import type { Message } from './message.ts';
import { jsonText } from './request-body.ts';
import { errorOf, type FromSyncThread, type SyncThreadData, type ToSyncThread } from './sync-protocol.ts';

export interface SyncClientOptions {
  /** Where the broker is, e.g. `tcp://127.0.0.1:40410`. */
  readonly endpoint: string;
  /** Which broker it is (rule C1). */
  readonly dialect?: Dialect;
}

/** Options of a call that nobody can cancel, because nothing runs that could. */
export type SyncRequestOptions = Omit<RequestOptions, 'signal'>;
export type SyncCallOptions = Omit<CallOptions, 'signal'>;

/** How much later than its deadline an answer of the thread is waited for: it ends every call itself. */
const graceMs = 5000;
const startLimitMs = 30_000;

export class SyncClient implements Disposable {
  readonly endpoint: string;
  readonly #port: MessagePort;
  /** Counts what the thread has said; a change of it ends the wait. */
  readonly #said = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #lastId = 0;
  #closed = false;

  /** Starts its thread, and waits until it runs; the connection is made in the background. */
  constructor({ endpoint, dialect = 'majordomus' }: SyncClientOptions) {
    this.endpoint = endpoint;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const data: SyncThreadData = { endpoint, dialect, port: port2, said: this.#said };
    // The flags of this process are not the thread's: `--input-type` of a `node -e` would keep it from starting.
    const thread = new Thread(new URL('./sync-thread.ts', import.meta.url), { name: 'sync-client', workerData: data, transferList: [port2], execArgv: [] });
    thread.unref();
    this.#port.unref();
    const started = this.#await(0, performance.now() + startLimitMs);
    if (started?.kind === 'ready') return;
    this.close();
    if (started?.kind === 'failed') throw errorOf(started.error);
    throw new BusError('NOT_CONNECTED', `the thread of the client did not start within ${startLimitMs} ms; is the machine very busy?`, { service: '', action: '' });
  }

  /**
   * Sends any message, waits, and gives the reply as it came, also one with `status: false`.
   * @throws CallerError, BusError, PeerError as `Client.request` does; CallerError BAD_REQUEST for a `timeoutMs` that is not above 0
   */
  request(service: string, message: Message, { timeoutMs = defaultTimeoutMs, idempotent = false }: SyncRequestOptions = {}): Message {
    const context: CallContext = { service, action: message.action };
    if (this.#closed) throw new CallerError('CLIENT_CLOSED', `the client is closed; ${message.action} at ${service} was not sent`, context);
    if (!(timeoutMs > 0)) throw new CallerError('BAD_REQUEST', `timeoutMs is ${timeoutMs}: no answer can come within that; ${message.action} at ${service} was not sent; give milliseconds above 0, or leave it out for ${defaultTimeoutMs}`, context);
    const waitUntilMs = performance.now() + timeoutMs + graceMs;
    this.#lastId += 1;
    this.#tell({ kind: 'request', id: this.#lastId, service, action: message.action, data: jsonText(message.data, context), timeoutMs, idempotent });
    const answer = this.#await(this.#lastId, waitUntilMs);
    if (answer?.kind === 'reply') return { action: answer.action, data: JSON.parse(answer.data) as Message['data'] };
    if (answer?.kind === 'failed') throw errorOf(answer.error);
    throw new BusError('DEADLINE_EXCEEDED', `${message.action} at ${service} was not answered within ${Math.round(timeoutMs)} ms; the action may have run`, context);
  }

  /**
   * Runs an action, and waits for its result.
   * @throws CallerError, BusError, PeerError with the codes of the bus and of the contract
   */
  call<C extends Contract>(contract: C, data: InputOf<C>, { service = contract.service, ...options }: SyncCallOptions = {}): OutputOf<C> {
    const reply = this.request(service, { action: contract.action, data: data as Message['data'] }, { ...options, idempotent: contract.idempotent });
    return callResult(contract, reply, { service, action: contract.action });
  }

  /** Closes, and ends its thread. May be called twice, and need not be called at the end of a process. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tell({ kind: 'close' });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #tell(message: ToSyncThread): void {
    const port = this.#port;
    port.postMessage(message);
  }

  /** Blocks until the thread says what belongs to this id; undefined when time is up. Late answers to earlier ones are dropped. */
  #await(id: number, endMs: number): FromSyncThread | undefined {
    for (;;) {
      const heard = Atomics.load(this.#said, 0);
      for (let got = this.#receive(); got !== undefined; got = this.#receive()) if (got.id === id) return got;
      const leftMs = endMs - performance.now();
      if (!(leftMs > 0)) return undefined;
      Atomics.wait(this.#said, 0, heard, leftMs);
    }
  }

  #receive(): FromSyncThread | undefined {
    return receiveMessageOnPort(this.#port)?.message as FromSyncThread | undefined;
  }
}
