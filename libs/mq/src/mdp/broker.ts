// The broker as a machine: frames and the time in, frames and the next deadline out (docs/protocol.md, rules R1 to R14,
// R16, R17). It opens no socket, reads no clock and allocates no timer, promise or closure for a message.
//
//   request:  arrives ─▶ waiting ─▶ held by a worker ─▶ answered        At any point: DEADLINE_EXCEEDED.
//                └────────────────▶ held (a worker is idle)             Waiting: SERVICE_UNKNOWN. Held: WORKER_LOST.
//   worker:   READY ─▶ idle ⇄ full      DISCONNECT ─▶ leaving ─▶ forgotten at its last open request
//             silent for its liveness: not idle; silent for longer, or closed: gone
//
// Liveness is measured in attentive time, which stands still while this process does not run (rule R9).
import { Attention } from './attention.ts';
import { brokerError, randomPrefix, tokenFrame, tokenSequence } from './broker-wire.ts';
import {
  defaultBrokerLimits, dropKinds,
  type BrokerLimits, type BrokerStatus, type ClientState, type DropKind, type OpenRequest, type Outgoing, type RefusalCode, type ServiceState, type WorkerState,
} from './broker-state.ts';
import { parseClientRequest, parseWorkerMessage, type ClientRequest, type WorkerMessage } from './codec.ts';
import { CANCEL, DISCONNECT, EMPTY, HEARTBEAT, isWorkerHeader, maxServiceNameBytes, MDPC, MDPW, mmiPrefix, REQUEST, type Frame, type Frames } from './frames.ts';
import { LinkedQueue } from './linked-queue.ts';
import { answerMmi } from './mmi.ts';
import { Timers } from './timers.ts';

/** What an empty frame costs beside its bytes, so that many of them are not free. */
const frameOverheadBytes = 64;

export class BrokerMachine {
  /** What is to be sent, in order; the pump sends and empties it. */
  readonly outgoing: Outgoing[] = [];

