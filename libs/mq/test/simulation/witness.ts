// Watches the wire of one broker, without knowing its insides, and says when a rule is broken. What it reads it reads
// with its own eyes, not with the product's codec.
import type { BrokerLimits } from '../../src/mdp/broker-state.ts';
import type { Frames } from '../../src/mdp/frames.ts';
import { latenessMs } from './process.ts';

/** A rule that was broken. */
class Violation extends Error {
  override readonly name = 'Violation';
}

export function demand(holds: boolean, text: () => string): asserts holds {
  if (!holds) throw new Violation(text());
}

/** The bodies of the simulation: `do` and the call's name; answered with `done` and the same name. */
export const requestAction = 'do';
export const replyAction = 'done';

interface Asked {
  readonly name: string;
  readonly key: string;
  readonly peer: string;
  readonly arrivedMs: number;
  readonly dueMs: number;
  /** Who was given it. */
  worker: string | undefined;
  /** Somebody waits for the answer. */
  open: boolean;
  cancelSent: boolean;
  /** A newer instance registered while an older one held it. */
  superseded: boolean;
}

interface Registered {
  readonly plain: boolean;
  readonly capacity: number;
  readonly held: Map<string, Asked>;
  /** A plain one that let a deadline pass, and has not spoken since. */
  stuck: boolean;
  leaving: boolean;
  readonly service: string;
  /** -1 for none. */
  readonly epoch: number;
  /** When it last spoke, and how long it had been silent before; in time in which the broker ran (rule R9). */
  heardMs: number;
  silentMs: number;
}

/** The time of the clock, and that in which the broker's process ran. */
export interface Now {
  readonly nowMs: number;
  readonly attentiveMs: number;
}

const livenessMs = 5000;
/** Silence is judged once a heartbeat, by a process that may be late by what is no pause yet. */
const judgedWithinMs = 1000 + 2000 + 2 * latenessMs;

export type WitnessLimits = Pick<BrokerLimits, 'defaultTimeoutMs' | 'maxCapacity' | 'maxOpenPerClient' | 'discoveryGraceMs'>;

export class Witness {
  readonly #limits: WitnessLimits;
  /** Open requests by client and address, in order. */
  readonly #open = new Map<string, Asked[]>();
  readonly #workers = new Map<string, Registered>();
  /** The highest epoch of each service that the broker has read. */
  readonly #epochs = new Map<string, number>();
  /** Who is to be told that it is superseded, before anything else; and whether it must be: one that was silent may be forgotten already. */
  readonly #toBeTold = new Map<string, boolean>();
  /** All requests that a broker ever read, by name. */
  readonly asked = new Map<string, Asked>();
  /** Every token that each peer was ever given. */
  readonly tokens = new Map<string, Set<string>>();
  /** Peers that send nonsense: nothing is promised to them as clients. */
  readonly strangers = new Set<string>();

  constructor(limits: WitnessLimits) {
    this.#limits = limits;
  }

  /** Another broker: it knows nobody, and no name or token of the last may come again. */
  restart(): void {
    this.#open.clear();
    this.#workers.clear();
    this.#epochs.clear();
    this.#toBeTold.clear();
  }

  /** The broker reads a message; `arrivedMs` is when it counts from. */
  reads(peer: string, frames: Frames, arrivedMs: number, now: Now): void {
    const parts = frames.map((frame) => frame.toString('latin1'));
    if (parts[0] === '' && parts[1] === 'MDPW01') this.#readsWorker(peer, parts, now.attentiveMs);
    else if (parts.length === 1 && parts[0] === '') this.gone(peer);
    else if (!this.strangers.has(peer)) this.#readsClient(peer, parts, arrivedMs);
  }

  #readsWorker(peer: string, [, , command, first, fourth, fifth]: string[], attentiveMs: number): void {
    if (command === '\x01' && first !== undefined) {
      const plain = fourth === undefined || (fourth === '' && fifth !== undefined);
      const capacity = plain ? 1 : Math.min(Number(fourth), this.#limits.maxCapacity);
      const epoch = fifth === undefined ? -1 : Number(fifth);
      if (!this.#isNewest(peer, first, epoch, attentiveMs)) return;
      this.#workers.set(peer, { plain, capacity, held: new Map(), stuck: false, leaving: false, service: first, epoch, heardMs: attentiveMs, silentMs: 0 });
      return;
    }
    const worker = this.#workers.get(peer);
    if (worker === undefined) return;
    worker.silentMs = attentiveMs - worker.heardMs;
    worker.heardMs = attentiveMs;
    if (command === '\x03' || command === '\x04') worker.stuck = false;
    if (command === '\x05') worker.leaving = true;
    if (command === '\x03' && first !== undefined) worker.held.delete(first);
  }

  /** Rule R15: whether this instance may register; what is older is no worker from now on, and answers nothing that it holds. */
  #isNewest(peer: string, service: string, epoch: number, attentiveMs: number): boolean {
    const highest = this.#epochs.get(service) ?? -1;
    if (epoch < highest) {
      this.#toBeTold.set(peer, true);
      return false;
    }
    this.#epochs.set(service, epoch);
    for (const [other, worker] of this.#workers) {
      if (other === peer || worker.service !== service || worker.epoch >= epoch) continue;
      for (const request of worker.held.values()) request.superseded = true;
      this.#workers.delete(other);
      this.#toBeTold.set(other, attentiveMs - worker.heardMs < livenessMs && !worker.leaving);
    }
    return true;
  }

