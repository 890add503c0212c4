// The broker as a machine: messages and the time in, messages and the next deadline out (docs/protocol.md, rules R1 to
// R17). It opens no socket, reads no clock and allocates no timer, promise or closure for a message.
//
//   request:  arrives ─▶ waiting ─▶ held by a worker ─▶ answered        At any point: DEADLINE_EXCEEDED.
//                └────────────────▶ held (a worker is idle)             Waiting: SERVICE_UNKNOWN. Held: WORKER_LOST.
//   worker:   READY ─▶ idle ⇄ full      DISCONNECT ─▶ leaving ─▶ forgotten at its last open request
//             silent for its liveness: not idle; silent for longer, closed, or superseded by a higher epoch: gone
//
// What is passed on is never looked into: a body leaves in the bytes in which it came, behind a head of our own.
// Liveness is measured in attentive time, which stands still while this process does not run (rule R9).
import { Buffer } from 'node:buffer';
import type { Message, Tail } from '@majordomus/zmtp';
import { Attention } from './attention.ts';
import {
  defaultBrokerLimits, dropKinds,
  type BrokerLimits, type BrokerStatus, type ClientState, type DropKind, type OpenRequest, type Outgoing, type RefusalCode, type ServiceState, type WorkerState,
} from './broker-state.ts';
import { parseClientRequest, parseWorkerMessage, replyBody, replyToken, type ClientRequest, type WorkerMessage, type WorkerReady } from './broker-codec.ts';
import { maxServiceNameBytes, MDPW, mmiPrefix, type Frames } from './frames.ts';
import { judgeSilence } from './liveness.ts';
import { answerMmi } from './mmi.ts';
import { RequestsOfClient, RequestsOfWorker } from './open-requests.ts';
import { OutgoingMessages } from './outgoing-messages.ts';
import { heldBytesOf, nameOf, Services } from './services.ts';
import { Timers } from './timers.ts';
import { Tokens } from './tokens.ts';

export class BrokerMachine {
  readonly #limits: BrokerLimits;
  readonly #tokens: Tokens;
  readonly #startedMs: number;
  readonly #services: Services;
  readonly #workers = new Map<string, WorkerState>();
  readonly #clients = new Map<string, ClientState>();
  readonly #held = new Map<number, OpenRequest>();
  readonly #timers = new Timers<OpenRequest | WorkerState | ServiceState>();
  readonly #dropped = Object.fromEntries(Object.keys(dropKinds).map((kind) => [kind, 0])) as Record<DropKind, number>;
  readonly #out: OutgoingMessages;
  #sequence = 0;
  readonly #attention: Attention;

  /** @param seed at least 8 random bytes, so that tokens are unique over restarts (rule R5) */
  constructor(seed: Uint8Array, nowMs: number, limits: Partial<BrokerLimits> = {}) {
    this.#limits = { ...defaultBrokerLimits, ...limits };
    this.#tokens = new Tokens(seed);
    this.#out = new OutgoingMessages(this.#tokens);
    this.#services = new Services(this.#limits, this.#timers);
    this.#startedMs = nowMs;
    this.#attention = new Attention(nowMs, this.#limits.heartbeatMs);
  }

  /** What is to be sent, in order; the pump sends and empties it. */
  get outgoing(): Outgoing[] {
    return this.#out.queue;
  }