  readonly #limits: BrokerLimits;
  readonly #prefix: Buffer;
  readonly #startedMs: number;
  readonly #services = new Map<string, ServiceState>();
  readonly #workers = new Map<string, WorkerState>();
  readonly #clients = new Map<string, ClientState>();
  readonly #held = new Map<number, OpenRequest>();
  readonly #timers = new Timers<OpenRequest | WorkerState | ServiceState>();
  readonly #dropped = Object.fromEntries(Object.keys(dropKinds).map((kind) => [kind, 0])) as Record<DropKind, number>;
  readonly #refused: Record<RefusalCode, number> = {
    DEADLINE_EXCEEDED: 0, SERVICE_UNKNOWN: 0, WORKER_LOST: 0, OVERLOADED: 0, TOO_LARGE: 0, BAD_REQUEST: 0,
  };
  #sequence = 0;
  #waiting = 0;
  #heldBytes = 0;
  readonly #attention: Attention;

  /** @param seed at least 8 random bytes, so that tokens are unique over restarts (rule R5) */
  constructor(seed: Uint8Array, nowMs: number, limits: Partial<BrokerLimits> = {}) {
    this.#limits = { ...defaultBrokerLimits, ...limits };
    this.#prefix = randomPrefix(seed);
    this.#startedMs = nowMs;
    this.#attention = new Attention(nowMs, this.#limits.heartbeatMs);
  }

  /** When `tick` is due: never more than a heartbeat away, so that a pause of this process is noticed. */
  get deadlineMs(): number {
    return Math.min(this.#timers.nextMs, this.#attention.nextCheckMs);
  }

  /** A message from a peer, without its routing id. One empty frame says that its connection closed (rule R10). */
  receive(peer: string, frames: Frames, nowMs: number): void {
    this.#attention.observe(nowMs);
    if (isWorkerHeader(frames[1]) && frames[0]?.length === 0) {
      const message = parseWorkerMessage(frames);
      if (message === undefined) this.#dropped.malformed += 1;
      else this.#fromWorker(peer, message, nowMs);
      return;
    }
    if (frames.length === 1 && frames[0]?.length === 0) {
      this.gone(peer, nowMs);
      return;
    }
    const request = parseClientRequest(frames);
    if (request === undefined) this.#dropped.malformed += 1;
    else this.#fromClient(peer, request, nowMs);
  }

  /** The connection of a peer closed (rule R10). */
  gone(peer: string, nowMs: number): void {
    this.#attention.observe(nowMs);
    const worker = this.#workers.get(peer);
    if (worker !== undefined) this.#lose(worker, nowMs);
    const client = this.#clients.get(peer);
    if (client === undefined) return;
    this.#clients.delete(peer);
    for (const request of client.open) this.#abandon(request);
  }

  /** The transport could not send a message: the peer is gone, or does not read what it is sent. */
  unsendable(peer: string, frames: Frames, nowMs: number): void {
    this.#dropped.undeliverable += 1;
    const sequence = frames[2] === REQUEST && frames[3] !== undefined ? tokenSequence(this.#prefix, frames[3]) : -1;
    const request = this.#held.get(sequence);
    if (request?.worker?.peer !== peer) return;
    // It never left, so nobody has begun it; and nothing more is given to this worker until it is heard of.
    request.worker.silent = true;
    request.worker.service.idle.delete(request.worker);
    this.#refuse(request, 'OVERLOADED', `a worker of ${nameOf(request.service)} does not read its requests`);
    this.#release(request, nowMs);
  }

  /** To be called at `deadlineMs`, when what had arrived until then was read (rule R9). */
  tick(nowMs: number): void {
    this.#attention.observe(nowMs);
    this.#attention.caughtUp();
    for (let item = this.#timers.takeDue(nowMs); item !== undefined; item = this.#timers.takeDue(nowMs)) {
      switch (item.kind) {
        case 'request': this.#deadline(item, nowMs); break;
        case 'worker': this.#judge(item, nowMs); break;
        case 'service': this.#graceOver(item, nowMs); break;
        default: item satisfies never;
      }
    }
  }

  status(nowMs: number): BrokerStatus {
    return {
      protocol: 'MDP/0.1',
      uptimeMs: Math.round(nowMs - this.#startedMs),
      clients: this.#clients.size,
      workers: this.#workers.size,
      open: this.#waiting + this.#held.size,
      heldBytes: this.#heldBytes,
      services: [...this.#services.values()]
        .map((service) => ({ name: nameOf(service), workers: service.workers, waiting: service.waiting.size, served: service.served }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      dropped: { ...this.#dropped },
      refused: { ...this.#refused },
    };
  }

  // ── clients ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #fromClient(peer: string, { address, service: frame, timeoutMs, body }: ClientRequest, nowMs: number): void {
    const key = frame.toString('latin1');
    if (key.startsWith(mmiPrefix)) {
      this.#management(peer, address, frame, body, nowMs);
      return;
    }
    if (frame.length === 0 || frame.length > maxServiceNameBytes) {
      return this.#sendError(peer, address, frame, 'BAD_REQUEST', `the service name has ${frame.length} bytes; it needs 1 to ${maxServiceNameBytes}`);
    }
    if (body.length === 0) {
      return this.#sendError(peer, address, frame, 'BAD_REQUEST', 'the request has no body; it needs an action and data');
    }
    const bytes = bytesOf(body);
    if (bytes > this.#limits.maxBodyBytes) {
      return this.#sendError(peer, address, frame, 'TOO_LARGE', `the body has ${bytes} bytes; the broker passes on ${this.#limits.maxBodyBytes} at most`);
    }
    let client = this.#clients.get(peer);
    if (client === undefined) {
      client = { peer, open: new Set() };
      this.#clients.set(peer, client);
    }
    if (client.open.size >= this.#limits.maxOpenPerClient) {
      return this.#sendError(peer, address, frame, 'OVERLOADED', `this client has ${client.open.size} requests open, which is its share; wait for replies`);
    }
    const service = this.#requireService(key, frame, nowMs);
    const arrivedMs = this.#attention.pauseBeganMs ?? nowMs;
    const request: OpenRequest = {
      kind: 'request', client, address, service, arrivedMs, body,
      heldBytes: bytes + frameOverheadBytes * (address.length + body.length),
      worker: undefined, sequence: 0,
      dueMs: arrivedMs + Math.min(timeoutMs ?? this.#limits.defaultTimeoutMs, this.#limits.maxTimeoutMs), heapIndex: -1,
      previous: undefined, next: undefined, queue: undefined,
    };
    if (request.dueMs <= nowMs) {
      this.#refuse(request, 'DEADLINE_EXCEEDED', `the request for ${nameOf(service)} came after its deadline`);
      this.#forgetIfUnused(service);
      return;
    }
    const worker = service.idle.shift();
    if (worker !== undefined) {
      client.open.add(request);
      this.#handOver(request, worker, nowMs);
      if (worker.free > 0) service.idle.push(worker);
      return;
    }
    const full = this.#whyNotWait(service, request);
    if (full !== undefined) {
      this.#forgetIfUnused(service);
      return this.#sendError(peer, address, frame, 'OVERLOADED', full);
    }
    client.open.add(request);
    service.waiting.push(request);
    this.#waiting += 1;
    this.#heldBytes += request.heldBytes;
    this.#timers.set(request, request.dueMs);
    if (service.workers === 0 && service.heapIndex < 0) this.#armGrace(service);
  }

  #whyNotWait(service: ServiceState, request: OpenRequest): string | undefined {
    if (service.waiting.size >= this.#limits.maxWaitingPerService) {
      return `${service.waiting.size} requests wait for ${nameOf(service)}, which is the limit; try again later`;
    }
    if (this.#heldBytes + request.heldBytes > this.#limits.maxHeldBytes) {
      return `waiting requests hold ${this.#heldBytes} bytes, and ${this.#limits.maxHeldBytes} is the limit; try again later`;
    }
    return undefined;
  }

  #management(peer: string, address: Frames, frame: Frame, body: Frames, nowMs: number): void {
    const name = frame.toString('latin1');
    if (name === 'mmi.cancel') {
      for (const request of this.#clients.get(peer)?.open ?? []) {
        if (!sameFrames(request.address, address)) continue;
        this.#clients.get(peer)?.open.delete(request);
        this.#abandon(request);
      }
      return;
    }
    const answer = answerMmi(name, body[0], this.#services, () => this.status(nowMs));
    this.outgoing.push({ peer, frames: [...address, EMPTY, MDPC, frame, Buffer.from(answer)] });
  }

  /** Nobody waits for the answer any more: a waiting request is dropped, a held one runs on (rules R10, R17). */
  #abandon(request: OpenRequest): void {
    request.client = undefined;
    const { worker } = request;
    if (worker === undefined) {
      this.#unqueue(request);
      this.#forgetIfUnused(request.service);
    } else {
      this.#sendCancel(worker, request);
    }
  }

  // ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #fromWorker(peer: string, message: WorkerMessage, nowMs: number): void {
    const worker = this.#workers.get(peer);
    if (message.kind === 'ready') return this.#register(peer, worker, message.service, message.capacity, nowMs);
    if (message.kind === 'invalid') return this.#violation(peer, worker, nowMs);
    if (worker === undefined) {
      if (message.kind === 'disconnect') return;
      this.#dropped.workerUnknown += 1;
      return this.#sendDisconnect(peer);
    }
    switch (message.kind) {
      case 'reply': return this.#reply(worker, message.token, message.body, nowMs);
      case 'heartbeat': return this.#heard(worker, nowMs);
      case 'disconnect': return this.#leave(worker, nowMs);
      default: message satisfies never;
    }
  }

  #register(peer: string, known: WorkerState | undefined, frame: Frame, capacity: number | undefined, nowMs: number): void {
    const key = frame.toString('latin1');
    const badName = frame.length === 0 || frame.length > maxServiceNameBytes || key.startsWith(mmiPrefix);
    if (badName || (known !== undefined && !known.leaving)) return this.#violation(peer, known, nowMs);
    const service = this.#requireService(key, frame, nowMs);
    const open = known?.open ?? new Set<OpenRequest>();
    const slots = Math.min(capacity ?? 1, this.#limits.maxCapacity);
    const worker: WorkerState = {
      kind: 'worker', peer, service, plain: capacity === undefined, free: Math.max(0, slots - open.size), open,
      leaving: false, silent: false, stuckSinceMs: undefined, lastHeardMs: this.#attention.at(nowMs), lastSentMs: nowMs,
      dueMs: 0, heapIndex: -1, previous: undefined, next: undefined, queue: undefined,
    };
    for (const request of open) request.worker = worker;
    this.#workers.set(peer, worker);
    service.workers += 1;
    this.#timers.delete(service);
    this.#timers.set(worker, nowMs + this.#limits.heartbeatMs);
    this.#offer(worker, nowMs);
  }

  #reply(worker: WorkerState, token: Frame, body: Frames, nowMs: number): void {
    this.#heard(worker, nowMs);
    const request = this.#held.get(tokenSequence(this.#prefix, token));
    if (request === undefined || request.worker !== worker) {
      this.#dropped.replyNotOpen += 1;
      return;
    }
    const { client, service } = request;
    service.served += 1;
    if (client === undefined) this.#dropped.replyUnwanted += 1;
    else {
      const frames: Frames = request.address.length === 0 ? [EMPTY, MDPC, service.frame] : [...request.address, EMPTY, MDPC, service.frame];
      for (const frame of body) frames.push(frame);
      this.outgoing.push({ peer: client.peer, frames });
    }
    this.#release(request, nowMs);
  }

  /** Any message proves it alive (rule R9); a plain one that was stuck takes requests again (rule R8). */
  #heard(worker: WorkerState, nowMs: number): void {
    worker.lastHeardMs = this.#attention.at(nowMs);
    if (!worker.silent && worker.stuckSinceMs === undefined) return;
    worker.silent = false;
    if (worker.stuckSinceMs !== undefined) {
      worker.stuckSinceMs = undefined;
      worker.free += 1;
    }
    this.#offer(worker, nowMs);
  }

  /** Rule R16: it takes no more, and its open requests stand. */
  #leave(worker: WorkerState, nowMs: number): void {
    if (worker.leaving) return;
    worker.leaving = true;
    this.#unlist(worker, nowMs);
    if (worker.open.size === 0) this.#workers.delete(worker.peer);
  }

  /** It is gone: whoever waits for it is told at once (rules R7, R10). */
  #lose(worker: WorkerState, nowMs: number): void {
    this.#workers.delete(worker.peer);
    if (!worker.leaving) this.#unlist(worker, nowMs);
    for (const request of worker.open) {
      this.#close(request);
      this.#refuse(request, 'WORKER_LOST', `the worker of ${nameOf(request.service)} that held the request is gone; the action may have run`);
    }
  }

  /** Takes it out of its service, which may be without workers now. */
  #unlist(worker: WorkerState, nowMs: number): void {
    const { service } = worker;
    this.#timers.delete(worker);
    service.idle.delete(worker);
    service.workers -= 1;
    if (service.workers > 0) return;
    service.lostMs = nowMs;
    if (service.waiting.size > 0) this.#armGrace(service);
    else this.#forgetIfUnused(service);
  }

  /** Rule R11: told to begin anew. */
  #violation(peer: string, worker: WorkerState | undefined, nowMs: number): void {
    this.#dropped.workerInvalid += 1;
    if (worker !== undefined) this.#lose(worker, nowMs);
    this.#sendDisconnect(peer);
  }

  /** Once a heartbeat interval: is it alive, and does it know that we are (rule R9)? */
  #judge(worker: WorkerState, nowMs: number): void {
    const { heartbeatMs, livenessMs } = this.#limits;
    const nowAttentiveMs = this.#attention.at(nowMs);
    const silentMs = nowAttentiveMs - worker.lastHeardMs;
    if (silentMs >= livenessMs) {
      const stuckMs = worker.stuckSinceMs === undefined ? 0 : nowAttentiveMs - worker.stuckSinceMs;
      const holds = worker.open.size > 0;
      const gone = worker.stuckSinceMs === undefined
        ? !holds || (!worker.plain && silentMs >= 3 * livenessMs)
        : stuckMs >= livenessMs;
      if (gone) return this.#lose(worker, nowMs);
      worker.silent = true;
      worker.service.idle.delete(worker);
    }
    if (nowMs - worker.lastSentMs >= heartbeatMs) {
      worker.lastSentMs = nowMs;
      this.outgoing.push({ peer: worker.peer, frames: [EMPTY, MDPW, HEARTBEAT] });
    }
    this.#timers.set(worker, Math.max(worker.lastSentMs + heartbeatMs, nowMs + 1));
  }

  // ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Gives a worker what waits for it, and lists it as idle if it takes more. */
  #offer(worker: WorkerState, nowMs: number): void {
    const { service } = worker;
    while (takes(worker)) {
      const request = service.waiting.first;
      if (request === undefined) {
        if (worker.queue === undefined) service.idle.push(worker);
        return;
      }
      this.#unqueue(request);
      if (request.dueMs <= nowMs) this.#expire(request);
      else this.#handOver(request, worker, nowMs);
    }
  }

  #handOver(request: OpenRequest, worker: WorkerState, nowMs: number): void {
    this.#sequence += 1;
    request.sequence = this.#sequence;
    request.worker = worker;
    this.#held.set(this.#sequence, request);
    this.#timers.set(request, request.dueMs);
    worker.open.add(request);
    worker.free -= 1;
    worker.lastSentMs = nowMs;
    const frames: Frames = [EMPTY, MDPW, REQUEST, tokenFrame(this.#prefix, this.#sequence), EMPTY];
    for (const frame of request.body) frames.push(frame);
    request.body = [];
    this.outgoing.push({ peer: worker.peer, frames });
  }

  /** A held request is over, and its worker has the slot back. */
  #release(request: OpenRequest, nowMs: number): void {
    const { worker } = request;
    this.#close(request);
    if (worker === undefined) return;
    worker.free += 1;
    if (!worker.leaving) this.#offer(worker, nowMs);
    else if (worker.open.size === 0) this.#workers.delete(worker.peer);
  }

  /** Its deadline passed (rules R6, R8). */
  #deadline(request: OpenRequest, nowMs: number): void {
    const { worker } = request;
    if (worker === undefined) {
      this.#unqueue(request);
      this.#expire(request);
      this.#forgetIfUnused(request.service);
      return;
    }
    this.#expire(request);
    if (!worker.plain) {
      if (request.client !== undefined) this.#sendCancel(worker, request);
      this.#release(request, nowMs);
      return;
    }
    this.#close(request);
    worker.stuckSinceMs = this.#attention.at(nowMs);
    if (worker.leaving && worker.open.size === 0) this.#workers.delete(worker.peer);
  }

  #expire(request: OpenRequest): void {
    const where = request.worker !== undefined ? 'its worker did not answer; the action may have run'
      : request.service.workers > 0 ? 'no worker was free' : 'no worker offers it';
    request.client?.open.delete(request);
    this.#refuse(request, 'DEADLINE_EXCEEDED', `no answer of ${nameOf(request.service)} within ${Math.round(request.dueMs - request.arrivedMs)} ms: ${where}`);
  }

  /** Out of the waiting queue, with all that it held. */
  #unqueue(request: OpenRequest): void {
    request.service.waiting.delete(request);
    this.#timers.delete(request);
    this.#waiting -= 1;
    this.#heldBytes -= request.heldBytes;
  }

  /** A held request is not open any more. */
  #close(request: OpenRequest): void {
    this.#timers.delete(request);
    this.#held.delete(request.sequence);
    request.client?.open.delete(request);
    request.worker?.open.delete(request);
  }

  // ── services ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #requireService(key: string, frame: Frame, nowMs: number): ServiceState {
    let service = this.#services.get(key);
    if (service === undefined) {
      service = {
        kind: 'service', key, frame: Buffer.from(frame), waiting: new LinkedQueue(), idle: new LinkedQueue(),
        workers: 0, served: 0, lostMs: nowMs, dueMs: 0, heapIndex: -1,
      };
      this.#services.set(key, service);
    }
    return service;
  }

  /** A name that nobody offers and nobody asks for costs nothing (rule R13). */
  #forgetIfUnused(service: ServiceState): void {
    if (service.workers > 0 || service.waiting.size > 0) return;
    this.#timers.delete(service);
    this.#services.delete(service.key);
  }

  /** The requests of a service without workers wait for one, but not longer than the discovery grace (rule R7). */
  #armGrace(service: ServiceState): void {
    const first = service.waiting.first;
    if (first !== undefined) this.#timers.set(service, Math.max(first.arrivedMs, service.lostMs) + this.#limits.discoveryGraceMs);
  }

  #graceOver(service: ServiceState, nowMs: number): void {
    for (let request = service.waiting.first; request !== undefined; request = service.waiting.first) {
      if (Math.max(request.arrivedMs, service.lostMs) + this.#limits.discoveryGraceMs > nowMs) break;
      this.#unqueue(request);
      request.client?.open.delete(request);
      this.#refuse(request, 'SERVICE_UNKNOWN', `no worker offers ${nameOf(service)}; is it started, and is its name right?`);
    }
    this.#armGrace(service);
    this.#forgetIfUnused(service);
  }

  // ── what is sent ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Tells the caller, if there still is one, that no answer will come (rule R7). */
  #refuse({ client, address, service }: OpenRequest, code: RefusalCode, reason: string): void {
    if (client !== undefined) this.#sendError(client.peer, address, service.frame, code, reason);
  }

  #sendError(peer: string, address: Frames, service: Frame, code: RefusalCode, reason: string): void {
    this.#refused[code] += 1;
    this.outgoing.push({ peer, frames: [...address, EMPTY, MDPC, service, ...brokerError(code, reason)] });
  }

  #sendCancel(worker: WorkerState, request: OpenRequest): void {
    if (worker.plain) return;
    this.outgoing.push({ peer: worker.peer, frames: [EMPTY, MDPW, CANCEL, tokenFrame(this.#prefix, request.sequence), EMPTY] });
  }

  #sendDisconnect(peer: string): void {
    this.outgoing.push({ peer, frames: [EMPTY, MDPW, DISCONNECT] });
  }
}

function takes(worker: WorkerState): boolean {
  return worker.free > 0 && !worker.leaving && !worker.silent && worker.stuckSinceMs === undefined;
}

function nameOf(service: ServiceState): string {
  return service.frame.toString();
}

function bytesOf(frames: Frames): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}

function sameFrames(a: Frames, b: Frames): boolean {
  return a.length === b.length && a.every((frame, i) => b[i]?.equals(frame) === true);
}
