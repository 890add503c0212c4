// A worker on the bus: the machine of mdp/worker.ts with a socket, a timer and the handlers of its actions. It registers,
// reconnects by itself for ever, and answers every request.
import { performance } from 'node:perf_hooks';
import { ActionFailure } from '@majordomus/contracts';
import { failure, type Answerer, type CallInfo, type FaultReport } from './answer.ts';
import { Connection } from './connection.ts';
import type { Unsendable } from './mdp/client.ts';
import { isReply } from './mdp/codec.ts';
import { BusError, CallerError } from './mdp/errors.ts';
import { errorAction, type ToBroker } from './mdp/frames.ts';
import { defaultWorkerOptions, WorkerMachine, type HeldRequest } from './mdp/worker.ts';
import { Pump } from './pump.ts';
import type { Transport } from './transport.ts';
import { defaultTransport } from './default-transport.ts';

/** The part of a log that the bus uses. */
export interface BusLog {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface WorkerOptions {
  /** Where the broker is, e.g. `tcp://127.0.0.1:40410`. */
  readonly endpoint: string;
  readonly service: string;
  /** Answers its requests: the handlers of its actions. */
  readonly handlers: Answerer;
  /** Requests at once (rule R14); without it one, as a plain worker. */
  readonly capacity?: number;
  /** Which instance of the service this is: of two the one with the higher epoch stays, and the other is superseded (rule R15). */
  readonly epoch?: number;
  readonly transport?: Transport;
  readonly log?: BusLog;
  /** How long a stop waits for the requests that are being handled (rule W4). */
  readonly stopLimitMs?: number;
  /** Called at each registration, and each time the broker is lost before a stop. */
  readonly onPresence?: (isRegistered: boolean) => void;
  /** Called when a newer instance has taken the service over: this worker has ended for good, and its process should (rule R15). */
  readonly onSuperseded?: () => void;
}

/** Most replies and requests that wait in the socket. */
const highWaterMark = 10_000;
const lingerMs = 1000;

/** What a handler is told of its request. Few ask for the signal, and one costs as much as all the rest of a request. */
class Call implements CallInfo {
  readonly #request: HeldRequest;

  constructor(request: HeldRequest) {
    this.#request = request;
  }

  get signal(): AbortSignal {
    return controllerOf(this.#request).signal;
  }
}

function controllerOf(request: HeldRequest): AbortController {
  request.controller ??= new AbortController();
  return request.controller;
}

export class Worker implements AsyncDisposable {
  readonly service: string;
  readonly #options: WorkerOptions;
  readonly #machine: WorkerMachine;
  readonly #pump: Pump;
  readonly #connection: Connection;
  readonly #stopped = Promise.withResolvers<void>();
  #registered = awaited();
  #wasRegistered = false;
  #toStart: HeldRequest[] = [];

