// The client as a machine: calls in, frames out, and each call settled exactly once (docs/protocol.md, rules C1, C2, C4).
//
//   call ─▶ waiting for the connection ─▶ sent ─▶ settled: reply, or a code of the bus
//
// Nothing is sent while the broker is not connected, so that no command runs long after its caller gave up.
import type { Message } from '@majordomus/zmtp';
import { Backoff } from './backoff.ts';
import { cancelRequest, idOfReply, idOfRequest, plainRequest, replyBodyAt, timedRequest } from './codec.ts';
import type { Frame, Frames, ToBroker } from './frames.ts';
import { OpenCalls } from './open-calls.ts';
import { Timers, type Timed } from './timers.ts';

/** Which broker is at the other end (rule C1). */
export type Dialect = 'majordomus' | 'domogik' | 'rfc';

export type CallOutcome =
  /** The body begins at this frame. The message says something only until the call's `settle` returns. */
  | { readonly kind: 'reply'; readonly message: Message; readonly bodyAt: number }
  | { readonly kind: 'failed'; readonly code: 'DEADLINE_EXCEEDED' | 'NOT_CONNECTED' | 'BROKER_LOST' | 'OVERLOADED' | 'NOT_READ' | 'ABORTED' | 'CLIENT_CLOSED' };

/**
 * Why the connecting side could not send: its connection has closed, which `disconnected` says, before or after; or it stands, and more
 * waits than the broker reads. A transport that cannot tell says `closed`.
 */
export type Unsendable = 'closed' | 'full';

/** One call; an opaque handle outside. */
export interface OpenCall extends Timed {
  readonly service: Frame;
  readonly body: Frames;
  /** Its correlation id. */
  readonly id: number;
  sent: boolean;
  settle: (outcome: CallOutcome) => void;
}

/** What the pump is to do, in order. */
export type ClientEffect =
  | { readonly do: 'open' }
  | { readonly do: 'close' }
  | { readonly do: 'send'; readonly message: ToBroker }
  | { readonly do: 'settle'; readonly call: OpenCall; readonly outcome: CallOutcome };

export interface ClientMachineOptions {
  readonly dialect: Dialect;
  /** Most calls open at once; one in the plain dialect, where nothing tells two replies apart. */
  readonly share: number;
}

/** The broker gets less time than the call has, so that its own reason arrives first (rule C2). */
const marginPart = 0.1;
const maxMarginMs = 250;

export class ClientMachine {
  readonly effects: ClientEffect[] = [];
  readonly #dialect: Dialect;
  readonly #share: number;
  readonly #backoff: Backoff;
  readonly #open = new OpenCalls<OpenCall>();
  readonly #timers = new Timers<OpenCall>();
  #state: 'closed' | 'connecting' | 'connected' | 'ended' = 'closed';
  #reopenMs = Infinity;

  constructor({ dialect, share }: ClientMachineOptions, random: () => number) {
    this.#dialect = dialect;
    this.#share = dialect === 'rfc' ? 1 : share;
    this.#backoff = new Backoff(random);
  }

