// What a person reads of the JSON lines that a part prints.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logText } from './log-text.ts';

const at = new Date(2026, 10, 22, 16, 23, 54, 871);
const plain = logText(false);

/** A line as createLog prints it. */
function line(fields: Record<string, unknown>): string {
  return JSON.stringify({ level: 30, time: at.getTime(), name: 'broker', ...fields });
}

describe('a line of the log', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['its time, its level and its message', { msg: 'listening' }, 'INFO: listening'],
    ['its facts on the same line', { level: 40, msg: 'dropped', kind: 'bad frame', count: 3 }, 'WARN: dropped {"kind":"bad frame","count":3}'],
    ['no message when there is none', { level: 20, count: 3 }, 'DEBUG: {"count":3}'],
    ['neither process nor machine, which the reader knows', { pid: 7, hostname: 'igor', msg: 'listening' }, 'INFO: listening'],
    [
      'the stack of an error, and what else the error holds', { level: 60, msg: 'ended', err: { type: 'TypeError', message: 'no', stack: 'TypeError: no\n    at there', code: 'NO' }, part: 'x' },
      'FATAL: ended {"code":"NO","part":"x"}\n    TypeError: no\n        at there',
    ],
    ['what was thrown and is no error', { level: 50, msg: 'failed', err: 'cold' }, 'ERROR: failed {"err":"cold"}'],
    ['no end that looks like the next entry', { msg: 'a\n[2026-11-22 16:23:54.871] INFO: b\n' }, 'INFO: a\n    [2026-11-22 16:23:54.871] INFO: b'],
  ])('has %s', (_what, fields, text) => {
    expect(plain(line(fields))).toBe(`[2026-11-22 16:23:54.871] ${text}`);
  });

  it('is coloured only when asked', () => {
    expect(plain(line({ msg: 'listening' }))).not.toContain('\u001B[');
    expect(logText(true)(line({ msg: 'listening' }))).toBe('[2026-11-22 16:23:54.871] \u001B[32mINFO\u001B[39m: listening');
  });
});

describe('what is not a line of the log', () => {
  it.each([
    'hello', '', '{"some":"json"}', '{"level":', '{"level":"high"', '{"level":"high"}', '{"level":30}', '{"level":35,"time":1}', '{"level":30,"time":1e99}', '  indented',
    `{"level":30,"time":1,"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
  ])('passes as it is: %j', (text) => {
    expect(plain(text)).toBe(text);
  });

  it('never fails, whatever it holds', () => {
    const fields = fc.dictionary(fc.oneof(fc.constantFrom('time', 'msg', 'err', 'name', '__proto__', 'stack'), fc.string()), fc.jsonValue());
    fc.assert(fc.property(fc.jsonValue(), fields, (level, rest) => {
      expect(plain(`{"level":${JSON.stringify(level)},${JSON.stringify(rest).slice(1)}`)).toBeTypeOf('string');
    }));
  });
});
