// From frames to meaning and back, for clients and workers (docs/protocol.md, "Frames", rules R1, R14, R15, W5); the broker's side
// is broker-codec.ts. Pure and total: any frames give a value or undefined, none throws.
import { command, DISCONNECT, EMPTY, HEARTBEAT, isClientHeader, isWorkerHeader, maxAddressBytes, maxAddressFrames, MDPC, MDPW, READY, REPLY, SUPERSEDED, type Frame, type Frames } from './frames.ts';

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

/** The longest that ten digits can say: a longer frame would be read as body (rule R2). */
const longestTimeoutMs = 9_999_999_999_000;

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
  const message = address.concat(EMPTY, MDPC, service);
  if (timeoutMs !== undefined) message.push(timeoutFrame(timeoutMs));
  for (const frame of body) message.push(frame);
  return message;
}

/** The frame that was made last: most calls of a program have the same time. */
let lastTimeout = { ms: -1, frame: EMPTY };

function timeoutFrame(timeoutMs: number): Frame {
  const ms = Math.round(Math.min(Math.max(0, timeoutMs), longestTimeoutMs));
  if (ms !== lastTimeout.ms) lastTimeout = { ms, frame: Buffer.from((ms / 1000).toFixed(3)) };
  return lastTimeout.frame;
}

/** A worker's READY; a plain worker with an epoch leaves the frame of the capacity empty (rules R14, R15). */
export function workerReady(service: Frame, capacity: number | undefined, epoch?: number): Frames {
  const ready = [EMPTY, MDPW, READY, service];
  if (capacity !== undefined || epoch !== undefined) ready.push(Buffer.from(capacity === undefined ? '' : String(capacity)));
  if (epoch !== undefined) ready.push(Buffer.from(String(epoch)));
  return ready;
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
