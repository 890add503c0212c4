// A broker machine with a fake clock and peers that have names, so that a test reads as a conversation. It reads what the
// broker sends by eye and hand, not with the product's own codec.
import { encodeFrames } from '@majordomus/zmtp';
import { BrokerMachine } from '../src/mdp/broker.ts';
import type { BrokerLimits, BrokerStatus, Outgoing } from '../src/mdp/broker-state.ts';
import type { Frame, Frames, ToBroker } from '../src/mdp/frames.ts';
import { framesOf, readAsMessage } from '../src/wire.ts';

/** Text frames are latin1, so that every byte has its character. */
export type Part = string | Uint8Array;

export function frames(...parts: readonly Part[]): Frames {
  return parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part)));
}

/** What a client or a worker sends, as it leaves it. */
export function toBroker(...parts: readonly Part[]): ToBroker {
  return { head: encodeFrames(frames(...parts)), body: [] };
}

/** Frames as text, one string each. */
export function texts(message: readonly Frame[]): string[] {
  return message.map((frame) => frame.toString('latin1'));
}

/** What a peer receives, in the words of the protocol. */
export type Received =
  | { readonly kind: 'request'; readonly token: Buffer; readonly body: readonly string[] }
  | { readonly kind: 'cancel'; readonly token: Buffer }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'reply'; readonly address: readonly string[]; readonly service: string; readonly body: readonly string[] }
  | { readonly kind: 'error'; readonly address: readonly string[]; readonly service: string; readonly code: string; readonly reason: string };

export function read(message: Frames): Received {
  const parts = texts(message);
  if (parts[0] === '' && parts[1] === 'MDPW01') {
    const [token] = message.slice(3);
    switch (parts[2]) {
      case '\x02':
        if (token !== undefined && token.length > 0 && parts[4] === '') return { kind: 'request', token, body: parts.slice(5) };
        break;
      case '\x06':
        if (token !== undefined && token.length > 0 && parts[4] === '' && parts.length === 5) return { kind: 'cancel', token };
        break;
      case '\x04':
        if (parts.length === 3) return { kind: 'heartbeat' };
        break;
      case '\x05':
        if (parts.length === 3) return { kind: 'disconnect' };
        if (parts.length === 4 && parts[3] === 'superseded') return { kind: 'superseded' };
        break;
      default:
    }
  }
  const end = parts.indexOf('');
  const [header, service, action, data, ...more] = parts.slice(end + 1);
  if (end < 0 || header !== 'MDPC01' || service === undefined) throw new TypeError(`the broker sent what is no message: ${JSON.stringify(parts)}`);
  const address = parts.slice(0, end);
  if (action !== 'mq.error') return { kind: 'reply', address, service, body: parts.slice(end + 3) };
  const { status, code, reason } = JSON.parse(Buffer.from(data ?? '', 'latin1').toString()) as { status: unknown; code: string; reason: string };
  if (status !== false || reason === '' || more.length > 0) throw new TypeError(`not the form of mq.error: ${JSON.stringify(parts)}`);
  return { kind: 'error', address, service, code, reason };
}

export class Peer {
  readonly name: string;
  readonly #driver: BrokerDriver;
  #received: Frames[] = [];
  /** It says HEARTBEAT whenever time passes, as a living worker does. */
  beats = false;

  constructor(driver: BrokerDriver, name: string) {
    this.#driver = driver;
    this.name = name;
  }

  deliver(message: Frames): void {
    this.#received.push(message);
  }

  /** Sends a message, frame by frame. */
  send(...parts: readonly Part[]): this {
    this.#driver.input((machine, nowMs) => readAsMessage(frames(...parts), (message) => machine.receive(this.name, message, nowMs)));
    return this;
  }

  /** What came since the last time, as frames. */
  takeFrames(): Frames[] {
    return this.#received.splice(0);
  }

  /** What came since the last time; heartbeats only when asked for. */
  take({ heartbeats = false } = {}): Received[] {
    return this.takeFrames().map(read).filter(({ kind }) => heartbeats || kind !== 'heartbeat');
  }

  /** The one message that came. */
  takeOne<K extends Received['kind']>(kind: K): Extract<Received, { kind: K }> {
    const [first, ...rest] = this.take();
    if (first?.kind !== kind || rest.length > 0) throw new TypeError(`${this.name} should have got one ${kind}, not ${JSON.stringify([first, ...rest])}`);
    return first as Extract<Received, { kind: K }>;
  }