  /** When `tick` is due: never more than a heartbeat away, so that a pause of this process is noticed. */
  get deadlineMs(): number {
    return Math.min(this.#timers.nextMs, this.#attention.nextCheckMs);
  }

  /** A message from a peer, without its routing id. One empty frame says that its connection closed (rule R10). */
  receive(peer: string, message: Message, nowMs: number): void {
    this.#attention.observe(nowMs);
    if (message.size(0) === 0 && message.is(1, MDPW)) {
      const parsed = parseWorkerMessage(message);
      if (parsed === undefined) this.#dropped.malformed += 1;
      else this.#fromWorker(peer, parsed, message, nowMs);
      return;
    }
    if (message.count === 1 && message.size(0) === 0) {
      this.gone(peer, nowMs);
      return;
    }
    const request = parseClientRequest(message);
    if (request === undefined) this.#dropped.malformed += 1;
    else this.#fromClient(peer, request, message, nowMs);
  }

  /** More of a message that is not whole has come from a peer: a worker is not silent, and nothing else is known of it (rule R9). */
  alive(peer: string, nowMs: number): void {
    this.#attention.observe(nowMs);
    const worker = this.#workers.get(peer);
    if (worker !== undefined) worker.lastHeardMs = this.#attention.at(nowMs);
  }

  /** The connection of a peer closed (rule R10). */
  gone(peer: string, nowMs: number): void {
    this.#attention.observe(nowMs);
    const worker = this.#workers.get(peer);
    if (worker !== undefined) this.#lose(worker, nowMs);
    const client = this.#clients.get(peer);
    if (client === undefined) return;
    this.#clients.delete(peer);
    for (const request of client.open.all()) this.#abandon(request);
  }

  /** The transport ended a connection, for a fault of the peer. */
  connectionEnded(): void {
    this.#dropped.connection += 1;
  }

  /** The transport took no further connection: there are as many as there may be. */
  connectionRefused(): void {
    this.#dropped.connectionRefused += 1;
  }

  /** The transport could not send a message: the peer is gone, or does not read what it is sent. */
  unsendable({ peer, body, sequence }: Outgoing, nowMs: number): void {
    this.#dropped.undeliverable += 1;
    const request = this.#held.get(sequence);
    const worker = request?.worker;
    if (request === undefined || body === undefined || worker?.peer !== peer) return;
    this.#passOver(worker);
    if (request.client === undefined) this.#release(request, nowMs);
    else this.#waitAgain(request, worker, body, nowMs);
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
    const services = [...this.#services.byKey.values()]
      .map((service) => ({ name: nameOf(service), workers: service.workers, waiting: service.waiting.size, served: service.served }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      protocol: 'MDP/0.1',
      uptimeMs: Math.round(nowMs - this.#startedMs),
      clients: this.#clients.size,
      workers: services.reduce((sum, { workers }) => sum + workers, 0),
      open: this.#services.waiting + this.#held.size,
      heldBytes: this.#services.heldBytes,
      services,
      dropped: { ...this.#dropped },
      refused: { ...this.#out.refused },
    };
  }

  // ── clients ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #fromClient(peer: string, parsed: ClientRequest, message: Message, nowMs: number): void {
    const address = message.head(parsed.addressFrames);
    const nameBytes = message.size(parsed.serviceAt);
    if (nameBytes === 0 || nameBytes > maxServiceNameBytes) {
      const shown = message.frame(parsed.serviceAt).subarray(0, maxServiceNameBytes);
      return this.#out.error(peer, address, shown, 'BAD_REQUEST', `the service name has ${nameBytes} bytes; it needs 1 to ${maxServiceNameBytes}`);
    }
    let client = this.#clients.get(peer);
    const asked = client?.asked;
    const key = asked !== undefined && message.is(parsed.serviceAt, asked.frame) ? asked.key : message.frame(parsed.serviceAt).toString('latin1');
    if (key.startsWith(mmiPrefix)) {
      this.#management(peer, address, key, message.frames(parsed.bodyAt), nowMs);
      return;
    }
    const body = message.tail(parsed.bodyAt);
    if (body.frames === 0) {
      return this.#out.error(peer, address, message.frame(parsed.serviceAt), 'BAD_REQUEST', 'the request has no body; it needs an action and data');
    }
    if (body.bytes > this.#limits.maxBodyBytes) {
      return this.#out.error(peer, address, message.frame(parsed.serviceAt), 'TOO_LARGE', `the body has ${body.bytes} bytes; the broker passes on ${this.#limits.maxBodyBytes} at most`);
    }
    if (client === undefined) {
      client = { peer, open: new RequestsOfClient(), asked: undefined };
      this.#clients.set(peer, client);
    }
    if (client.open.size >= this.#limits.maxOpenPerClient) {
      return this.#out.error(peer, address, message.frame(parsed.serviceAt), 'OVERLOADED', `this client has ${client.open.size} requests open, which is its share; wait for replies`);
    }
    const service = this.#services.require(key, nowMs);
    client.asked = service;
    const arrivedMs = this.#attention.pauseBeganMs ?? nowMs;
    const request: OpenRequest = {
      kind: 'request', client, address, service, arrivedMs, body,
      heldBytes: heldBytesOf(address, body),
      worker: undefined, sequence: 0, placeAtClient: -1, placeAtWorker: -1,
      dueMs: arrivedMs + Math.min(parsed.timeoutMs ?? this.#limits.defaultTimeoutMs, this.#limits.maxTimeoutMs), heapIndex: -1,
      previous: undefined, next: undefined, queue: undefined,
    };
    if (request.dueMs <= nowMs) {
      this.#refuse(request, 'DEADLINE_EXCEEDED', `the request for ${nameOf(service)} came after its deadline`);
      this.#services.forgetIfUnused(service);
      return;
    }
    const worker = service.idle.shift();
    if (worker !== undefined) {
      client.open.add(request);
      this.#handOver(request, worker, nowMs);
      if (takes(worker)) service.idle.push(worker);
      return;
    }
    const full = this.#services.whyFull(service, request.heldBytes);
    if (full !== undefined) {
      this.#services.forgetIfUnused(service);
      return this.#out.error(peer, address, service.frame, 'OVERLOADED', full);
    }
    client.open.add(request);
    this.#services.wait(request);
  }

  #management(peer: string, address: Buffer, name: string, body: Frames, nowMs: number): void {
    if (name === 'mmi.cancel') {
      const open = this.#clients.get(peer)?.open;
      for (const request of open?.under(address) ?? []) {
        open?.delete(request);
        this.#abandon(request);
      }
      return;
    }
    const answer = answerMmi(name, body[0], this.#services, () => this.status(nowMs));
    this.#out.answer(peer, address, Buffer.from(name, 'latin1'), [Buffer.from(answer)]);
  }

  /** Nobody waits for the answer any more: a waiting request is dropped, a held one runs on (rules R10, R17). */
  #abandon(request: OpenRequest): void {
    request.client = undefined;
    const { worker } = request;
    if (worker === undefined) {
      this.#services.unwait(request);
      this.#services.forgetIfUnused(request.service);
    } else {
      this.#sendCancel(worker, request);
    }
  }

  // ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #fromWorker(peer: string, parsed: WorkerMessage, message: Message, nowMs: number): void {
    const worker = this.#workers.get(peer);
    if (parsed.kind === 'ready') return this.#register(peer, worker, parsed, nowMs);
    if (parsed.kind === 'invalid') return this.#violation(peer, worker, nowMs);
    if (worker === undefined) {
      if (parsed.kind === 'disconnect') return;
      // A heartbeat loses nothing, and is also how a worker that left learns that nothing more comes (mdp/worker.ts).
      if (parsed.kind === 'reply') this.#dropped.workerUnknown += 1;
      return this.#out.disconnect(peer);
    }
    switch (parsed.kind) {
      case 'reply': return this.#reply(worker, message, nowMs);
      case 'heartbeat': return this.#heard(worker, nowMs);
      case 'disconnect': return this.#leave(worker, nowMs);
      default: parsed satisfies never;
    }
  }

  #register(peer: string, known: WorkerState | undefined, { service: frame, capacity, epoch }: WorkerReady, nowMs: number): void {
    const key = frame.toString('latin1');
    // A comma parts the names in `mmi.services`.
    const badName = frame.length === 0 || frame.length > maxServiceNameBytes || key.startsWith(mmiPrefix) || key.includes(',');
    if (badName || (known !== undefined && !known.leaving)) return this.#violation(peer, known, nowMs);
    const highest = this.#services.epochOf(key);
    if (isOlder(epoch, highest)) return this.#sendSuperseded(peer);
    const service = this.#services.require(key, nowMs);
    const open = known?.open ?? new RequestsOfWorker();
    const worker: WorkerState = {
      kind: 'worker', peer, service, plain: capacity === undefined, capacity: Math.min(capacity ?? 1, this.#limits.maxCapacity), epoch, open,
      leaving: false, silent: false, stuckSinceMs: undefined, lastHeardMs: this.#attention.at(nowMs), lastSentMs: nowMs,
      dueMs: 0, heapIndex: -1, previous: undefined, next: undefined, queue: undefined,
    };
    for (const request of open.all()) request.worker = worker;
    this.#workers.set(peer, worker);
    this.#services.addWorker(service);
    if (epoch !== undefined && epoch !== highest) this.#takeOver(service, epoch, nowMs);
    this.#timers.set(worker, nowMs + this.#limits.heartbeatMs);
    this.#offer(worker, nowMs);
  }

  /**
   * Rule R15: the service belongs to this epoch from now on. What an older instance holds will not be answered by it, and is given
   * to nobody else: it may have run.
   */
  #takeOver(service: ServiceState, epoch: number, nowMs: number): void {
    service.epoch = epoch;
    for (const older of this.#workers.values()) {
      if (older.service.key !== service.key || !isOlder(older.epoch, epoch)) continue;
      this.#lose(older, nowMs, 'was replaced by a newer instance');
      this.#sendSuperseded(older.peer);
    }
  }

  #reply(worker: WorkerState, message: Message, nowMs: number): void {
    this.#heard(worker, nowMs);
    const request = this.#held.get(this.#tokens.sequenceOf(message, replyToken));
    if (request === undefined || request.worker !== worker) {
      this.#dropped.replyNotOpen += 1;
      return;
    }
    const { client, service } = request;
    service.served += 1;
    if (client === undefined) this.#dropped.replyUnwanted += 1;
    else this.#out.reply(client.peer, request.address, service, message.tail(replyBody));
    this.#release(request, nowMs);
  }

  /** Any message proves it alive (rule R9); a plain one that was stuck takes requests again (rule R8). */
  #heard(worker: WorkerState, nowMs: number): void {
    worker.lastHeardMs = this.#attention.at(nowMs);
    if (!worker.silent && worker.stuckSinceMs === undefined) return;
    worker.silent = false;
    worker.stuckSinceMs = undefined;
    this.#offer(worker, nowMs);
  }

  /** Rule R16: it takes no more, and its open requests stand. */
  #leave(worker: WorkerState, nowMs: number): void {
    if (worker.leaving) return;
    worker.leaving = true;
    this.#unlist(worker, nowMs);
    this.#forgetIfLeft(worker);
  }

