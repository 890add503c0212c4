// What the broker knows: services, their workers, clients and open requests, and the limits on all of it
// (docs/protocol.md, rules R4 to R10, R13).
import type { BusCode } from '@majordomus/contracts';
import type { Tail } from '@majordomus/zmtp';
import type { Frame } from './frames.ts';
import type { Linked, LinkedQueue } from './linked-queue.ts';
import type { RequestsOfClient, RequestsOfWorker } from './open-requests.ts';
import type { Timed } from './timers.ts';

/** All limits are settings (rule R13). */
export interface BrokerLimits {
  /** The deadline of a request that gives none (rule R2). */
  readonly defaultTimeoutMs: number;
  /** What a longer timeout is cut to (rule R2). */
  readonly maxTimeoutMs: number;
  /** How long a request waits for a service that has no worker (rule R7). */
  readonly discoveryGraceMs: number;
  readonly heartbeatMs: number;
  /** How long a worker may be silent (rule R9). */
  readonly livenessMs: number;
  /** Largest body, all its frames together. */
  readonly maxBodyBytes: number;
  /** Largest frame that the socket reads; the connection of a peer that sends a larger one is closed. Above `maxBodyBytes`. */
  readonly maxFrameBytes: number;
  readonly maxOpenPerClient: number;
  readonly maxWaitingPerService: number;
  readonly maxCapacity: number;
  /** Most bytes that waiting requests may hold together. */
  readonly maxHeldBytes: number;
  /** Most connections at once, of clients and workers; one more is closed at once. */
  readonly maxConnections: number;
  /** How many epochs of services that are gone are remembered; the one that was kept first is forgotten first (rule R15). */
  readonly maxRememberedEpochs: number;
}

export const defaultBrokerLimits: BrokerLimits = {
  defaultTimeoutMs: 30_000,
  maxTimeoutMs: 3_600_000,
  discoveryGraceMs: 5000,
  heartbeatMs: 1000,
  livenessMs: 5000,
  maxBodyBytes: 16 * 1024 * 1024,
  maxFrameBytes: 64 * 1024 * 1024,
  maxOpenPerClient: 4096,
  maxWaitingPerService: 10_000,
  maxCapacity: 1024,
  maxHeldBytes: 512 * 1024 * 1024,
  maxConnections: 16_000,
  maxRememberedEpochs: 10_000,
};

export interface OpenRequest extends Timed, Linked<OpenRequest> {
  readonly kind: 'request';
  /** Undefined once nobody waits for the answer: cancelled, or the client is gone. */
  client: ClientState | undefined;
  /** The client's own frames in wire form, to be given back before the reply (rule R1). */
  readonly address: Buffer;
  service: ServiceState;
  readonly arrivedMs: number;
  /** Undefined once it was handed over. */
  body: Tail | undefined;
  readonly heldBytes: number;
  /** Who holds it; undefined while it waits. */
  worker: WorkerState | undefined;
  /** The number in its token; 0 if it never had one. */
  sequence: number;
  /** These belong to the lists of open-requests.ts. */
  placeAtClient: number;
  placeAtWorker: number;
}

export interface WorkerState extends Timed, Linked<WorkerState> {
  readonly kind: 'worker';
  readonly peer: string;
  readonly service: ServiceState;
  /** It gave no capacity: one request at a time, and silent while it works (rules R8, R14). */
  readonly plain: boolean;
  /** How many requests it takes at once; it may hold more if it came back with a smaller one. */
  readonly capacity: number;
  /** Which instance of its service it belongs to; undefined if it did not say (rule R15). */
  readonly epoch: number | undefined;
  readonly open: RequestsOfWorker;
  /** It said DISCONNECT, and still owes answers (rule R16). */
  leaving: boolean;
  /** Silent for its liveness: it gets nothing until it speaks (rule R9). */
  silent: boolean;
  /** A plain worker whose request passed its deadline, since when (attentive time); undefined if it is not (rule R8). */
  stuckSinceMs: number | undefined;
  /** Attentive time. */
  lastHeardMs: number;
  lastSentMs: number;
}

export interface ClientState {
  readonly peer: string;
  readonly open: RequestsOfClient;
  /** The service that it asked last, which it is likely to ask again. */
  asked: ServiceState | undefined;
}

export interface ServiceState extends Timed {
  readonly kind: 'service';
  readonly key: string;
  readonly frame: Frame;
  /** What comes before the body of a reply, in wire form. */
  readonly replyHead: Buffer;
  readonly waiting: LinkedQueue<OpenRequest>;
  /** Workers that take requests now, least recently used first (rule R4). */
  readonly idle: LinkedQueue<WorkerState>;
  /** All that registered and have not left. */
  workers: number;
  /** The highest that any worker of it carried; undefined if none did (rule R15). */
  epoch: number | undefined;
  served: number;
  /** When it lost its last worker, or when it was first asked for. */
  lostMs: number;
}

/** What is dropped without an answer, by kind (rule R13). */
export const dropKinds = {
  malformed: 'not an MDP message',
  replyNotOpen: 'a reply that is late, repeated or was not asked for',
  replyUnwanted: 'a reply that nobody waits for any more',
  workerUnknown: 'a reply of a worker that is not registered',
  workerInvalid: 'a worker message that breaks the protocol',
  superseded: 'an instance of a service that a newer one has replaced, each time that it was told so',
  undeliverable: 'a message whose receiver is gone or does not read',
  connection: 'a connection that is no ZMTP, goes beyond a limit, is silent, or asks for a routing id that is taken',
  connectionRefused: 'a connection beyond the limit of their number',
} as const;
export type DropKind = keyof typeof dropKinds;

/** What the broker itself refuses or reports with mq.error (rule R7). */
export type RefusalCode = Extract<
  BusCode,
  'DEADLINE_EXCEEDED' | 'SERVICE_UNKNOWN' | 'WORKER_LOST' | 'OVERLOADED' | 'TOO_LARGE' | 'BAD_REQUEST'
>;

export interface BrokerStatus {
  readonly protocol: 'MDP/0.1';
  readonly uptimeMs: number;
  readonly clients: number;
  readonly workers: number;
  /** Requests that wait or are held by a worker. */
  readonly open: number;
  readonly heldBytes: number;
  readonly services: readonly { readonly name: string; readonly workers: number; readonly waiting: number; readonly served: number }[];
  readonly dropped: Readonly<Record<DropKind, number>>;
  readonly refused: Readonly<Record<RefusalCode, number>>;
}

/** A message to be sent, in wire form: what the broker says, and what it passes on. */
export interface Outgoing {
  readonly peer: string;
  readonly head: Buffer;
  readonly body: Tail | undefined;
  /** The number of the request that it hands over; 0 if it is something else. */
  readonly sequence: number;
}
