// The worker as a machine (docs/protocol.md, rules W1, W2, W4, W5; its side of R14 to R17).
//
//   closed ──(backoff)──▶ connecting ──connected──▶ registered ──stop──▶ leaving ──settled──▶ stopped
//     ▲                        │                        │
//     └────────────────────────┴── disconnected, DISCONNECT, silence ──┘
//
// DISCONNECT with `superseded` ends it for good, wherever it is: a newer instance has its service (rule R15).
// Each connection is a new socket. A request is answered to the connection that brought it, or not at all. Before it
// closes, a leaving worker asks with one HEARTBEAT: a broker that has forgotten it says DISCONNECT (rule R11), after all
// that crossed its goodbye.
import { Buffer } from 'node:buffer';
import type { Message } from '@majordomus/zmtp';
import { Attention } from './attention.ts';
import { Backoff } from './backoff.ts';
import { disconnect, heartbeat, isSameHead, parseBrokerMessage, workerReplyHead, workerReady, workerReply } from './codec.ts';
import type { Frames, ToBroker } from './frames.ts';
import { LinkedQueue, type Linked } from './linked-queue.ts';

export interface WorkerMachineOptions {
  readonly service: string;
  /** Requests at once; undefined makes it a plain worker (rule R14). */
  readonly capacity: number | undefined;
  /** Which instance of the service this is (rule R15). */
  readonly epoch?: number | undefined;
  readonly heartbeatMs: number;
  readonly livenessMs: number;
  /** How long a stop waits for the requests that it holds (rule W4). */
  readonly stopLimitMs: number;
  /** How long a stop waits for the broker's word that nothing more comes. */
  readonly settleMs: number;
}

export const defaultWorkerOptions = { heartbeatMs: 1000, livenessMs: 5000, stopLimitMs: 3000, settleMs: 250 } as const;

/** A request that this worker owes an answer; an opaque handle outside. */
export interface HeldRequest extends Linked<HeldRequest> {
  /** What its reply begins with, the envelope in it (rule W5). */
  readonly head: Buffer;
  readonly body: Frames;
  /** Which connection brought it. */
  readonly connection: number;
  /** How far its handling is, and what its signal comes from; both belong to whoever it is delivered to. */
  stage: 'delivered' | 'begun' | 'over';
  controller: AbortController | undefined;
}

/** What the pump is to do, in order. */
export type WorkerEffect =
  | { readonly do: 'open' }
  | { readonly do: 'close' }
  | { readonly do: 'send'; readonly message: ToBroker }
  | { readonly do: 'deliver'; readonly request: HeldRequest }
  /** The handler's signal fires; after `lost` its answer has no receiver any more. */
  | { readonly do: 'abort'; readonly request: HeldRequest; readonly why: 'cancelled' | 'lost' | 'stopping' }
  | { readonly do: 'registered' }
  /** It has ended, and does not come back: it was asked to stop, or a newer instance has taken over (rule R15). */
  | { readonly do: 'stopped'; readonly superseded: boolean };

type State = 'new' | 'closed' | 'connecting' | 'registered' | 'leaving' | 'stopped';

/** Rule W1: Domogik's broker sends no heartbeat while it waits for an answer. */
const livenessFactorWhileHolding = 4;

export class WorkerMachine {
  readonly effects: WorkerEffect[] = [];
  readonly #options: WorkerMachineOptions;
  readonly #serviceFrame: Buffer;
  readonly #backoff: Backoff;
  readonly #attention: Attention;
  readonly #held = new LinkedQueue<HeldRequest>();
  #state: State = 'new';
  #connection = 0;
  #reopenMs = Infinity;
  #lastHeardMs = 0;
  #lastSentMs = 0;
  #stopByMs = Infinity;
  #settledByMs = Infinity;

  constructor(options: WorkerMachineOptions, random: () => number, nowMs: number) {
    this.#options = options;
    this.#serviceFrame = Buffer.from(options.service);
    this.#backoff = new Backoff(random);
    this.#attention = new Attention(nowMs, options.heartbeatMs);
  }

  get state(): State {
    return this.#state;
  }

  get heldRequests(): number {
    return this.#held.size;
  }

  /** This process has paused, and what arrived meanwhile is still being read: it may say that a request is not wanted (rule W2). */
  get isCatchingUp(): boolean {
    return this.#attention.pauseBeganMs !== undefined;
  }

