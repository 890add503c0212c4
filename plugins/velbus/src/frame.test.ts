import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameParser, maxDataLength, priorities, type Frame } from './frame.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const frame = (priority: Frame['priority'], address: number, data: string, rtr = false): Frame => ({ priority, address, rtr, data: bytes(data) });
const parse = (...pieces: readonly Uint8Array[]): Frame[] => {
  const parser = new FrameParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

/**
 * Whole frames as they are published: the examples of the packet protocol guide (the README of github.com/velbus/packetprotocol), and
 * two that were recorded on real buses (forum.velbus.eu, topics 5019 and 6403).
 */
const published: readonly (readonly [what: string, bytes: Uint8Array, frame: Frame])[] = [
  ['guide, "Scan": address 0x06', bytes('0F FB 06 40 B0 04'), frame('low', 0x06, '', true)],
  ['guide, "Switch relay on": VMB4RYLD at 0x0B, channels 2 and 3', bytes('0F F8 0B 02 02 06 E4 04'), frame('high', 0x0b, '02 06')],
  ['guide, "Write data to the memory map": VMB4RYLD at 0x4D', bytes('0F FB 4D 07 CA 00 E4 4D 42 34 52 DF 04'), frame('low', 0x4d, 'CA 00 E4 4D 42 34 52')],
  ['topic 5019: input 5 of a VMB6IN at 0x14 closes', bytes('0F F8 14 04 00 10 00 00 D1 04'), frame('high', 0x14, '00 10 00 00')],
  ['topic 6403: relay 1 at 0x34 is on for 61 s', bytes('0F FB 34 08 FB 01 00 01 20 00 00 3D 60 04'), frame('low', 0x34, 'FB 01 00 01 20 00 00 3D')],
];
const publishedStream = Buffer.concat(published.map(([, encoded]) => encoded));
const publishedFrames = published.map(([, , decoded]) => decoded);

const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ priority: fc.constantFrom(...priorities), address: fc.integer({ min: 0, max: 255 }), rtr: fc.constant(false), data: fc.uint8Array({ maxLength: maxDataLength }) }),
  fc.record({ priority: fc.constantFrom(...priorities), address: fc.integer({ min: 0, max: 255 }), rtr: fc.constant(true), data: fc.constant(new Uint8Array(0)) }),
);
/** Garbage that looks like frames as often as not. */
const garbage = fc.array(fc.oneof(fc.constantFrom(0x0f, 0xf8, 0xfb, 0x40, 0x04, 0x08, 0x00), fc.integer({ min: 0, max: 255 })), { maxLength: 60 }).map((list) => Uint8Array.from(list));

describe('a frame', () => {
  it.each(published)('as it is published: %s', (_what, encoded, decoded) => {
    expect(encodeFrame(decoded)).toEqual(encoded);
    expect(parse(encoded)).toEqual([decoded]);
  });

  it('with the misprint of the guide, whose checksum is that of channels 2 and 3 and whose data is channel 3 alone, is none', () => {
    const parser = new FrameParser();
    expect(parser.push(bytes('0F F8 0B 02 02 04 E4 04'))).toEqual([]);
    expect(parser.rejectedFrames).toBe(1);
  });

  it.each([
    ['start', '0E FB 06 40 B1 04'],
    ['priority', '0F FC 06 40 AF 04'],
    ['RTR', '0F FB 06 20 D0 04'],
    ['length', '0F FB 06 09 00 00 00 00 00 00 00 00 00 E7 04'],
    ['checksum', '0F FB 06 40 B1 04'],
    ['end', '0F FB 06 40 B0 05'],
  ])('with a wrong %s is none', (_what, hex) => {
    const parser = new FrameParser();
    expect([...parser.push(bytes(hex)), ...parser.push(new Uint8Array(14))]).toEqual([]);
  });

  it.each([
    ['address', frame('low', 256, '')],
    ['address', frame('low', -1, '')],
    ['address', frame('low', 1.5, '')],
    ['9 bytes', frame('low', 1, '00 01 02 03 04 05 06 07 08')],
    ['RTR and data', frame('low', 1, '00', true)],
  ])('that cannot be on a bus is refused: %s', (problem, wrong) => {
    expect(() => encodeFrame(wrong)).toThrow(expect.objectContaining({ code: 'FRAME_INVALID', message: expect.stringContaining(problem) }));
  });

  it('comes back from its bytes as it was', () => {
    fc.assert(fc.property(anyFrame, (one) => {
      expect(parse(encodeFrame(one))).toEqual([one]);
    }));
  });
});

