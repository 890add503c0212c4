// From frames to meaning and back, for all three sides of the wire (docs/protocol.md, "Frames", rules R1 to R3, R5, W5).
// Pure and total: any frames give a value or undefined, none throws.
import {
  CANCEL, command, DISCONNECT, EMPTY, errorAction, HEARTBEAT, isClientHeader, isWorkerHeader, MDPC, MDPW, mmiPrefix, READY, REPLY, REQUEST, SUPERSEDED, type Frame, type Frames,
} from './frames.ts';

/** Rule R1: a client's own address frames, at most. */
const maxAddressFrames = 8;
const maxAddressBytes = 1024;

export interface ClientRequest {
  /** The client's own frames before the empty one, to be given back with the reply (rule R1). */
  readonly address: Frames;
  readonly service: Frame;
  /** The timed dialect's timeout; undefined means the broker's default (rule R2). */
  readonly timeoutMs: number | undefined;
  readonly body: Frames;
}

/** What the broker reads from a client (rules R1 to R3), or undefined if it is no client message. */
export function parseClientRequest(frames: Frames): ClientRequest | undefined {
  const empty = addressEnd(frames);
  if (empty < 0 || !isClientHeader(frames[empty + 1])) return undefined;
  const service = frames[empty + 2];
  if (service === undefined) return undefined;
  const first = empty + 3;
  const rest = frames.length - first;
  const maybeTimeout = frames[first];
  if (maybeTimeout !== undefined && (isMmi(service) ? rest <= 2 : rest >= 3)) {
    const timeoutMs = parseTimeout(maybeTimeout);
    if (timeoutMs !== null) {
      return { address: frames.slice(0, empty), service, timeoutMs, body: frames.slice(first + 1) };
    }
  }
  return { address: frames.slice(0, empty), service, timeoutMs: undefined, body: frames.slice(first) };
}

/** Where the client's address ends: the index of the first empty frame, or -1 if there is none in time. */
function addressEnd(frames: Frames): number {
  let bytes = 0;
  for (let i = 0; i <= maxAddressFrames; i += 1) {
    const frame = frames[i];
    if (frame === undefined) return -1;
    if (frame.length === 0) return i;
    bytes += frame.length;
    if (bytes > maxAddressBytes) return -1;
  }
  return -1;
}

function isMmi(service: Frame): boolean {
  return service.length >= mmiPrefix.length && service.toString('latin1', 0, mmiPrefix.length) === mmiPrefix;
}

const errorActionFrame = Buffer.from(errorAction);
const timeoutPattern = /^\d{1,10}(\.\d{1,10})?$/;
/** The longest that ten digits can say: a longer frame would be read as body. */
const longestTimeoutMs = 9_999_999_999_000;

/** Rule R2: milliseconds; undefined for `None`; null if the frame is no timeout. */
function parseTimeout(frame: Frame): number | undefined | null {
  if (frame.length === 0 || frame.length > 21) return null;
  const text = frame.toString('latin1');
  if (text === 'None') return undefined;
  return timeoutPattern.test(text) ? Number(text) * 1000 : null;
}

/** A worker's registration. */
export interface WorkerReady {
  readonly kind: 'ready';
  readonly service: Frame;
  /** Undefined for a plain worker (rule R14). */
  readonly capacity: number | undefined;
  /** Undefined if it carries none that can be read (rule R15). */
  readonly epoch: number | undefined;
}

/** What the broker reads from a worker. */
export type WorkerMessage =
  | WorkerReady
  | { readonly kind: 'reply'; readonly token: Frame; readonly body: Frames }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'disconnect' }
  /** MDPW01 with a command that does not exist, or one that lacks its frames (rule R11). */
  | { readonly kind: 'invalid' };

const heartbeatMessage: WorkerMessage = { kind: 'heartbeat' };
const disconnectMessage: WorkerMessage = { kind: 'disconnect' };
const invalidMessage: WorkerMessage = { kind: 'invalid' };

/** A worker's message to the broker, or undefined if it is none. */
export function parseWorkerMessage(frames: Frames): WorkerMessage | undefined {
  if (frames.length < 3 || frames[0]?.length !== 0 || !isWorkerHeader(frames[1])) return undefined;
  switch (commandOf(frames[2])) {
    case command.ready: {
      const [service, capacity, epoch] = frames.slice(3);
      if (service === undefined) return invalidMessage;
      // A plain worker with an epoch leaves the frame before it empty.
      const isPlain = epoch !== undefined && capacity?.length === 0;
      return { kind: 'ready', service, capacity: isPlain ? undefined : parseCapacity(capacity), epoch: parseEpoch(epoch) };
    }
    case command.reply: {
      const token = frames[3];
      return token === undefined || frames[4]?.length !== 0 ? invalidMessage : { kind: 'reply', token, body: frames.slice(5) };
    }
    case command.heartbeat:
      return heartbeatMessage;
    case command.disconnect:
      return disconnectMessage;
    default:
      return invalidMessage;
  }
}

/** Rule R14: undefined without the frame (a plain worker); an invalid one is 1. */
function parseCapacity(frame: Frame | undefined): number | undefined {
  if (frame === undefined) return undefined;
  const text = frame.length <= 20 ? frame.toString('latin1') : '';
  return /^[1-9]\d*$/.test(text) ? Number(text) : 1;
}