  constructor(options: WorkerOptions) {
    const nowMs = performance.now();
    this.service = options.service;
    this.#options = options;
    this.#machine = new WorkerMachine(
      { ...defaultWorkerOptions, stopLimitMs: options.stopLimitMs ?? defaultWorkerOptions.stopLimitMs, service: options.service, capacity: options.capacity, epoch: options.epoch },
      Math.random,
      nowMs,
    );
    this.#pump = new Pump(() => performance.now(), () => this.#machine.deadlineMs, () => this.#tick());
    this.#connection = new Connection(options.transport ?? defaultTransport(), options.endpoint, { highWaterMark, lingerMs }, {
      connected: () => this.#step(() => this.#machine.connected(performance.now())),
      disconnected: () => this.#step(() => this.#machine.disconnected(performance.now())),
      alive: () => {
        this.#pump.read();
        this.#step(() => this.#machine.alive(performance.now()));
      },
      message: (message) => {
        this.#pump.read();
        this.#step(() => this.#machine.receive(message, performance.now()));
      },
      unsendable: (message, why) => this.#notSent(message, why),
      ended: (why) => options.log?.warn({ service: this.service }, `the connection to the broker was ended: ${why}`),
    });
  }

  /** Whether it is registered at a broker right now. */
  get isRegistered(): boolean {
    return this.#machine.state === 'registered';
  }

  /** Connects and registers; from then on it comes back by itself whenever the broker does. @throws TransportError ADDRESS_INVALID */
  start(): this {
    this.#step(() => this.#machine.start());
    return this;
  }

  /**
   * Resolves when READY was sent over a complete connection: at once if it is registered, else at the next time.
   * Rejects with the signal's reason, or with STOPPING or SUPERSEDED when the worker ends first.
   */
  async registered({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (signal === undefined) return this.#registered.promise;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#registered.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Says goodbye, finishes what it holds within its bound, and closes (rule W4). May be called twice. */
  async stop(): Promise<void> {
    this.#step(() => this.#machine.stop(performance.now()));
    return this.#stopped.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** An input, then what the machine wants done. */
  #step(input: () => void): void {
    input();
    const { effects } = this.#machine;
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
      switch (effect.do) {
        case 'open': this.#connection.open(); break;
        case 'close': this.#close(); break;
        case 'send': this.#connection.send(effect.message); break;
        case 'deliver': this.#deliver(effect.request); break;
        case 'abort': this.#abort(effect.request, effect.why); break;
        case 'registered':
          this.#wasRegistered = true;
          this.#registered.resolve();
          this.#options.onPresence?.(true);
          break;
        case 'stopped': this.#end(effect.superseded); break;
        default: effect satisfies never;
      }
    }
    this.#pump.arm();
  }

  #close(): void {
    this.#connection.close();
    if (!this.#wasRegistered) return;
    this.#wasRegistered = false;
    this.#registered = awaited();
    if (this.#machine.state !== 'stopped') this.#options.onPresence?.(false);
  }

  #tick(): void {
    this.#step(() => this.#machine.tick(performance.now()));
    this.#startDelivered();
  }

  #end(superseded: boolean): void {
    this.#pump.end();
    const context = { service: this.service, action: '' };
    this.#registered.reject(superseded
      ? new BusError('SUPERSEDED', `a newer instance of ${this.service} has taken over`, context)
      : new CallerError('STOPPING', `the worker of ${this.service} was stopped`, context));
    this.#stopped.resolve();
    if (superseded) this.#options.onSuperseded?.();
  }

  /**
   * Requests start at the end of the loop's turn, or, after a pause of this process, when all that had arrived was read: what says
   * that they are not wanted, CANCEL, DISCONNECT or the end of the connection, wins over them (rule W2).
   */
  #deliver(request: HeldRequest): void {
    if (this.#toStart.length === 0) setImmediate(() => this.#startDelivered());
    this.#toStart.push(request);
  }

  #startDelivered(): void {
    if (this.#machine.isCatchingUp) return;
    const requests = this.#toStart;
    this.#toStart = [];
    for (const request of requests) {
      if (request.stage !== 'over') void this.#handle(request);
    }
  }

  async #handle(request: HeldRequest): Promise<void> {
    request.stage = 'begun';
    const body = await this.#options.handlers.answer(request.body, new Call(request), this.#report);
    request.stage = 'over';
    this.#step(() => this.#machine.reply(request, body, performance.now()));
  }

  readonly #report: FaultReport = (action, error) => {
    this.#options.log?.error({ err: error, service: this.service, action }, 'a handler failed unexpectedly');
  };

  #abort(request: HeldRequest, why: 'cancelled' | 'lost' | 'stopping'): void {
    if (request.stage === 'over') return;
    controllerOf(request).abort(new ActionFailure(why === 'stopping' ? 'STOPPING' : 'ABORTED', `the request was ${why}`));
    if (request.stage === 'begun' || why === 'stopping') return;
    // It has not begun, so it never does; the reply only gives the slot back.
    request.stage = 'over';
    const body = failure(errorAction, 'ABORTED', 'the request was cancelled before it began');
    this.#step(() => this.#machine.reply(request, body, performance.now()));
  }

  /** A reply that is not sent is not sent later either: its caller may have given up (rule W5). A heartbeat is said again. */
  #notSent(message: ToBroker, why: Unsendable): void {
    if (!isReply(message)) return;
    this.#options.log?.warn({ service: this.service, why }, why === 'full'
      ? 'a reply was not sent: more waits than the broker reads; its caller hears nothing before its deadline'
      : 'a reply was not sent: the connection to the broker has closed, or the broker does not read');
  }
}

/** A promise that may be rejected although nobody waits for it. */
function awaited(): PromiseWithResolvers<void> {
  const result = Promise.withResolvers<void>();
  result.promise.catch(() => {});
  return result;
}