describe('a stream of frames', () => {
  it('may be cut in two at every byte', () => {
    for (let cut = 0; cut <= publishedStream.length; cut++) {
      expect(parse(publishedStream.subarray(0, cut), publishedStream.subarray(cut))).toEqual(publishedFrames);
    }
  });

  it('may be cut in three anywhere, or come byte by byte', () => {
    for (let first = 0; first <= publishedStream.length; first++) {
      for (let second = first; second <= publishedStream.length; second++) {
        const frames = parse(publishedStream.subarray(0, first), publishedStream.subarray(first, second), publishedStream.subarray(second));
        if (frames.length !== published.length) expect(frames).toEqual(publishedFrames);
      }
    }
    expect(parse(...[...publishedStream].map((byte) => Uint8Array.of(byte)))).toEqual(publishedFrames);
  });

  it('gives each frame with its last byte, not later', () => {
    const parser = new FrameParser();
    for (const [, encoded, decoded] of published) {
      expect(parser.push(encoded.subarray(0, -1))).toEqual([]);
      expect(parser.push(encoded.subarray(-1))).toEqual([decoded]);
      expect(parser.pendingBytes).toBe(0);
    }
  });

  it('is understood again after garbage between frames', () => {
    // A fixed seed: one in 65,536 headers that garbage makes is also a frame with its checksum and end.
    fc.assert(fc.property(fc.array(fc.tuple(garbage, anyFrame), { minLength: 1, maxLength: 4 }), (pairs) => {
      const parser = new FrameParser();
      const found = pairs.flatMap(([noise, one]) => {
        const now = [...parser.push(noise), ...parser.push(encodeFrame(one))];
        while (parser.pendingBytes > 0) now.push(...parser.giveUp());
        return now;
      });
      for (const [, one] of pairs) expect(found).toContainEqual(one);
    }), { seed: 20_261_122, numRuns: 1000 });
  });

  it('does not lose a frame to garbage that looks like the beginning of a longer one, once the line is silent', () => {
    const parser = new FrameParser();
    const [, scan] = published[0] ?? [];
    expect(parser.push(bytes('0F F8 01 08'))).toEqual([]);
    expect(parser.push(scan ?? bytes(''))).toEqual([]);
    expect(parser.giveUp()).toEqual([publishedFrames[0]]);
    expect({ pending: parser.pendingBytes, garbage: parser.garbageBytes, rejected: parser.rejectedFrames }).toEqual({ pending: 0, garbage: 4, rejected: 0 });
    expect(parser.giveUp()).toEqual([]);
  });

  it('that was cut in the middle of a frame begins anew', () => {
    const parser = new FrameParser();
    parser.push(publishedStream.subarray(0, 3));
    parser.reset();
    expect(parser.push(publishedStream)).toEqual(publishedFrames);
    expect(parser.garbageBytes).toBe(3);
  });

  it('without an STX is all garbage', () => {
    const parser = new FrameParser();
    expect(parser.push(bytes('00 01 F8 FB 04 FF'))).toEqual([]);
    expect({ pending: parser.pendingBytes, garbage: parser.garbageBytes }).toEqual({ pending: 0, garbage: 6 });
  });

  it('of 100,000 random pieces never throws, holds 13 bytes at most, and accounts for every byte', () => {
    const random = generator(20_261_122);
    const parser = new FrameParser();
    let given = 0;
    let inFrames = 0;
    for (let count = 0; count < 100_000; count++) {
      const piece = randomPiece(random);
      given += piece.length;
      const frames = [...parser.push(piece), ...(random() < 0.05 ? parser.giveUp() : [])];
      for (const { data } of frames) inFrames += data.length + 6;
      if (parser.pendingBytes > 13) expect(parser.pendingBytes).toBeLessThan(14);
    }
    expect(inFrames + parser.garbageBytes + parser.pendingBytes).toBe(given);
    // Neither all nor nothing was taken for a frame.
    expect(inFrames).toBeGreaterThan(given / 10);
    expect(parser.garbageBytes).toBeGreaterThan(given / 10);
    expect(parser.rejectedFrames).toBeGreaterThan(1000);
  });
});

/** A frame, a damaged frame, a part of one, or noise. */
function randomPiece(random: () => number): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  const kind = below(4);
  if (kind === 0) return Uint8Array.from({ length: below(20) }, () => below(256));
  const whole = encodeFrame({ priority: priorities[below(4)] ?? 'low', address: below(256), rtr: false, data: Uint8Array.from({ length: below(9) }, () => below(256)) });
  if (kind === 1) return whole;
  if (kind === 2) return whole.subarray(below(whole.length), whole.length - below(3));
  const damaged = Uint8Array.from(whole);
  damaged[below(damaged.length)] = below(256);
  return damaged;
}

/** Numbers from 0 to 1 that are the same in each run (Marsaglia's xorshift, 32 bits). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
