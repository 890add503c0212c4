import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutLine, LineReader } from './lines.ts';

function linesOf(limit: number, chunks: readonly Buffer[]): string[] {
  const reader = new LineReader(limit);
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
}
const texts = (...chunks: readonly string[]) => chunks.map((chunk) => Buffer.from(chunk));

describe('the line reader', () => {
  it('puts lines together from chunks, and hands over the last one without an end', () => {
    expect(linesOf(100, texts('on', 'e\ntwo\r\n', '\nthr', 'ee'))).toEqual(['one', 'two', '', 'three']);
  });

  it('cuts a line that is too long, once, and goes on with the next', () => {
    expect(linesOf(4, texts('123456789', 'abc', 'def\nnext\n', '12345\nx'))).toEqual(['1234 … (cut)', 'next', '1234 … (cut)', 'x']);
  });

  it('holds no more than the limit of a line that never ends', () => {
    const reader = new LineReader(10);
    const chunk = Buffer.alloc(65_536, 'x');
    expect(reader.push(chunk)).toEqual(['xxxxxxxxxx … (cut)']);
    for (let more = 0; more < 100; more += 1) expect(reader.push(chunk)).toEqual([]);
    expect(reader.end()).toEqual([]);
  });

  it('gives the same lines however the bytes are cut into chunks', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 20 });
    fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }).filter((line) => !/[\r\n]/.test(line)), { maxLength: 8 }), cuts, (lines, sizes) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const chunks: Buffer[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(linesOf(1000, chunks)).toEqual(lines);
    }));
  });

  it('never gives a line beyond the limit, whatever the bytes', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (chunks) => {
      for (const line of linesOf(16, chunks.map((chunk) => Buffer.from(chunk)))) {
        expect(line).not.toContain('\n');
        expect(line.length).toBeLessThanOrEqual(cutLine('x'.repeat(17), 16).length);
      }
    }));
  });
});
