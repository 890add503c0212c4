import type { JsonObject } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, isBadMessage } from './message.ts';

const body = (...frames: (string | Buffer)[]): Buffer[] => frames.map((frame) => Buffer.from(frame));

describe('a message', () => {
  it('is two frames: the action and one JSON object', () => {
    expect(encodeMessage({ action: 'config.get', data: { host: 'igor', é: 1 } }).map(String)).toEqual(['config.get', '{"host":"igor","é":1}']);
  });

  it('is read again, whatever it holds', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.dictionary(fc.string(), fc.jsonValue()), (action, values) => {
      const data = JSON.parse(JSON.stringify(values)) as JsonObject;
      expect(decodeMessage(encodeMessage({ action, data }))).toEqual({ action, data });
    }));
  });

  it('is read as Python writes it, with its own spacing and escapes', () => {
    expect(decodeMessage(body('foo.this.do', '{"a_key": "v\\u00e9", "b": [1, 2]}'))).toEqual({ action: 'foo.this.do', data: { a_key: 'vé', b: [1, 2] } });
  });

  it('without data, or with an empty frame of it, has an empty object', () => {
    expect(decodeMessage(body('ping'))).toEqual({ action: 'ping', data: {} });
    expect(decodeMessage(body('ping', ''))).toEqual({ action: 'ping', data: {} });
  });

  it.each<[string, Buffer[], string | undefined, RegExp]>([
    ['no frames', body(), undefined, /no action/],
    ['an empty action', body('', '{}'), undefined, /no action/],
    ['three frames', body('a', '{}', '{}'), 'a', /3 frames/],
    ['JSON that ends too soon', body('a', '{"b":'), 'a', /not JSON/],
    ['a list', body('a', '[1]'), 'a', /not a JSON object/],
    ['null', body('a', 'null'), 'a', /not a JSON object/],
    ['a number', body('a', '5'), 'a', /not a JSON object/],
    ['bytes', body('a', Buffer.from([0x80])), 'a', /not JSON/],
  ])('that has %s says what is wrong, and keeps the action', (_what, frames, action, problem) => {
    expect(decodeMessage(frames)).toEqual({ action, problem: expect.stringMatching(problem) });
  });

  it('is never mistaken for a bad one by what it holds', () => {
    expect(isBadMessage({ action: 'a', data: { problem: 'mine' } })).toBe(false);
  });

  it('never makes the reader throw', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array().map((bytes) => Buffer.from(bytes)), { maxLength: 4 }), (frames) => {
      const message = decodeMessage(frames);
      expect('problem' in message ? message.problem : message.data).toBeTruthy();
    }));
  });
});
