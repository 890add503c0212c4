import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decoder, type DecoderLimits } from './decoder.ts';
import { COMMAND, commandFrame, MORE, wireBytes, writeBody, writeHeader } from './frame.ts';

const wide: DecoderLimits = { maxFrameBytes: 1 << 26, maxFrames: 1000, maxMessageBytes: 1 << 26 };

function encode(frames: readonly Buffer[]): Buffer {
  return Buffer.concat(frames.map((body, i) => {
    const bytes = Buffer.alloc(wireBytes(body.length));
    writeBody(bytes, writeHeader(bytes, 0, i < frames.length - 1 ? MORE : 0, body.length), body);
    return bytes;
  }));
}

/** What a decoder reads from chunks: messages and commands as hex, in order; then its problem, if it has one. */
function read(chunks: readonly Buffer[], limits = wide): unknown[] {
  const seen: unknown[] = [];
  const decoder = new Decoder(limits, {
    message: (frames) => seen.push(frames.map((frame) => frame.toString('hex'))),
    command: (body) => seen.push(`command ${body.toString('hex')}`),
  });
  let problem: string | undefined;
  for (const chunk of chunks) problem = decoder.push(chunk);
  return problem === undefined ? seen : [...seen, problem];
}

/** The bytes in pieces, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, i) => Buffer.from(bytes.subarray(sorted[i], end)));
}

const frame = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 4090, maxLength: 4110 })).map((bytes) => Buffer.from(bytes));

describe('decoder', () => {
  it('reads the frames of RFC 37', () => {
    expect(read([Buffer.from('010001034142430002ffff', 'hex')])).toEqual([['', '414243', 'ffff']]);
    expect(read([Buffer.from('0200000000000000024142', 'hex')])).toEqual([['4142']]);
    expect(read([commandFrame(Buffer.from('04', 'hex')), Buffer.from('0000', 'hex')])).toEqual(['command 04', ['']]);
  });

  it('writes a size of one byte up to 255, and of eight above', () => {
    expect(encode([Buffer.alloc(255)]).subarray(0, 2).toString('hex')).toBe('00ff');
    expect(encode([Buffer.alloc(256)]).subarray(0, 9).toString('hex')).toBe('020000000000000100');
  });

  it('reads what was written, however it was cut', () => {
    fc.assert(fc.property(fc.array(fc.array(frame, { minLength: 1, maxLength: 5 }), { maxLength: 5 }), fc.array(fc.nat(20_000), { maxLength: 20 }), (messages, places) => {
      const bytes = Buffer.concat(messages.map(encode));
      expect(read(cut(bytes, places))).toEqual(messages.map((frames) => frames.map((body) => body.toString('hex'))));
    }));
  });

  it('reads a stream that was cut at any one place, and one byte at a time', () => {
    const bytes = Buffer.concat([encode([Buffer.alloc(0), Buffer.from('MDPC01')]), commandFrame(Buffer.from('04', 'hex')), encode([Buffer.alloc(300, 1)]), encode([Buffer.alloc(5000, 2)])]);
    const whole = read([bytes]);
    expect(whole).toHaveLength(4);
    for (let place = 0; place <= bytes.length; place += 1) expect(read(cut(bytes, [place]))).toEqual(whole);
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('gathers a body of several megabytes', () => {
    const body = Buffer.alloc(5_000_000, 7);
    const bytes = encode([Buffer.from('x'), body]);
    const [message] = read(cut(bytes, Array.from({ length: 80 }, (_, i) => i * 65_536))) as [string[]];
    expect(message[1] === body.toString('hex')).toBe(true);
  });

  it.each([
    ['a frame above the limit', [Buffer.alloc(11)], 'TOO_LARGE'],
    ['a message above the limit', [Buffer.alloc(9), Buffer.alloc(9), Buffer.alloc(9)], 'TOO_LARGE'],
    ['more frames than the limit', Array.from({ length: 6 }, () => Buffer.alloc(0)), 'TOO_LARGE'],
  ])('refuses %s', (_what, frames, problem) => {
    expect(read([encode(frames)], { maxFrameBytes: 10, maxFrames: 5, maxMessageBytes: 20 })).toEqual([problem]);
  });

  it('refuses a frame by its announced size, before any of it came', () => {
    expect(read([Buffer.from('02ffffffffffffffff', 'hex')])).toEqual(['TOO_LARGE']);
  });

  it('counts only what came: an announced 60 MiB costs no more than has arrived', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 200 }, () => new Decoder(wide, { message: () => {}, command: () => {} }));
    for (const decoder of decoders) decoder.push(Buffer.from('020000000003c00000aaaa', 'hex'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThanOrEqual(200 * (1 << 18) + (1 << 20));
  });

  it.each([
    ['a reserved flag', '0800'],
    ['a command of several frames', '0500'],
  ])('refuses %s', (_what, hex) => {
    expect(read([Buffer.from(hex, 'hex')])).toEqual(['NOT_ZMTP']);
  });

  it('reads nothing after a problem', () => {
    expect(read([Buffer.from('0800', 'hex'), encode([Buffer.from('x')])])).toEqual(['NOT_ZMTP']);
  });

  it('keeps the flags apart', () => {
    const bytes = Buffer.alloc(2);
    writeHeader(bytes, 0, COMMAND, 0);
    expect(bytes.toString('hex')).toBe('0400');
  });
});