  #forgetIfLeft(worker: WorkerState): void {
    if (worker.leaving && worker.open.size === 0) this.#workers.delete(worker.peer);
  }

  /** It is gone: whoever waits for it is told at once (rules R7, R10). */
  #lose(worker: WorkerState, nowMs: number, why = 'is gone'): void {
    this.#workers.delete(worker.peer);
    if (!worker.leaving) this.#unlist(worker, nowMs);
    for (const request of worker.open.all()) {
      this.#close(request);
      this.#refuse(request, 'WORKER_LOST', `the worker of ${nameOf(request.service)} that held the request ${why}; the action may have run`);
    }
  }

  /** Takes it out of its service, which may be without workers now. */
  #unlist(worker: WorkerState, nowMs: number): void {
    const { service } = worker;
    this.#timers.delete(worker);
    service.idle.delete(worker);
    this.#services.removeWorker(service, nowMs);
  }

  /** Rule R11: told to begin anew. */
  #violation(peer: string, worker: WorkerState | undefined, nowMs: number): void {
    this.#dropped.workerInvalid += 1;
    if (worker !== undefined) this.#lose(worker, nowMs);
    this.#out.disconnect(peer);
  }

  /** Nothing more is given to this worker until it is heard of. */
  #passOver(worker: WorkerState): void {
    worker.silent = true;
    worker.service.idle.delete(worker);
  }

  /** Once a heartbeat interval: is it alive, and does it know that we are (rule R9)? */
  #judge(worker: WorkerState, nowMs: number): void {
    const { heartbeatMs, livenessMs } = this.#limits;
    const verdict = judgeSilence(worker, this.#attention.at(nowMs), livenessMs);
    if (verdict === 'gone') return this.#lose(worker, nowMs);
    if (verdict === 'silent') this.#passOver(worker);
    if (nowMs - worker.lastSentMs >= heartbeatMs) {
      worker.lastSentMs = nowMs;
      this.#out.heartbeat(worker.peer);
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
      this.#services.take(request);
      if (request.dueMs > nowMs) {
        this.#handOver(request, worker, nowMs);
        continue;
      }
      this.#timers.delete(request);
      this.#expire(request);
    }
  }

  #handOver(request: OpenRequest, worker: WorkerState, nowMs: number): void {
    this.#sequence += 1;
    request.sequence = this.#sequence;
    request.worker = worker;
    this.#held.set(this.#sequence, request);
    if (request.heapIndex < 0) this.#timers.set(request, request.dueMs);
    worker.open.add(request);
    worker.lastSentMs = nowMs;
    this.#out.request(worker.peer, this.#sequence, request.body);
    request.body = undefined;
  }

  /** It never left, so nobody has begun it: it waits again, before those that came later, or goes to another worker. */
  #waitAgain(request: OpenRequest, worker: WorkerState, body: Tail, nowMs: number): void {
    this.#held.delete(request.sequence);
    worker.open.delete(request);
    this.#forgetIfLeft(worker);
    // Its service may have been forgotten since, with its last worker.
    const service = this.#services.require(request.service.key, nowMs);
    request.worker = undefined;
    request.service = service;
    request.body = body;
    this.#services.wait(request);
    const idle = service.idle.shift();
    if (idle !== undefined) this.#offer(idle, nowMs);
  }

  /** A held request is over, and its worker has the slot back. */
  #release(request: OpenRequest, nowMs: number): void {
    const { worker } = request;
    this.#close(request);
    if (worker === undefined) return;
    this.#forgetIfLeft(worker);
    this.#offer(worker, nowMs);
  }

  /** Its deadline passed (rules R6, R8). */
  #deadline(request: OpenRequest, nowMs: number): void {
    const { worker } = request;
    if (worker === undefined) {
      this.#services.unwait(request);
      this.#expire(request);
      this.#services.forgetIfUnused(request.service);
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
    this.#forgetIfLeft(worker);
  }

  #expire(request: OpenRequest): void {
    const where = request.worker !== undefined ? 'its worker did not answer; the action may have run'
      : request.service.workers > 0 ? 'no worker was free' : 'no worker offers it';
    request.client?.open.delete(request);
    this.#refuse(request, 'DEADLINE_EXCEEDED', `no answer of ${nameOf(request.service)} within ${Math.round(request.dueMs - request.arrivedMs)} ms: ${where}`);
  }

  /** A held request is not open any more. */
  #close(request: OpenRequest): void {
    this.#timers.delete(request);
    this.#held.delete(request.sequence);
    request.client?.open.delete(request);
    request.worker?.open.delete(request);
  }

  /** Its service has had no worker for too long (rule R7). */
  #graceOver(service: ServiceState, nowMs: number): void {
    for (let request = this.#services.firstOverdue(service, nowMs); request !== undefined; request = this.#services.firstOverdue(service, nowMs)) {
      this.#services.unwait(request);
      request.client?.open.delete(request);
      this.#refuse(request, 'SERVICE_UNKNOWN', `no worker offers ${nameOf(service)}; is it started, and is its name right?`);
    }
    this.#services.forgetIfUnused(service);
  }

  /** Tells the caller, if there still is one, that no answer will come (rule R7). */
  #refuse({ client, address, service }: OpenRequest, code: RefusalCode, reason: string): void {
    if (client !== undefined) this.#out.error(client.peer, address, service.frame, code, reason);
  }

  /** Nobody waits for the answer of a worker that can be told so (rule R17). */
  #sendCancel(worker: WorkerState, request: OpenRequest): void {
    if (!worker.plain && !worker.leaving) this.#out.cancel(worker.peer, request.sequence);
  }

  /** Rule R15: told to end itself. */
  #sendSuperseded(peer: string): void {
    this.#dropped.superseded += 1;
    this.#out.superseded(peer);
  }
}

function takes(worker: WorkerState): boolean {
  return worker.open.size < worker.capacity && !worker.leaving && !worker.silent && worker.stuckSinceMs === undefined;
}

/** Whether one epoch comes before the other; none comes before all (rule R15). */
function isOlder(epoch: number | undefined, other: number | undefined): boolean {
  return other !== undefined && (epoch === undefined || epoch < other);
}