  #readsClient(peer: string, parts: string[], arrivedMs: number): void {
    const end = parts.indexOf('');
    const [header, service = '', ...rest] = parts.slice(end + 1);
    if (end < 0 || header !== 'MDPC01') return;
    const key = [peer, ...parts.slice(0, end)].join('|');
    if (service === 'mmi.cancel') {
      for (const request of this.#open.get(key) ?? []) this.#end(request);
      this.#open.delete(key);
      return;
    }
    const start = rest.indexOf(requestAction);
    const name = rest[start + 1];
    if (start < 0 || name === undefined) return;
    demand(!this.asked.has(name), () => `${name} was sent twice`);
    const timeout = start === 0 ? 'None' : rest[0] ?? 'None';
    const dueMs = arrivedMs + (timeout === 'None' ? this.#limits.defaultTimeoutMs : Number(timeout) * 1000);
    const request: Asked = { name, key, peer, arrivedMs, dueMs, worker: undefined, open: true, cancelSent: false, superseded: false };
    this.asked.set(name, request);
    this.#open.set(key, [...(this.#open.get(key) ?? []), request]);
  }

  #end(request: Asked): void {
    request.open = false;
  }

  gone(peer: string): void {
    this.#workers.delete(peer);
    this.#toBeTold.delete(peer);
    for (const [key, requests] of this.#open) {
      if (key !== peer && !key.startsWith(`${peer}|`)) continue;
      for (const request of requests) this.#end(request);
      this.#open.delete(key);
    }
  }

  /** A message that the broker's socket did not take: a request in it was never handed over. */
  sendsInVain(peer: string, frames: Frames): void {
    const parts = frames.map((frame) => frame.toString('latin1'));
    if (parts[1] !== 'MDPW01' || parts[2] !== '\x02') return;
    const worker = this.#workers.get(peer);
    const request = worker?.held.get(parts[3] ?? '');
    if (request !== undefined) request.worker = undefined;
    worker?.held.delete(parts[3] ?? '');
  }