  /** A request to a service; the body is `do` and `{}` unless told otherwise. */
  ask(service: string, { body = ['do', '{}'], address = [], timeout }: { body?: readonly Part[]; address?: readonly string[]; timeout?: string } = {}): this {
    return this.send(...address, '', 'MDPC01', service, ...(timeout === undefined ? [] : [timeout]), ...body);
  }

  ready(service: string, ...capacityAndEpoch: readonly (number | string | undefined)[]): this {
    return this.send('', 'MDPW01', '\x01', service, ...capacityAndEpoch.filter((frame) => frame !== undefined).map(String));
  }

  answer(token: Part, ...body: readonly Part[]): this {
    return this.send('', 'MDPW01', '\x03', token, '', ...(body.length === 0 ? ['do.result', '{"status":true}'] : body));
  }

  heartbeat(): this {
    return this.send('', 'MDPW01', '\x04');
  }

  /** More of a message comes from it, which is not whole. */
  part(): this {
    this.#driver.input((machine, nowMs) => machine.alive(this.name, nowMs));
    return this;
  }

  goodbye(): this {
    return this.send('', 'MDPW01', '\x05');
  }

  /** Its connection closes. */
  vanish(): void {
    this.beats = false;
    this.#driver.input((machine, nowMs) => machine.gone(this.name, nowMs));
  }
}

export class BrokerDriver {
  readonly #machine: BrokerMachine;
  readonly #peers = new Map<string, Peer>();
  /** The messages that were delivered, as the machine gave them. */
  readonly #sent = new WeakMap<Frames, Outgoing>();
  #nowMs = 1000;

  constructor(limits: Partial<BrokerLimits> = {}, seed: Uint8Array = Buffer.from('8 bytes!')) {
    this.#machine = new BrokerMachine(seed, this.#nowMs, limits);
  }

  peer(name: string): Peer {
    const peer = this.#peers.get(name) ?? new Peer(this, name);
    this.#peers.set(name, peer);
    return peer;
  }

  /** A registered worker that heartbeats while time passes. */
  worker(name: string, service: string, ...capacityAndEpoch: readonly (number | string | undefined)[]): Peer {
    const worker = this.peer(name).ready(service, ...capacityAndEpoch);
    worker.beats = true;
    return worker;
  }

  status(): BrokerStatus {
    return this.#machine.status(this.#nowMs);
  }

  /** Workers, waiting and served of one service, or undefined if the broker has forgotten it. */
  service(name: string): BrokerStatus['services'][number] | undefined {
    return this.status().services.find((service) => service.name === name);
  }

  input(step: (machine: BrokerMachine, nowMs: number) => void): void {
    step(this.#machine, this.#nowMs);
    for (const outgoing of this.#machine.outgoing.splice(0)) {
      const message = framesOf(outgoing);
      this.#sent.set(message, outgoing);
      this.peer(outgoing.peer).deliver(message);
    }
  }

  /** Time passes, with a tick at each deadline of the machine. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let ticks = 0; this.#machine.deadlineMs <= untilMs; ticks += 1) {
      if (ticks > 100_000) throw new TypeError('its deadline never moves');
      this.#nowMs = Math.max(this.#nowMs, this.#machine.deadlineMs);
      for (const peer of this.#peers.values()) if (peer.beats) peer.heartbeat();
      this.tick();
    }
    this.#nowMs = untilMs;
  }

  /** Time passes in which the broker's process does not run, so that nothing is read or judged. */
  suspend(ms: number): void {
    this.#nowMs += ms;
  }

  tick(): void {
    this.input((machine, nowMs) => machine.tick(nowMs));
  }

  /** The transport could not send this message of the broker, as a peer took it. */
  refuseToSend(message: Frames | undefined): void {
    const outgoing = message && this.#sent.get(message);
    if (outgoing === undefined) throw new TypeError('the broker has sent no such message');
    this.input((machine, nowMs) => machine.unsendable(outgoing, nowMs));
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get deadlineMs(): number {
    return this.#machine.deadlineMs;
  }
}

/** The tokens of the requests that a peer was sent since the last time. */
export function tokensOf(peer: Peer): Buffer[] {
  return peer.take().flatMap((message) => (message.kind === 'request' ? [message.token] : []));
}
