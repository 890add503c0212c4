// What the broker reads and writes (docs/protocol.md, "Frames", rules R1 to R3, R5, R14, R15), on the bytes as they came: a
// message is judged where it stands, and its body is passed on in wire form behind a new head. Pure and total: nothing throws.
import { Buffer } from 'node:buffer';
import { encodeFrames, type Message } from '@majordomus/zmtp';
import { CANCEL, command, DISCONNECT, EMPTY, errorAction, HEARTBEAT, maxAddressBytes, maxAddressFrames, MDPC, MDPW, mmiPrefix, REQUEST, SUPERSEDED, type Frame, type Frames } from './frames.ts';

/** Where the parts of a client's request stand, by the numbers of their frames. */
export interface ClientRequest {
  /** How many of the client's own frames come before the empty one, to be given back with the reply (rule R1). */
  readonly addressFrames: number;
  readonly serviceAt: number;
  /** The timed dialect's timeout; undefined means the broker's default (rule R2). */
  readonly timeoutMs: number | undefined;
  /** The first frame of the body, which may be none. */
  readonly bodyAt: number;
}

/** What the broker reads from a client (rules R1 to R3), or undefined if it is no client message. */
export function parseClientRequest(message: Message): ClientRequest | undefined {
  const addressFrames = addressEnd(message);
  const serviceAt = addressFrames + 2;
  if (addressFrames < 0 || serviceAt >= message.count || !message.is(addressFrames + 1, MDPC)) return undefined;
  const bodyAt = serviceAt + 1;
  const rest = message.count - bodyAt;
  if (rest > 0 && (isMmi(message, serviceAt) ? rest <= 2 : rest >= 3)) {
    const timeoutMs = parseTimeout(message, bodyAt);
    if (timeoutMs !== null) return { addressFrames, serviceAt, timeoutMs, bodyAt: bodyAt + 1 };
  }
  return { addressFrames, serviceAt, timeoutMs: undefined, bodyAt };
}

/** Where the client's address ends: the number of the first empty frame, or -1 if there is none in time. */
export function addressEnd(message: Message): number {
  let bytes = 0;
  for (let i = 0; i <= maxAddressFrames; i += 1) {
    const size = message.size(i);
    if (size <= 0) return size < 0 ? -1 : i;
    bytes += size;
    if (bytes > maxAddressBytes) return -1;
  }
  return -1;
}

const mmiBytes = Buffer.from(mmiPrefix);

function isMmi(message: Message, service: number): boolean {
  if (message.size(service) < mmiBytes.length) return false;
  for (let i = 0; i < mmiBytes.length; i += 1) if (message.byte(service, i) !== mmiBytes[i]) return false;
  return true;
}

const [ZERO, NINE, POINT] = [0x30, 0x39, 0x2e];
const maxDigits = 10;
const none = Buffer.from('None');

/** Rule R2: milliseconds; undefined for `None`; null if the frame is no timeout: up to ten digits, which may have a point and up to ten more. */
function parseTimeout(message: Message, index: number): number | undefined | null {
  const size = message.size(index);
  if (size <= 0 || size > 2 * maxDigits + 1) return null;
  if (message.is(index, none)) return undefined;
  let seconds = 0;
  let fraction = 0;
  let scale = 1;
  let digits = 0;
  let hasPoint = false;
  for (let i = 0; i < size; i += 1) {
    const byte = message.byte(index, i);
    if (byte === POINT && !hasPoint && digits > 0) {
      hasPoint = true;
      digits = 0;
      continue;
    }
    digits += 1;
    if (byte < ZERO || byte > NINE || digits > maxDigits) return null;
    if (hasPoint) {
      fraction = fraction * 10 + byte - ZERO;
      scale *= 10;
    } else {
      seconds = seconds * 10 + byte - ZERO;
    }
  }
  return digits === 0 ? null : seconds * 1000 + (fraction * 1000) / scale;
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
  /** Its token is frame `replyToken`, its body begins at `replyBody`. */
  | { readonly kind: 'reply' }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'disconnect' }
  /** MDPW01 with a command that does not exist, or one that lacks its frames (rule R11). */
  | { readonly kind: 'invalid' };

export const replyToken = 3;
export const replyBody = 5;

const replyMessage: WorkerMessage = { kind: 'reply' };
const heartbeatMessage: WorkerMessage = { kind: 'heartbeat' };
const disconnectMessage: WorkerMessage = { kind: 'disconnect' };
const invalidMessage: WorkerMessage = { kind: 'invalid' };

/** A worker's message to the broker, or undefined if it is none. */
export function parseWorkerMessage(message: Message): WorkerMessage | undefined {
  if (message.count < 3 || message.size(0) !== 0 || !message.is(1, MDPW)) return undefined;
  if (message.size(2) !== 1) return invalidMessage;
  switch (message.byte(2, 0)) {
    case command.ready: return parseReady(message);
    case command.reply: return message.size(replyToken) >= 0 && message.size(replyToken + 1) === 0 ? replyMessage : invalidMessage;
    case command.heartbeat: return heartbeatMessage;
    case command.disconnect: return disconnectMessage;
    default: return invalidMessage;
  }
}

function parseReady(message: Message): WorkerMessage {
  const [service, capacity, epoch] = message.frames(3);
  if (service === undefined) return invalidMessage;
  // A plain worker with an epoch leaves the frame before it empty.
  const isPlain = epoch !== undefined && capacity?.length === 0;
  return { kind: 'ready', service, capacity: isPlain ? undefined : parseCapacity(capacity), epoch: parseEpoch(epoch) };
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

// ── what is written: heads in wire form, behind which a body may come ─────────────────────────────────────────────────

/** The broker's REPLY to a client, up to its body, of which it has any frames or none. */
export function replyHead(service: Frame, hasBody: boolean): Buffer {
  return encodeFrames([EMPTY, MDPC, service], hasBody);
}

const errorActionFrame = Buffer.from(errorAction);

/** The body of a reply that the broker gives itself (rule R7). */
export function errorBody(code: string, reason: string): Frames {
  return [errorActionFrame, Buffer.from(JSON.stringify({ status: false, code, reason }))];
}

/** The broker's REQUEST to a worker, up to its body. */
export function requestHead(token: Frame): Buffer {
  return encodeFrames([EMPTY, MDPW, REQUEST, token, EMPTY], true);
}

/** The broker's CANCEL to a worker (rule R17). */
export function workerCancel(token: Frame): Buffer {
  return encodeFrames([EMPTY, MDPW, CANCEL, token, EMPTY]);
}

export const heartbeatMessageBytes: Buffer = encodeFrames([EMPTY, MDPW, HEARTBEAT]);
export const disconnectMessageBytes: Buffer = encodeFrames([EMPTY, MDPW, DISCONNECT]);
/** DISCONNECT to an instance that a newer one has replaced (rule R15). */
export const supersededMessageBytes: Buffer = encodeFrames([EMPTY, MDPW, DISCONNECT, SUPERSEDED]);
