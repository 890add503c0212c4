import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pieces } from './pieces.ts';

function piecesOf(chunks: readonly Buffer[]): Pieces {
  const pieces = new Pieces();
  for (const chunk of chunks) pieces.add(chunk);
  return pieces;
}

describe('pieces', () => {
  it('are what was added, in its order, small and large mixed', () => {
    const size = fc.oneof(fc.nat(300), fc.integer({ min: 4090, max: 4100 }));
    fc.assert(fc.property(fc.array(size, { maxLength: 20 }), (sizes) => {
      const chunks = sizes.map((bytes, i) => Buffer.alloc(bytes, i + 1));
      const pieces = piecesOf(chunks);
      const whole = Buffer.concat(chunks);
      expect(pieces.bytes).toBe(whole.length);
      expect(Buffer.concat(pieces.take()).equals(whole)).toBe(true);
      expect([pieces.bytes, pieces.take()]).toEqual([0, []]);
    }));
  });

  it('a large chunk is kept as it is, and small ones between are gathered into one', () => {
    const [first, second] = [Buffer.alloc(4096, 1), Buffer.alloc(5000, 2)];
    const list = piecesOf([first, ...Array.from({ length: 1000 }, (_, i) => Buffer.from([i & 0xff])), second, Buffer.from('end')]).take();
    expect(list.map(({ length }) => length)).toEqual([4096, 1000, 5000, 3]);
    expect([list[0] === first, list[2] === second]).toEqual([true, true]);
  });

  it('what is a small part of a chunk does not hold the whole of it', () => {
    const chunk = Buffer.alloc(65_536, 1);
    const [part] = piecesOf([chunk.subarray(0, 5000)]).take();
    expect([part?.length, part?.buffer === chunk.buffer]).toEqual([5000, false]);
    expect(piecesOf([chunk.subarray(0, 40_000)]).take()[0]?.buffer).toBe(chunk.buffer);
  });

  it('a small chunk is not held, and what was taken does not change', () => {
    const chunk = Buffer.from('abc');
    const pieces = piecesOf([chunk]);
    chunk.fill('x');
    const [taken] = pieces.take();
    pieces.add(Buffer.from('def'));
    expect([String(taken), String(pieces.take()[0])]).toEqual(['abc', 'def']);
  });
});