  get deadlineMs(): number {
    switch (this.#state) {
      case 'closed': return this.#reopenMs;
      case 'registered': return Math.min(this.#attention.nextCheckMs, this.#lastSentMs + this.#options.heartbeatMs);
      case 'leaving': return Math.min(this.#stopByMs, this.#settledByMs, this.isCatchingUp ? this.#attention.nextCheckMs : Infinity);
      default: return Infinity;
    }
  }

  start(): void {
    if (this.#state === 'new') this.#open();
  }

  /** The connection is complete: say READY (rule W1). */
  connected(nowMs: number): void {
    if (this.#state !== 'connecting') return;
    this.#attention.observe(nowMs);
    this.#state = 'registered';
    this.#lastHeardMs = this.#attention.at(nowMs);
    this.#send(workerReady(this.#serviceFrame, this.#options.capacity, this.#options.epoch), nowMs);
    this.effects.push({ do: 'registered' });
  }

  disconnected(nowMs: number): void {
    if (this.#state === 'leaving') this.#finish();
    else if (this.#state === 'connecting' || this.#state === 'registered') this.#giveUp(nowMs);
  }

  /** More of a message that is not whole has come: the broker is not silent (rule W1). */
  alive(nowMs: number): void {
    this.#attention.observe(nowMs);
    this.#lastHeardMs = this.#attention.at(nowMs);
  }

  receive(message: Message, nowMs: number): void {
    this.#attention.observe(nowMs);
    if (this.#state !== 'registered' && this.#state !== 'leaving') return;
    const parsed = parseBrokerMessage(message);
    if (parsed === undefined) return;
    this.#lastHeardMs = this.#attention.at(nowMs);
    if (parsed.kind !== 'disconnect') this.#backoff.reset();
    switch (parsed.kind) {
      case 'heartbeat':
        return;
      case 'request': {
        const request: HeldRequest = {
          head: workerReplyHead(message, parsed.bodyAt), body: message.frames(parsed.bodyAt), connection: this.#connection,
          stage: 'delivered', controller: undefined, previous: undefined, next: undefined, queue: undefined,
        };
        this.#held.push(request);
        this.#settledByMs = Infinity;
        this.effects.push({ do: 'deliver', request });
        return;
      }
      case 'cancel': {
        const head = workerReplyHead(message, parsed.bodyAt);
        for (let request = this.#held.first; request !== undefined; request = request.next) {
          if (isSameHead(request.head, head)) this.effects.push({ do: 'abort', request, why: 'cancelled' });
        }
        return;
      }
      case 'disconnect':
        if (this.#state === 'leaving') this.#finish();
        else this.#giveUp(nowMs);
        return;
      case 'superseded':
        this.#finish(true);
        return;
      default:
        parsed satisfies never;
    }
  }

  /** The answer to a request; dropped if the connection that brought it is gone (rule W5). */
  reply(request: HeldRequest, body: Frames, nowMs: number): void {
    this.#attention.observe(nowMs);
    if (request.connection !== this.#connection || request.queue === undefined) return;
    this.#held.delete(request);
    this.#send(workerReply(request.head, body), nowMs);
    // The broker may have been silent because of what was held: the shorter liveness counts from here (rule W1).
    if (this.#held.size === 0) this.#lastHeardMs = this.#attention.at(nowMs);
    if (this.#state === 'leaving') this.#settle(nowMs);
  }

  /** Rule W4: say DISCONNECT, finish what is held and what crossed it, then end. */
  stop(nowMs: number): void {
    if (this.#state === 'stopped' || this.#state === 'leaving') return;
    if (this.#state !== 'registered') {
      this.#finish();
      return;
    }
    this.#state = 'leaving';
    this.#stopByMs = nowMs + this.#options.stopLimitMs;
    this.#send(disconnect, nowMs);
    for (const request of this.#held.all()) this.effects.push({ do: 'abort', request, why: 'stopping' });
    this.#settle(nowMs);
  }

  tick(nowMs: number): void {
    this.#attention.observe(nowMs);
    this.#attention.caughtUp();
    switch (this.#state) {
      case 'closed':
        if (nowMs >= this.#reopenMs) this.#open();
        return;
      case 'registered':
        if (this.#attention.at(nowMs) - this.#lastHeardMs >= this.#livenessMs()) this.#giveUp(nowMs);
        else if (nowMs - this.#lastSentMs >= this.#options.heartbeatMs) this.#send(heartbeat, nowMs);
        return;
      case 'leaving':
        if (nowMs >= Math.min(this.#stopByMs, this.#settledByMs)) this.#finish();
        return;
      default:
    }
  }

  #livenessMs(): number {
    return this.#options.livenessMs * (this.#held.size > 0 ? livenessFactorWhileHolding : 1);
  }

  #send(message: ToBroker, nowMs: number): void {
    this.#lastSentMs = nowMs;
    this.effects.push({ do: 'send', message });
  }

  #open(): void {
    this.#state = 'connecting';
    this.#connection += 1;
    this.#reopenMs = Infinity;
    this.effects.push({ do: 'open' });
  }

  #giveUp(nowMs: number): void {
    this.#state = 'closed';
    this.#reopenMs = nowMs + this.#backoff.nextMs();
    this.#loseHeld();
    this.effects.push({ do: 'close' });
  }

  #settle(nowMs: number): void {
    if (this.#held.size > 0) return;
    this.#settledByMs = nowMs + this.#options.settleMs;
    this.#send(heartbeat, nowMs);
  }

  #finish(superseded = false): void {
    const open = this.#state === 'leaving' || this.#state === 'connecting' || this.#state === 'registered';
    this.#state = 'stopped';
    this.#loseHeld();
    if (open) this.effects.push({ do: 'close' });
    this.effects.push({ do: 'stopped', superseded });
  }

  #loseHeld(): void {
    for (let request = this.#held.shift(); request !== undefined; request = this.#held.shift()) this.effects.push({ do: 'abort', request, why: 'lost' });
  }
}
