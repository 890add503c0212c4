// ZMTP as bytes (RFC 37): what a peer may say on its connection, right and wrong, and what becomes of it when bytes are lost,
// changed, doubled or put in between.
import * as fc from 'fast-check';

/** A connection: what is written, in how many pieces, and how it ends. */
export interface Stream {
  readonly bytes: Buffer;
  /** Where it is cut into pieces, each written in a turn of its own. */
  readonly cuts: readonly number[];
  /** `close` says goodbye, `reset` does not, and `hold` says nothing more until the others are done. */
  readonly end: 'close' | 'reset' | 'hold';
}

const MORE = 1;
const LONG = 2;
const COMMAND = 4;

function frame(flags: number, body: Buffer, size: bigint = BigInt(body.length)): Buffer {
  if (size < 256n && (flags & LONG) === 0) return Buffer.concat([Buffer.from([flags, Number(size)]), body]);
  const head = Buffer.alloc(9);
  head[0] = flags | LONG;
  head.writeBigUInt64BE(size, 1);
  return Buffer.concat([head, body]);
}

function named(name: string, ...rest: readonly Buffer[]): Buffer {
  return frame(COMMAND, Buffer.concat([Buffer.from([name.length]), Buffer.from(name), ...rest]));
}

function property(name: string, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), head, value]);
}

function greeting(minor: number, mechanism: string, asServer: number): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, minor]), Buffer.from(mechanism.padEnd(20, '\0').slice(0, 20)), Buffer.from([asServer]), Buffer.alloc(31)]);
}

const right = greeting(1, 'NULL', 0);
const ready = (type: string, identity: Buffer): Buffer => named('READY', property('Socket-Type', Buffer.from(type)), ...(identity.length > 0 ? [property('Identity', identity)] : []));

const bytes = (maxLength: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const identity = fc.oneof(fc.constantFrom('', 'same', '\0own', 'x'.repeat(255), 'x'.repeat(256)).map((text) => Buffer.from(text)), bytes(20));
const type = fc.constantFrom('DEALER', 'REQ', 'ROUTER', 'PUB', 'dealer', '', 'X'.repeat(300));

const opening: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 6, arbitrary: identity.map((own) => Buffer.concat([right, ready('DEALER', own)])) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(0, 1, 2, 255), fc.constantFrom('NULL', 'PLAIN', 'CURVE', '', 'NULL\0x'), fc.nat(2)).map(([minor, mechanism, asServer]) => greeting(minor, mechanism, asServer)) },
  { weight: 2, arbitrary: fc.tuple(type, identity).map(([kind, own]) => Buffer.concat([right, ready(kind, own)])) },
  { weight: 1, arbitrary: fc.constantFrom(Buffer.alloc(0), Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, 0]), Buffer.from('\x16\x03\x01\x02\x00\x01', 'latin1')) },
  { weight: 1, arbitrary: bytes(100) },
);

const size = fc.constantFrom(0n, 1n, 255n, 256n, 65_536n, 2n ** 26n, 2n ** 26n + 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n);
const message = fc.array(fc.oneof(fc.constantFrom('', 'MDPC01', 'MDPW01', 'fuzz-echo', 'mmi.service', '\x01', '\x03', '\x05', 'hostile', '{}').map((text) => Buffer.from(text)), bytes(300)), { minLength: 1, maxLength: 6 })
  .map((frames) => Buffer.concat(frames.map((body, index) => frame(index < frames.length - 1 ? MORE : 0, body))));

const piece: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 5, arbitrary: message },
  { weight: 2, arbitrary: fc.tuple(fc.nat(0xffff), bytes(40)).map(([ttl, context]) => named('PING', Buffer.from([ttl >> 8, ttl & 0xff]), context)) },
  { weight: 1, arbitrary: bytes(20).map((context) => named('PONG', context)) },
  { weight: 1, arbitrary: fc.constantFrom(named('ERROR', Buffer.from([3]), Buffer.from('why')), named('ERROR', Buffer.from([200])), named('SUBSCRIBE', Buffer.from('x')), named('READY'), named('X'.repeat(255)), frame(COMMAND, Buffer.alloc(0)), frame(COMMAND, Buffer.from([9]))) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(255), size, bytes(60)).map(([flags, announced, some]) => frame(flags, some, announced)) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(2000), fc.constantFrom(0, 1)).map(([count, length]) => Buffer.concat(Array.from({ length: count }, () => frame(MORE, Buffer.alloc(length))))) },
  { weight: 1, arbitrary: bytes(300) },
);

const change: fc.Arbitrary<(stream: Buffer) => Buffer> = fc.tuple(fc.nat(4), fc.nat(), fc.nat(64), bytes(12)).map(([kind, where, length, some]) => (stream: Buffer): Buffer => {
  const at = stream.length === 0 ? 0 : where % stream.length;
  const [head, tail] = [stream.subarray(0, at), stream.subarray(at)];
  switch (kind) {
    case 0: return Buffer.concat([head, some, tail]);
    case 1: return Buffer.concat([head, tail.subarray(length)]);
    case 2: return Buffer.concat([head, tail.subarray(0, length), tail]);
    case 3: return Buffer.concat([head, Buffer.from([(tail[0] ?? 0) ^ (1 << (length % 8))]), tail.subarray(1)]);
    default: return head;
  }
});

export const stream: fc.Arbitrary<Stream> = fc.record({
  opening,
  pieces: fc.array(piece, { maxLength: 8 }),
  changes: fc.oneof(fc.constant<((stream: Buffer) => Buffer)[]>([]), fc.array(change, { minLength: 1, maxLength: 3 })),
  cuts: fc.array(fc.nat(600), { maxLength: 4 }),
  end: fc.constantFrom('close', 'close', 'reset', 'hold'),
}).map(({ opening: first, pieces, changes, cuts, end }) => ({ bytes: changes.reduce<Buffer>((now, step) => step(now), Buffer.concat([first, ...pieces])), cuts, end }));

/** The pieces of a stream. */
export function piecesOf({ bytes: all, cuts }: Stream): Buffer[] {
  const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length];
  return places.slice(1).map((end, index) => all.subarray(places[index], end)).filter(({ length }) => length > 0);
}
