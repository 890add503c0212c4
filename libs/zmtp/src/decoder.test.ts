import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decoder, maxCommandBytes, type DecoderLimits } from './decoder.ts';
import { COMMAND, commandFrame, encodeFrames, writeHeader } from './frame.ts';
import { kept, type Message } from './message.ts';

const wide: DecoderLimits = { maxFrameBytes: 1 << 26, maxFrames: 1000, maxMessageBytes: 1 << 26 };

/** What a decoder reads from chunks: messages and commands as hex, in order; then its problem, if it has one. */
function read(chunks: readonly Buffer[], limits = wide): unknown[] {
  const seen: unknown[] = [];
  const decoder = new Decoder(limits, {
    message: (message) => seen.push(message.frames().map((body) => body.toString('hex'))),
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
    expect(encodeFrames([Buffer.alloc(255)]).subarray(0, 2).toString('hex')).toBe('00ff');
    expect(encodeFrames([Buffer.alloc(256)]).subarray(0, 9).toString('hex')).toBe('020000000000000100');
  });

  it('reads what was written, however it was cut', () => {
    fc.assert(fc.property(fc.array(fc.array(frame, { minLength: 1, maxLength: 5 }), { maxLength: 5 }), fc.array(fc.nat(20_000), { maxLength: 20 }), (messages, places) => {
      const bytes = Buffer.concat(messages.map((frames) => encodeFrames(frames)));
      expect(read(cut(bytes, places))).toEqual(messages.map((frames) => frames.map((body) => body.toString('hex'))));
    }));
  });

  it('reads a stream that was cut at any one place, and one byte at a time', () => {
    const bytes = Buffer.concat([encodeFrames([Buffer.alloc(0), Buffer.from('MDPC01')]), commandFrame(Buffer.from('04', 'hex')), encodeFrames([Buffer.alloc(300, 1)]), encodeFrames([Buffer.alloc(5000, 2)])]);
    const whole = read([bytes]);
    expect(whole).toHaveLength(4);
    for (let place = 0; place <= bytes.length; place += 1) expect(read(cut(bytes, [place]))).toEqual(whole);
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('reads the whole of a message around a command that came between its frames, as libzmq may send a PING, however it is cut', () => {
    const frames = [Buffer.from('head'), Buffer.alloc(300, 1), Buffer.alloc(0), Buffer.from('end')];
    const bytes = encodeFrames(frames);
    const ping = commandFrame(Buffer.from('04PING', 'latin1'));
    for (const place of [6, 6 + 309, 6 + 309 + 2]) {
      const stream = Buffer.concat([bytes.subarray(0, place), ping, bytes.subarray(place)]);
      const expected = [`command ${ping.subarray(2).toString('hex')}`, frames.map((body) => body.toString('hex'))];
      for (let at = 0; at <= stream.length; at += 1) expect(read(cut(stream, [at]))).toEqual(expected);
    }
  });

  it('gathers a body of several megabytes', () => {
    const body = Buffer.alloc(5_000_000, 7);
    const bytes = encodeFrames([Buffer.from('x'), body]);
    const [message] = read(cut(bytes, Array.from({ length: 80 }, (_, i) => i * 65_536))) as [string[]];
    expect(message[1] === body.toString('hex')).toBe(true);
  });

  it.each([
    ['a frame above the limit', [Buffer.alloc(11)], 'TOO_LARGE'],
    ['a message above the limit', [Buffer.alloc(9), Buffer.alloc(9), Buffer.alloc(9)], 'TOO_LARGE'],
    ['more frames than the limit', Array.from({ length: 6 }, () => Buffer.alloc(0)), 'TOO_LARGE'],
  ])('refuses %s', (_what, frames, problem) => {
    expect(read([encodeFrames(frames)], { maxFrameBytes: 10, maxFrames: 5, maxMessageBytes: 20 })).toEqual([problem]);
  });

  it('refuses a frame by its announced size, before any of it came', () => {
    expect(read([Buffer.from('02ffffffffffffffff', 'hex')])).toEqual(['TOO_LARGE']);
  });

  it('refuses a command above its own limit, whatever messages may have', () => {
    expect(read([commandFrame(Buffer.alloc(maxCommandBytes))])).toEqual([`command ${'00'.repeat(maxCommandBytes)}`]);
    expect(read([commandFrame(Buffer.alloc(maxCommandBytes + 1)).subarray(0, 9)])).toEqual(['TOO_LARGE']);
  });

  it('does not count a command between two frames against the limits of their message', () => {
    const bytes = encodeFrames([Buffer.alloc(10, 1), Buffer.alloc(10, 2)]);
    const stream = Buffer.concat([bytes.subarray(0, 12), commandFrame(Buffer.alloc(11, 3)), bytes.subarray(12)]);
    const expected = [`command ${'03'.repeat(11)}`, ['01'.repeat(10), '02'.repeat(10)]];
    expect(read([stream], { maxFrameBytes: 10, maxFrames: 2, maxMessageBytes: 20 })).toEqual(expected);
    // After the last frame that may come, a command may.
    const full = Buffer.concat([encodeFrames([Buffer.alloc(10, 1)], true), commandFrame(Buffer.alloc(1, 3)), encodeFrames([Buffer.alloc(0)])]);
    expect(read([full], { maxFrameBytes: 10, maxFrames: 1, maxMessageBytes: 20 })).toEqual(['command 03', 'TOO_LARGE']);
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
    expect(read([Buffer.from('0800', 'hex'), encodeFrames([Buffer.from('x')])])).toEqual(['NOT_ZMTP']);
  });

  it('keeps the flags apart', () => {
    const bytes = Buffer.alloc(2);
    writeHeader(bytes, 0, COMMAND, 0);
    expect(bytes.toString('hex')).toBe('0400');
  });
});

describe('a message', () => {
  /** What can be asked of a message, of one that is whole in a chunk and of one that is cut in any way. */
  function ask(chunks: readonly Buffer[], look: (message: Message) => void): number {
    let seen = 0;
    const decoder = new Decoder(wide, {
      message: (message) => {
        seen += 1;
        look(message);
      },
      command: () => {},
    });
    for (const chunk of chunks) expect(decoder.push(chunk)).toBeUndefined();
    expect(decoder.unfinishedBytes).toBe(0);
    return seen;
  }

  it('tells sizes, bytes and frames, and gives its head and its tail in wire form', () => {
    fc.assert(fc.property(fc.array(frame, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(20_000), { maxLength: 20 }), fc.nat(6), (frames, places, split) => {
      const bytes = encodeFrames(frames);
      const first = Math.min(split, frames.length);
      const seen = ask(cut(bytes, places), (message) => {
        expect(message.count).toBe(frames.length);
        expect(message.bytes).toBe(frames.reduce((sum, { length }) => sum + length, 0));
        for (const [i, body] of frames.entries()) {
          expect(message.size(i)).toBe(body.length);
          expect(message.is(i, body)).toBe(true);
          expect(message.is(i, Buffer.concat([body, Buffer.from('x')]))).toBe(false);
          expect(message.text(i)).toBe(body.toString());
          for (let end = i + 1; end <= frames.length; end += 1) expect(message.wire(i, end).equals(encodeFrames(frames.slice(i, end), end < frames.length))).toBe(true);
          if (body.length > 0) expect(message.byte(i, body.length - 1)).toBe(body.at(-1));
          if (body.length > 0) expect(message.is(i, Buffer.from(body.map((byte) => byte ^ 1)))).toBe(false);
        }
        const tail = message.tail(first);
        expect(tail).toMatchObject({ frames: frames.length - first, bytes: frames.slice(first).reduce((sum, { length }) => sum + length, 0) });
        expect(Buffer.concat([message.head(first), ...tail.pieces]).equals(bytes)).toBe(true);
      });
      expect(seen).toBe(1);
    }));
  });

  it('has no frame beyond its last', () => {
    ask([encodeFrames([Buffer.from('x')])], (message) => {
      expect(message.size(1)).toBe(-1);
      expect(message.is(1, Buffer.alloc(0))).toBe(false);
      expect(message.frame(1)).toHaveLength(0);
      expect(message.text(1)).toBe('');
      expect(message.tail(1)).toEqual({ frames: 0, bytes: 0, pieces: [] });
    });
  });

  it('passes a large body on in the chunks that brought it, without a copy', () => {
    const bytes = encodeFrames([Buffer.from('x'), Buffer.alloc(1_000_000, 7)]);
    const chunks = cut(bytes, Array.from({ length: 15 }, (_, i) => (i + 1) * 65_536));
    ask(chunks, (message) => {
      const { pieces } = message.tail(1);
      expect(pieces).toHaveLength(chunks.length);
      for (const [i, piece] of pieces.entries()) expect(piece.buffer).toBe(chunks[i]?.buffer);
    });
  });

  it('is kept without the chunk that brought it, where it is a small part of that', () => {
    const small = encodeFrames([Buffer.from('head'), Buffer.alloc(100, 1)]);
    const large = encodeFrames([Buffer.from('head'), Buffer.alloc(60_000, 2)]);
    const chunk = Buffer.concat([small, large]);
    const held: boolean[] = [];
    ask([chunk], (message) => {
      const tail = message.tail(1);
      const { pieces: [piece], ...rest } = kept(tail);
      expect(rest).toEqual({ frames: tail.frames, bytes: tail.bytes });
      expect(piece?.equals(tail.pieces[0] ?? Buffer.alloc(0))).toBe(true);
      held.push(piece?.buffer === chunk.buffer);
    });
    expect(held).toEqual([false, true]);
  });

  it('costs about what it has bytes when it trickles in', () => {
    const decoder = new Decoder(wide, { message: () => {}, command: () => {} });
    decoder.push(Buffer.from('020000000003c00000', 'hex'));
    const before = process.memoryUsage();
    for (let i = 0; i < 1_000_000; i += 1) decoder.push(Buffer.from([i & 0xff]));
    const after = process.memoryUsage();
    expect(decoder.unfinishedBytes).toBe(1_000_009);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16_000_000);
  });
});
