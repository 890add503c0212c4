// The client as a machine: calls in, frames out, and each call settled exactly once (docs/protocol.md, rules C1, C2, C4).
//
//   call ─▶ waiting for the connection ─▶ sent ─▶ settled: reply, or a code of the bus
//
// Nothing is sent while the broker is not connected, so that no command runs long after its caller gave up.
import { Backoff } from './backoff.ts';
import { clientRequest, parseClientReply } from './codec.ts';
import type { Frame, Frames } from './frames.ts';
import { Timers, type Timed } from './timers.ts';

/** Which broker is at the other end (rule C1). */
export type Dialect = 'majordomus' | 'domogik' | 'rfc';

export type CallOutcome =
  | { readonly kind: 'reply'; readonly body: Frames }
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
  | { readonly do: 'send'; readonly frames: Frames }
  | { readonly do: 'settle'; readonly call: OpenCall; readonly outcome: CallOutcome };

export interface ClientMachineOptions {
  readonly dialect: Dialect;
  /** Most calls open at once; one in the plain dialect, where nothing tells two replies apart. */
  readonly share: number;
}

/** The broker gets less time than the call has, so that its own reason arrives first (rule C2). */
const marginPart = 0.1;
const maxMarginMs = 250;
const idBytes = 4;
const idLimit = 2 ** 32;
const cancelService: Frame = Buffer.from('mmi.cancel');

export class ClientMachine {
  readonly effects: ClientEffect[] = [];
  readonly #dialect: Dialect;
  readonly #share: number;
  readonly #backoff: Backoff;
  readonly #open = new Map<number, OpenCall>();
  readonly #timers = new Timers<OpenCall>();
  #state: 'closed' | 'connecting' | 'connected' | 'ended' = 'closed';
  #reopenMs = Infinity;
  #nextId = 0;

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
    const call: OpenCall = { service, body, id: this.#freshId(), sent: false, settle, dueMs: deadlineMs, heapIndex: -1 };
    if (this.#state === 'ended') return this.#fail(call, 'CLIENT_CLOSED');
    if (this.#open.size >= this.#share) return this.#fail(call, 'OVERLOADED');
    this.#open.set(call.id, call);
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
    for (const call of this.#open.values()) this.#send(call, nowMs);
  }

  /** The connection closed: what was sent is lost, what was not still waits (rule C4). */
  disconnected(nowMs: number): void {
    if (this.#state !== 'connected' && this.#state !== 'connecting') return;
    this.#reopen(nowMs);
    for (const call of this.#open.values()) if (call.sent) this.#settle(call, { kind: 'failed', code: 'BROKER_LOST' });
  }

  receive(frames: Frames): void {
    const reply = parseClientReply(frames);
    if (reply === undefined || this.#state !== 'connected') return;
    this.#backoff.reset();
    const call = this.#callOf(reply.address);
    if (call?.sent === true) this.#settle(call, { kind: 'reply', body: reply.body });
  }

  /**
   * The transport could not take a request, so nothing was done. If the connection has just closed, the call waits for the next one
   * (rule C4); if it stands, and the broker does not read, no other may come in time, and the call ends at once.
   */
  unsendable(frames: Frames, why: Unsendable): void {
    const call = this.#callOf(frames.slice(0, frames.findIndex((frame) => frame.length === 0)));
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
    for (const call of this.#open.values()) this.#settle(call, { kind: 'failed', code: 'CLIENT_CLOSED' });
    if (open) this.effects.push({ do: 'close' });
  }

  #send(call: OpenCall, nowMs: number): void {
    const leftMs = call.dueMs - nowMs;
    // Its caller has given up, only the tick that says so has not come yet.
    if (leftMs <= 0) return;
    const timeoutMs = this.#dialect === 'rfc' ? undefined : leftMs - Math.min(leftMs * marginPart, maxMarginMs);
    call.sent = true;
    this.effects.push({ do: 'send', frames: clientRequest(this.#addressOf(call), call.service, timeoutMs, call.body) });
  }

  /** A reply to it may still come: the broker is told, or in the plain dialect the socket replaced. */
  #forsake(call: OpenCall, nowMs: number): void {
    if (!call.sent || this.#state !== 'connected') return;
    if (this.#dialect === 'majordomus') {
      this.effects.push({ do: 'send', frames: clientRequest(this.#addressOf(call), cancelService, undefined, []) });
    } else if (this.#dialect === 'rfc') {
      this.#backoff.reset();
      this.#reopen(nowMs);
    }
  }

  #addressOf(call: OpenCall): Frames {
    if (this.#dialect === 'rfc') return [];
    const id = Buffer.allocUnsafe(idBytes);
    id.writeUInt32BE(call.id);
    return [id];
  }

  /** The call that an address belongs to; in the plain dialect, the only one. */
  #callOf(address: Frames): OpenCall | undefined {
    if (this.#dialect !== 'rfc') return this.#open.get(idOf(address));
    for (const call of this.#open.values()) return call;
    return undefined;
  }

  #freshId(): number {
    do this.#nextId = (this.#nextId + 1) % idLimit;
    while (this.#open.has(this.#nextId));
    return this.#nextId;
  }

  #settle(call: OpenCall, outcome: CallOutcome): void {
    this.#open.delete(call.id);
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

function idOf(address: Frames): number {
  const [id] = address;
  return address.length === 1 && id?.length === idBytes ? id.readUInt32BE() : -1;
}