  get openCalls(): number {
    return this.#open.size;
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  get deadlineMs(): number {
    return Math.min(this.#timers.nextMs, this.#reopenMs);
  }

  start(): void {
    if (this.#state === 'closed' && this.#reopenMs === Infinity) this.#openSocket();
  }

  /** Begins a call, or settles it at once if it cannot be made. */
  call(service: Frame, body: Frames, deadlineMs: number, settle: OpenCall['settle'], nowMs: number): OpenCall {
    const call: OpenCall = { service, body, id: this.#open.freshId(), sent: false, settle, dueMs: deadlineMs, heapIndex: -1 };
    if (this.#state === 'ended') return this.#fail(call, 'CLIENT_CLOSED');
    if (this.#open.size >= this.#share) return this.#fail(call, 'OVERLOADED');
    this.#open.add(call);
    this.#timers.set(call, deadlineMs);
    if (this.#state === 'connected') this.#send(call, nowMs);
    return call;
  }

  /** The caller does not want the answer any more; the broker is told where it understands that (rule R17). */
  cancel(call: OpenCall, nowMs: number): void {
    if (this.#open.get(call.id) !== call) return;
    this.#settle(call, { kind: 'failed', code: 'ABORTED' });
    this.#forsake(call, nowMs);
  }

  connected(nowMs: number): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'connected';
    for (const call of this.#open.all()) this.#send(call, nowMs);
  }

  /** The connection closed: what was sent is lost, what was not still waits (rule C4). */
  disconnected(nowMs: number): void {
    if (this.#state !== 'connected' && this.#state !== 'connecting') return;
    this.#reopen(nowMs);
    for (const call of this.#open.all()) if (call.sent) this.#settle(call, { kind: 'failed', code: 'BROKER_LOST' });
  }

  receive(message: Message): void {
    const bodyAt = replyBodyAt(message);
    if (bodyAt < 0 || this.#state !== 'connected') return;
    this.#backoff.reset();
    const call = this.#callOf(idOfReply(message, bodyAt));
    if (call?.sent === true) this.#settle(call, { kind: 'reply', message, bodyAt });
  }

  /**
   * The transport could not take a request, so nothing was done. If the connection has just closed, the call waits for the next one
   * (rule C4); if it stands, and the broker does not read, no other may come in time, and the call ends at once.
   */
  unsendable(message: ToBroker, why: Unsendable): void {
    const call = this.#callOf(idOfRequest(message));
    if (call === undefined) return;
    call.sent = false;
    if (why === 'full') this.#settle(call, { kind: 'failed', code: 'NOT_READ' });
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#reopenMs) this.#openSocket();
    for (let call = this.#timers.takeDue(nowMs); call !== undefined; call = this.#timers.takeDue(nowMs)) {
      this.#settle(call, { kind: 'failed', code: call.sent ? 'DEADLINE_EXCEEDED' : 'NOT_CONNECTED' });
      if (this.#dialect === 'rfc') this.#forsake(call, nowMs);
    }
  }

  end(): void {
    if (this.#state === 'ended') return;
    const open = this.#state !== 'closed';
    this.#state = 'ended';
    this.#reopenMs = Infinity;
    for (const call of this.#open.all()) this.#settle(call, { kind: 'failed', code: 'CLIENT_CLOSED' });
    if (open) this.effects.push({ do: 'close' });
  }

  #send(call: OpenCall, nowMs: number): void {
    const leftMs = call.dueMs - nowMs;
    // Its caller has given up, only the tick that says so has not come yet.
    if (leftMs <= 0) return;
    call.sent = true;
    const { id, service, body } = call;
    const message = this.#dialect === 'rfc' ? plainRequest(service, body) : timedRequest(id, service, leftMs - Math.min(leftMs * marginPart, maxMarginMs), body);
    this.effects.push({ do: 'send', message });
  }

  /** A reply to it may still come: the broker is told, or in the plain dialect the socket replaced. */
  #forsake(call: OpenCall, nowMs: number): void {
    if (!call.sent || this.#state !== 'connected') return;
    if (this.#dialect === 'majordomus') {
      this.effects.push({ do: 'send', message: cancelRequest(call.id) });
    } else if (this.#dialect === 'rfc') {
      this.#backoff.reset();
      this.#reopen(nowMs);
    }
  }

  /** The call with this correlation id; in the plain dialect, the only one. */
  #callOf(id: number): OpenCall | undefined {
    return this.#dialect === 'rfc' ? this.#open.all()[0] : this.#open.get(id);
  }

  #settle(call: OpenCall, outcome: CallOutcome): void {
    this.#open.delete(call);
    this.#timers.delete(call);
    this.effects.push({ do: 'settle', call, outcome });
  }

  #fail(call: OpenCall, code: 'CLIENT_CLOSED' | 'OVERLOADED'): OpenCall {
    this.effects.push({ do: 'settle', call, outcome: { kind: 'failed', code } });
    return call;
  }

  #openSocket(): void {
    this.#state = 'connecting';
    this.#reopenMs = Infinity;
    this.effects.push({ do: 'open' });
  }

  #reopen(nowMs: number): void {
    this.#state = 'closed';
    this.effects.push({ do: 'close' });
    this.#reopenMs = nowMs + this.#backoff.nextMs();
  }
}