/** Rule R15: an invalid epoch is none, which loses to every other. */
function parseEpoch(frame: Frame | undefined): number | undefined {
  const text = frame === undefined || frame.length > 16 ? '' : frame.toString('latin1');
  const epoch = /^\d+$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(epoch) ? epoch : undefined;
}

/** What a worker reads from the broker. */
export type BrokerMessage =
  | { readonly kind: 'request'; readonly envelope: Frames; readonly body: Frames }
  | { readonly kind: 'cancel'; readonly envelope: Frames }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'disconnect' }
  /** DISCONNECT with one more frame: a newer instance has taken the service over (rule R15). */
  | { readonly kind: 'superseded' };

/** A broker's message to a worker; DISCONNECT also without the empty frame (rule W1). Undefined if it is none. */
export function parseBrokerMessage(frames: Frames): BrokerMessage | undefined {
  if (isWorkerHeader(frames[0])) return frames.length === 2 && commandOf(frames[1]) === command.disconnect ? { kind: 'disconnect' } : undefined;
  if (frames[0]?.length !== 0 || !isWorkerHeader(frames[1])) return undefined;
  switch (commandOf(frames[2])) {
    case command.request: {
      const end = envelopeEnd(frames);
      return end < 0 ? undefined : { kind: 'request', envelope: frames.slice(3, end), body: frames.slice(end + 1) };
    }
    case command.cancel: {
      const end = envelopeEnd(frames);
      return end < 0 ? undefined : { kind: 'cancel', envelope: frames.slice(3, end) };
    }
    case command.heartbeat:
      return { kind: 'heartbeat' };
    case command.disconnect:
      return { kind: frames[3]?.equals(SUPERSEDED) === true ? 'superseded' : 'disconnect' };
    default:
      return undefined;
  }
}

function commandOf(frame: Frame | undefined): number | undefined {
  return frame?.length === 1 ? frame[0] : undefined;
}

/** The empty frame after the envelope, however many frames it has (rule W5), or -1. */
function envelopeEnd(frames: Frames): number {
  for (let i = 4; i < frames.length; i += 1) if (frames[i]?.length === 0) return i;
  return -1;
}

export interface ClientReply {
  readonly address: Frames;
  readonly service: Frame;
  readonly body: Frames;
}

/** What a client reads from the broker, or undefined if it is no reply. */
export function parseClientReply(frames: Frames): ClientReply | undefined {
  const empty = addressEnd(frames);
  const service = empty < 0 ? undefined : frames[empty + 2];
  if (service === undefined || !isClientHeader(frames[empty + 1])) return undefined;
  return { address: frames.slice(0, empty), service, body: frames.slice(empty + 3) };
}

/** A client's REQUEST; with `timeoutMs` in the timed dialect. */
export function clientRequest(address: Frames, service: Frame, timeoutMs: number | undefined, body: Frames): Frames {
  const timeout = timeoutMs === undefined ? [] : [Buffer.from((Math.min(Math.max(0, timeoutMs), longestTimeoutMs) / 1000).toFixed(3))];
  return [...address, EMPTY, MDPC, service, ...timeout, ...body];
}

/** The broker's REPLY to a client. */
export function clientReply(address: Frames, service: Frame, body: Frames): Frames {
  return [...address, EMPTY, MDPC, service, ...body];
}

/** The body of a reply that the broker gives itself (rule R7). */
export function errorBody(code: string, reason: string): Frames {
  return [errorActionFrame, Buffer.from(JSON.stringify({ status: false, code, reason }))];
}

/** A worker's READY; a plain worker with an epoch leaves the frame of the capacity empty (rules R14, R15). */
export function workerReady(service: Frame, capacity: number | undefined, epoch?: number): Frames {
  const ready = [EMPTY, MDPW, READY, service];
  if (capacity !== undefined || epoch !== undefined) ready.push(Buffer.from(capacity === undefined ? '' : String(capacity)));
  if (epoch !== undefined) ready.push(Buffer.from(String(epoch)));
  return ready;
}

/** The broker's REQUEST to a worker. */
export function workerRequest(token: Frame, body: Frames): Frames {
  return [EMPTY, MDPW, REQUEST, token, EMPTY, ...body];
}

/** The token and body of a message that `workerRequest` made, or undefined if it is another. */
export function readWorkerRequest(frames: Frames): { readonly token: Frame; readonly body: Frames } | undefined {
  const message = parseBrokerMessage(frames);
  const token = message?.kind === 'request' ? message.envelope[0] : undefined;
  return message?.kind === 'request' && token !== undefined ? { token, body: message.body } : undefined;
}

/** The broker's CANCEL to a worker (rule R17). */
export function workerCancel(token: Frame): Frames {
  return [EMPTY, MDPW, CANCEL, token, EMPTY];
}

export function workerReply(envelope: Frames, body: Frames): Frames {
  return [EMPTY, MDPW, REPLY, ...envelope, EMPTY, ...body];
}

/** HEARTBEAT, both ways. */
export function heartbeat(): Frames {
  return [EMPTY, MDPW, HEARTBEAT];
}

/** DISCONNECT, both ways. */
export function disconnect(): Frames {
  return [EMPTY, MDPW, DISCONNECT];
}

/** The broker's DISCONNECT to an instance that a newer one has replaced (rule R15). */
export function disconnectSuperseded(): Frames {
  return [EMPTY, MDPW, DISCONNECT, SUPERSEDED];
}
