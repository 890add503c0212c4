// Commands between the sockets of a connection: READY and ERROR of the NULL mechanism, PING and PONG (RFC 37, sections
// "The NULL Security Mechanism" and "Connection heartbeating"). Pure: bytes in, values out. SUBSCRIBE and CANCEL are not spoken.
import { Buffer } from 'node:buffer';

export const socketTypes = ['REQ', 'REP', 'DEALER', 'ROUTER', 'PUB', 'SUB', 'XPUB', 'XSUB', 'PUSH', 'PULL', 'PAIR'] as const;
export type SocketType = (typeof socketTypes)[number];

/** The types that a socket speaks to (RFC 28). */
export const partners = {
  DEALER: ['ROUTER', 'DEALER', 'REP'],
  ROUTER: ['DEALER', 'ROUTER', 'REQ'],
} as const satisfies Record<'DEALER' | 'ROUTER', readonly SocketType[]>;

export type Command =
  /** Metadata by name, in lower case (names are case-insensitive). */
  | { readonly name: 'READY'; readonly metadata: ReadonlyMap<string, Buffer> }
  | { readonly name: 'ERROR'; readonly reason: string }
  | { readonly name: 'PING'; readonly ttlMs: number; readonly context: Buffer }
  | { readonly name: 'PONG'; readonly context: Buffer }
  /** A name that is not known; peers of later versions may send such. */
  | { readonly name: 'OTHER' }
  | { readonly name: 'MALFORMED' };

const malformed: Command = { name: 'MALFORMED' };
const maxContextBytes = 16;
/** Of READY; a peer has two or three, and some of its application. */
const maxProperties = 256;
const tenthMs = 100;
const maxTtl = 0xffff;

/** Reads the body of a command frame. */
export function readCommand(body: Buffer): Command {
  const nameBytes = body[0] ?? 0;
  if (nameBytes === 0 || body.length < 1 + nameBytes) return malformed;
  const rest = body.subarray(1 + nameBytes);
  switch (body.toString('latin1', 1, 1 + nameBytes)) {
    case 'READY': return readReady(rest);
    case 'ERROR': return rest.length === 1 + (rest[0] ?? 0) ? { name: 'ERROR', reason: rest.toString('latin1', 1) } : malformed;
    case 'PING': return rest.length < 2 || rest.length > 2 + maxContextBytes ? malformed : { name: 'PING', ttlMs: rest.readUInt16BE(0) * tenthMs, context: rest.subarray(2) };
    case 'PONG': return rest.length > maxContextBytes ? malformed : { name: 'PONG', context: rest };
    default: return { name: 'OTHER' };
  }
}

function readReady(properties: Buffer): Command {
  const metadata = new Map<string, Buffer>();
  let at = 0;
  for (let count = 0; at < properties.length; count += 1) {
    const nameBytes = properties[at] ?? 0;
    const valueAt = at + 1 + nameBytes + 4;
    if (count === maxProperties || nameBytes === 0 || valueAt > properties.length) return malformed;
    const valueBytes = properties.readUInt32BE(valueAt - 4);
    if (valueAt + valueBytes > properties.length) return malformed;
    metadata.set(properties.toString('latin1', at + 1, at + 1 + nameBytes).toLowerCase(), properties.subarray(valueAt, valueAt + valueBytes));
    at = valueAt + valueBytes;
  }
  return { name: 'READY', metadata };
}

/** READY with the type of the socket; its routing id is left to the other side. */
export function readyCommand(type: SocketType): Buffer {
  return Buffer.concat([named('READY'), property('Socket-Type', Buffer.from(type)), property('Identity', Buffer.alloc(0))]);
}

export function errorCommand(reason: string): Buffer {
  const text = Buffer.from(reason, 'latin1').subarray(0, 0xff);
  return Buffer.concat([named('ERROR'), Buffer.from([text.length]), text]);
}

/** @param ttlMs how long the other side may hear nothing before it gives this one up; in steps of 100 ms */
export function pingCommand(ttlMs: number): Buffer {
  const ttl = Buffer.alloc(2);
  ttl.writeUInt16BE(Math.min(Math.round(ttlMs / tenthMs), maxTtl));
  return Buffer.concat([named('PING'), ttl]);
}

export function pongCommand(context: Buffer): Buffer {
  return Buffer.concat([named('PONG'), context]);
}

function named(name: string): Buffer {
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1')]);
}

function property(name: string, value: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(value.length);
  return Buffer.concat([named(name), size, value]);
}
