// Every service that is offered or asked for, and the requests that wait for it (docs/protocol.md, rules R6, R7, R13): in
// which order, how many, with how many bytes, and how long while no worker offers the service. Its epoch outlives it (R15).
import { Buffer } from 'node:buffer';
import { replyHead } from './broker-codec.ts';
import type { BrokerLimits, OpenRequest, ServiceState, WorkerState } from './broker-state.ts';
import { kept, type Tail } from '@majordomus/zmtp';
import { LinkedQueue } from './linked-queue.ts';
import { RememberedEpochs } from './remembered-epochs.ts';
import type { Timers } from './timers.ts';

/** What a frame and a request cost beside their bytes, so that many small ones are not free. */
const frameOverheadBytes = 64;
const requestOverheadBytes = 512;

export class Services {
  readonly #limits: BrokerLimits;
  readonly #timers: Timers<OpenRequest | WorkerState | ServiceState>;
  readonly #byKey = new Map<string, ServiceState>();
  readonly #epochs: RememberedEpochs;
  #waiting = 0;
  #heldBytes = 0;

  constructor(limits: BrokerLimits, timers: Timers<OpenRequest | WorkerState | ServiceState>) {
    this.#limits = limits;
    this.#timers = timers;
    this.#epochs = new RememberedEpochs(limits.maxRememberedEpochs);
  }

  /** How many requests wait, for all services together. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What waiting requests hold, for all services together. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** By the bytes of their names as latin1. */
  get byKey(): ReadonlyMap<string, ServiceState> {
    return this.#byKey;
  }

  require(key: string, nowMs: number): ServiceState {
    let service = this.#byKey.get(key);
    if (service === undefined) {
      const frame = Buffer.from(key, 'latin1');
      service = {
        kind: 'service', key, frame, replyHead: replyHead(frame, true), waiting: new LinkedQueue(), idle: new LinkedQueue(),
        workers: 0, epoch: this.#epochs.take(key), served: 0, lostMs: nowMs, dueMs: 0, heapIndex: -1,
      };
      this.#byKey.set(key, service);
    }
    return service;
  }

  /** The highest epoch of a service, also of one that is forgotten (rule R15). */
  epochOf(key: string): number | undefined {
    return this.#byKey.has(key) ? this.#byKey.get(key)?.epoch : this.#epochs.get(key);
  }

  /** A name that nobody offers and nobody asks for costs nothing, but for its epoch. */
  forgetIfUnused(service: ServiceState): void {
    if (service.workers > 0 || service.waiting.size > 0) return;
    this.#timers.delete(service);
    if (!this.#byKey.delete(service.key)) return;
    if (service.epoch !== undefined) this.#epochs.keep(service.key, service.epoch);
  }

  addWorker(service: ServiceState): void {
    service.workers += 1;
    this.#timers.delete(service);
  }

  removeWorker(service: ServiceState, nowMs: number): void {
    service.workers -= 1;
    if (service.workers > 0) return;
    service.lostMs = nowMs;
    this.#armGrace(service);
    this.forgetIfUnused(service);
  }

  /** Why one more request cannot wait, or undefined if it can. */
  whyFull(service: ServiceState, bytes: number): string | undefined {
    if (service.waiting.size >= this.#limits.maxWaitingPerService) {
      return `${service.waiting.size} requests wait for ${nameOf(service)}, which is the limit; try again later`;
    }
    if (this.#heldBytes + bytes > this.#limits.maxHeldBytes) {
      return `waiting requests hold ${this.#heldBytes} bytes, and ${this.#limits.maxHeldBytes} is the limit; try again later`;
    }
    return undefined;
  }

  /** Lets a request wait; one that waits again (it has a number) goes before those that came later. */
  wait(request: OpenRequest): void {
    const { service } = request;
    if (request.body !== undefined) request.body = kept(request.body);
    let next = request.sequence > 0 ? service.waiting.first : undefined;
    while (next !== undefined && next.sequence > 0 && next.sequence < request.sequence) next = next.next;
    service.waiting.insertBefore(request, next);
    this.#waiting += 1;
    this.#heldBytes += request.heldBytes;
    this.#timers.set(request, request.dueMs);
    if (service.workers === 0 && service.heapIndex < 0) this.#armGrace(service);
  }

  /** It waits no longer, but its deadline stands. */
  take(request: OpenRequest): void {
    request.service.waiting.delete(request);
    this.#waiting -= 1;
    this.#heldBytes -= request.heldBytes;
  }

  /** It waits no longer, and is over. */
  unwait(request: OpenRequest): void {
    this.take(request);
    this.#timers.delete(request);
  }

  /** The next request that has waited for a worker to be discovered as long as it may, if there is one. */
  firstOverdue(service: ServiceState, nowMs: number): OpenRequest | undefined {
    const first = service.waiting.first;
    if (first !== undefined && this.#graceMs(service, first) <= nowMs) return first;
    this.#armGrace(service);
    return undefined;
  }

  #armGrace(service: ServiceState): void {
    const first = service.waiting.first;
    if (first !== undefined) this.#timers.set(service, this.#graceMs(service, first));
  }

  /** From the arrival or from the loss of the last worker, whichever is later (rule R7). */
  #graceMs({ lostMs }: ServiceState, { arrivedMs }: OpenRequest): number {
    return Math.max(arrivedMs, lostMs) + this.#limits.discoveryGraceMs;
  }
}

/** What a request costs while it waits. */
export function heldBytesOf(address: Buffer, { bytes, frames }: Tail): number {
  return requestOverheadBytes + address.length + bytes + frameOverheadBytes * frames;
}

export function nameOf(service: ServiceState): string {
  return service.frame.toString();
}