  /** The broker sends a message. */
  sends(peer: string, frames: Frames, now: Now): void {
    const parts = frames.map((frame) => frame.toString('latin1'));
    if (parts[0] !== '' || parts[1] !== 'MDPW01') return this.#sendsClient(peer, parts, now);
    const worker = this.#workers.get(peer);
    const [command, token = ''] = parts.slice(2);
    if (command === '\x05' && token === 'superseded') {
      demand(this.#toBeTold.delete(peer), () => `R15: ${peer} was told that it is superseded, and nothing newer was there`);
      return;
    }
    demand(this.#toBeTold.get(peer) !== true, () => `R15: command ${JSON.stringify(command)} to ${peer}, which is superseded and was not told`);
    if (command === '\x05') {
      const known = worker !== undefined && !worker.leaving && !this.strangers.has(peer);
      demand(!known || worker.silentMs >= livenessMs, () => `R9, R11: DISCONNECT to ${peer}, which was silent for ${worker?.silentMs ?? 0} ms only`);
      this.#workers.delete(peer);
      return;
    }
    if (command === '\x04') {
      demand(worker !== undefined && !worker.leaving, () => `R16: HEARTBEAT to ${peer}, which is no worker any more`);
      return;
    }
    demand(worker !== undefined && !worker.leaving, () => `R16: command ${JSON.stringify(command)} to ${peer}, which is no worker any more`);
    if (command === '\x06') return this.#sendsCancel(peer, worker, token);
    demand(command === '\x02' && parts[4] === '' && parts[5] === requestAction, () => `not a message to a worker: ${JSON.stringify(parts)}`);
    this.#handsOver(peer, worker, token, parts[6] ?? '', now);
  }

  #handsOver(peer: string, worker: Registered, token: string, name: string, { nowMs, attentiveMs }: Now): void {
    const request = this.asked.get(name);
    demand(request !== undefined, () => `${name} was handed over and never asked`);
    demand(request.worker === undefined, () => `R7: ${name} was handed to ${request.worker ?? ''} and then to ${peer}`);
    demand(request.open, () => `R10, R17: ${name} was handed over although nobody waits for it`);
    demand(nowMs < request.dueMs, () => `R6: ${name} was handed over at ${nowMs}, its deadline was ${request.dueMs}`);
    const share = [...this.#open.values()].reduce((sum, requests) => sum + requests.filter(({ peer: client }) => client === request.peer).length, 0);
    demand(share <= this.#limits.maxOpenPerClient, () => `R13: ${request.peer} has ${share} requests open`);
    const open = [...worker.held.values()].filter(({ dueMs }) => dueMs > nowMs).length;
    demand(open < worker.capacity, () => `R14: ${peer} was given ${open + 1} requests at once, its capacity is ${worker.capacity}`);
    demand(!worker.stuck && (!worker.plain || worker.held.size === 0), () => `R8: the plain worker ${peer} was given a request although it is stuck`);
    const silentMs = attentiveMs - worker.heardMs;
    demand(silentMs <= livenessMs + judgedWithinMs, () => `R9: ${peer} was given a request after ${silentMs} ms of silence`);
    const given = this.tokens.get(peer) ?? new Set();
    for (const tokens of this.tokens.values()) demand(!tokens.has(token), () => 'R5: a token came twice');
    this.tokens.set(peer, given.add(token));
    request.worker = peer;
    worker.held.set(token, request);
  }

  #sendsCancel(peer: string, worker: Registered, token: string): void {
    demand(!worker.plain, () => `R17: CANCEL to ${peer}, which is a plain worker`);
    const request = worker.held.get(token);
    demand(request !== undefined, () => `R17: CANCEL to ${peer} of what it does not hold`);
    demand(!request.cancelSent, () => `R17: ${request.name} was cancelled twice`);
    request.cancelSent = true;
  }

  #sendsClient(peer: string, parts: string[], now: Now): void {
    const end = parts.indexOf('');
    const [header, service = '', action = '', data = ''] = parts.slice(end + 1);
    demand(end >= 0 && header === 'MDPC01', () => `not a message to a client: ${JSON.stringify(parts)}`);
    if (service.startsWith('mmi.') || this.strangers.has(peer)) return;
    const key = [peer, ...parts.slice(0, end)].join('|');
    const [request, ...others] = this.#open.get(key) ?? [];
    demand(request !== undefined, () => `R5, R7: ${peer} was sent ${action} ${data}, and nothing of it is open`);
    demand(others.length === 0, () => `two requests are open under one address of ${peer}`);
    if (action !== 'mq.error') {
      demand(!request.superseded, () => `R15: ${request.name} was answered by an older instance`);
      demand(action === replyAction && data === request.name, () => `R5: ${request.name} was answered with ${action} ${data}`);
    } else if (data.includes('"code":"WORKER_LOST"')) {
      if (!request.superseded) this.#lost(request, now.attentiveMs);
    } else if (/"code":"(SERVICE_UNKNOWN|OVERLOADED|TOO_LARGE|BAD_REQUEST)"/.test(data)) {
      demand(request.worker === undefined, () => `R7: ${request.name} ended with ${data}, though a worker had it`);
      const waitedMs = now.nowMs - request.arrivedMs;
      demand(!data.includes('SERVICE_UNKNOWN') || waitedMs >= this.#limits.discoveryGraceMs, () => `R7: SERVICE_UNKNOWN for ${request.name} after ${waitedMs} ms`);
    }
    this.#end(request);
    this.#open.delete(key);
  }

  /** A worker is lost by its connection, or by a silence that the broker heard. */
  #lost(request: Asked, attentiveMs: number): void {
    const peer = request.worker ?? '';
    const worker = this.#workers.get(peer);
    if (worker === undefined || this.strangers.has(peer)) return;
    const silentMs = attentiveMs - worker.heardMs;
    demand(!worker.plain && silentMs >= 3 * livenessMs, () => `R9: ${peer} was given up for lost after ${silentMs} ms of silence`);
    this.#workers.delete(peer);
  }

  /** The broker has just looked at its timers. */
  ticked(nowMs: number): void {
    for (const [peer, must] of this.#toBeTold) demand(!must, () => `R15: nobody told ${peer} that it is superseded`);
    for (const requests of this.#open.values()) {
      for (const { name, dueMs } of requests) demand(dueMs > nowMs, () => `R7: nobody told the caller of ${name} that its deadline passed`);
    }
    for (const [peer, worker] of this.#workers) {
      for (const [token, request] of worker.held) {
        if (request.dueMs > nowMs) continue;
        demand(worker.plain || worker.leaving || request.cancelSent, () => `R17: ${peer} was not told that the deadline of ${request.name} passed`);
        worker.held.delete(token);
        worker.stuck ||= worker.plain;
      }
    }
  }
}
