// What clients and workers read and write (docs/protocol.md, "Frames", rules R1, R14, R15, W1, W5); the broker's side is
// broker-codec.ts. A message is judged where it stands, and what comes before a body is written in wire form. Total: nothing throws.
import { Buffer } from 'node:buffer';
import { encodeFrames, type Message } from '@majordomus/zmtp';
import { addressEnd, disconnectMessageBytes, heartbeatMessageBytes } from './broker-codec.ts';
import { command, EMPTY, MDPC, MDPW, READY, REPLY, SUPERSEDED, type Frame, type ToBroker } from './frames.ts';

// ── the worker ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a worker reads from the broker. */
export type BrokerMessage =
  /** Its body begins at this frame; the envelope, and the empty frame after it, come before. */
  | { readonly kind: 'request' | 'cancel'; readonly bodyAt: number }
  | { readonly kind: 'heartbeat' | 'disconnect' }
  /** DISCONNECT with one more frame: a newer instance has taken the service over (rule R15). */
  | { readonly kind: 'superseded' };

const heartbeatMessage: BrokerMessage = { kind: 'heartbeat' };
const disconnectMessage: BrokerMessage = { kind: 'disconnect' };
const supersededMessage: BrokerMessage = { kind: 'superseded' };
const envelopeAt = 3;

/** A broker's message to a worker; DISCONNECT also without the empty frame (rule W1). Undefined if it is none. */
export function parseBrokerMessage(message: Message): BrokerMessage | undefined {
  if (message.is(0, MDPW)) return message.count === 2 && commandOf(message, 1) === command.disconnect ? disconnectMessage : undefined;
  if (message.size(0) !== 0 || !message.is(1, MDPW)) return undefined;
  switch (commandOf(message, 2)) {
    case command.request: return withEnvelope('request', message);
    case command.cancel: return withEnvelope('cancel', message);
    case command.heartbeat: return heartbeatMessage;
    case command.disconnect: return message.is(3, SUPERSEDED) ? supersededMessage : disconnectMessage;
    default: return undefined;
  }
}

function commandOf(message: Message, index: number): number | undefined {
  return message.size(index) === 1 ? message.byte(index, 0) : undefined;
}

/** Finds the empty frame after the envelope, however many frames that has (rule W5). */
function withEnvelope(kind: 'request' | 'cancel', message: Message): BrokerMessage | undefined {
  for (let i = envelopeAt + 1; i < message.count; i += 1) if (message.size(i) === 0) return { kind, bodyAt: i + 1 };
  return undefined;
}

const replyStart = encodeFrames([EMPTY, MDPW, REPLY], true);
const lastEmpty = encodeFrames([EMPTY]);
const emptyBeforeMore = encodeFrames([EMPTY], true);

/** What comes before the body of the REPLY to a request; it tells requests apart, and CANCEL has the same (rules W5, R17). */
export function workerReplyHead(message: Message, bodyAt: number): Buffer {
  return Buffer.concat([replyStart, message.wire(envelopeAt, bodyAt - 1), emptyBeforeMore]);
}

/** Whether two heads have the same envelope. Those of one broker differ near their ends, and there may be many to compare. */
export function isSameHead(one: Buffer, other: Buffer): boolean {
  if (one.length !== other.length) return false;
  for (let i = one.length - 1; i >= 0; i -= 1) if (one[i] !== other[i]) return false;
  return true;
}

/** A REPLY with the head of its request, which is of no other use any more. */
export function workerReply(head: Buffer, body: ToBroker['body']): ToBroker {
  if (body.length === 0) head.set(lastEmpty, head.length - lastEmpty.length);
  return { head, body };
}

export function isReply({ head }: ToBroker): boolean {
  return head.subarray(0, replyStart.length).equals(replyStart);
}

/** A worker's READY; a plain worker with an epoch leaves the frame of the capacity empty (rules R14, R15). */
export function workerReady(service: Frame, capacity: number | undefined, epoch?: number): ToBroker {
  const ready = [EMPTY, MDPW, READY, service];
  if (capacity !== undefined || epoch !== undefined) ready.push(Buffer.from(capacity === undefined ? '' : String(capacity)));
  if (epoch !== undefined) ready.push(Buffer.from(String(epoch)));
  return { head: encodeFrames(ready), body: [] };
}

export const heartbeat: ToBroker = { head: heartbeatMessageBytes, body: [] };
export const disconnect: ToBroker = { head: disconnectMessageBytes, body: [] };

// ── the client ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The frames between the client's address and the body of a reply: the empty one, the header and the service. */
const framesAfterAddress = 3;

/** Where the body of a reply begins that a client reads, or -1 if the message is none; the address of the call comes before (rule R1). */
export function replyBodyAt(message: Message): number {
  const address = addressEnd(message);
  return address >= 0 && message.count >= address + framesAfterAddress && message.is(address + 1, MDPC) ? address + framesAfterAddress : -1;
}

const idBytes = 4;
const idAt = encodeFrames([EMPTY]).length;

/** The correlation id under which a reply came, or -1. */
export function idOfReply(message: Message, bodyAt: number): number {
  if (bodyAt !== 1 + framesAfterAddress || message.size(0) !== idBytes) return -1;
  let id = 0;
  for (let i = 0; i < idBytes; i += 1) id = id * 256 + message.byte(0, i);
  return id;
}

/** The correlation id of a request of ours, if it has one. */
export function idOfRequest({ head }: ToBroker): number {
  return head.length < idAt + idBytes ? -1 : head.readUInt32BE(idAt);
}

/** The longest that ten digits can say: a longer frame would be read as body (rule R2). */
const longestTimeoutMs = 9_999_999_999_000;

/** The head that was made last, with an id of zero: most calls of a program have the same service and the same time. */
let last: { readonly service: Frame; readonly ms: number; readonly head: Buffer } = { service: EMPTY, ms: -1, head: EMPTY };

/** A client's REQUEST in the timed dialect, with a correlation id; a body has a frame at the least. */
export function timedRequest(id: number, service: Frame, timeoutMs: number, body: ToBroker['body']): ToBroker {
  const ms = Math.round(Math.min(Math.max(0, timeoutMs), longestTimeoutMs));
  if (ms !== last.ms || service !== last.service) {
    last = { service, ms, head: encodeFrames([Buffer.alloc(idBytes), EMPTY, MDPC, service, Buffer.from((ms / 1000).toFixed(3))], true) };
  }
  return { head: withId(last.head, id), body };
}

/** A client's REQUEST in the plain dialect. */
export function plainRequest(service: Frame, body: ToBroker['body']): ToBroker {
  return { head: encodeFrames([EMPTY, MDPC, service], true), body };
}

const cancelHead = encodeFrames([Buffer.alloc(idBytes), EMPTY, MDPC, Buffer.from('mmi.cancel')]);

/** Gives up the request with this correlation id (rule R17). */
export function cancelRequest(id: number): ToBroker {
  return { head: withId(cancelHead, id), body: [] };
}

function withId(template: Buffer, id: number): Buffer {
  const head = Buffer.alloc(template.length);
  head.set(template);
  head.writeUInt32BE(id, idAt);
  return head;
}
