import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonErrorPosition } from './json-position.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON with one character taken out, changed or put in. */
const damaged = fc
  .tuple(fc.json(), fc.nat(), fc.constantFrom('', '{', '}', '[', ']', ',', ':', '"', '\\', '0', '-', 'e', 't', ' ', '\n', '\u0001'), fc.boolean())
  .map(([text, at, char, replace]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + char + text.slice(place + (replace ? 1 : 0));
  });

describe('the place where a text stops being JSON', () => {
  it.each([
    ['', 1, 1],
    ['{"name": lamp}', 1, 10],
    ['{\n  "name": "lamp",\n}', 3, 1],
    ['{\n  "name" "lamp"\n}', 2, 10],
    ['{"a": [1, 2', 1, 12],
    ['{"a": "no end', 1, 7],
    ['{"a": 01}', 1, 8],
    ['{} {}', 1, 4],
    ['{name: 1}', 1, 2],
    ['[1, 2}', 1, 6],
    ['[]]', 1, 3],
    ['{"a": 1 // what it is\n}', 1, 9],
  ])('is told for %j', (text, line, column) => {
    expect(isJson(text)).toBe(false);
    expect(jsonErrorPosition(text)).toEqual({ line, column });
  });

  it('is nowhere in JSON, and somewhere in everything else', () => {
    fc.assert(fc.property(fc.oneof(fc.json(), damaged, fc.string()), (text) => {
      expect(jsonErrorPosition(text) === undefined).toBe(isJson(text));
    }), { numRuns: 3000 });
  });

  it('is not told of what is nested deeper than any recursion can follow', () => {
    expect(jsonErrorPosition('['.repeat(200_000))).toBeUndefined();
  });

  it('is found behind a very long string', () => {
    expect(jsonErrorPosition(`["${'a'.repeat(250_000)}" 1]`)).toEqual({ line: 1, column: 250_005 });
  });
});
