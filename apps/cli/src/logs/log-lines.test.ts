import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interleave, isAtLeast, linesAfter, LogReader } from './log-lines.ts';

const at = (second: number, text: string, level = 'INFO'): string => `[2026-11-22 16:23:${String(second).padStart(2, '0')}.000] ${level}: ${text}`;
const read = (name: string, lines: readonly string[]): ReturnType<LogReader['read']> => new LogReader(name).read(lines);

describe('the lines of several logs', () => {
  it('are in the order of their times, and what has no time stays with the line before it', () => {
    const broker = read('broker', [at(1, 'listening'), at(5, 'it failed', 'ERROR'), '    at somewhere', '    at elsewhere']);
    const plugin = read('diskfree', [at(2, 'ready'), 'printed by itself', at(6, 'on')]);
    expect(interleave([broker, plugin]).map(({ name, text }) => `${name}: ${text.replace(/^\[.*?\] /, '')}`)).toEqual([
      'broker: INFO: listening', 'diskfree: INFO: ready', 'diskfree: printed by itself', 'broker: ERROR: it failed', 'broker:     at somewhere', 'broker:     at elsewhere', 'diskfree: INFO: on',
    ]);
  });

  it('keep the order of each log, whatever its clock does', () => {
    const line = fc.oneof(fc.integer({ min: 0, max: 59 }).map((second) => at(second, 'x')), fc.constantFrom('    at x', 'printed'));
    fc.assert(fc.property(fc.array(fc.array(line, { maxLength: 20 }), { maxLength: 4 }), (logs) => {
      const merged = interleave(logs.map((lines, index) => read(String(index), lines)));
      logs.forEach((lines, index) => expect(merged.filter(({ name }) => name === String(index)).map(({ text }) => text)).toEqual(lines));
    }));
  });

  it('have the level of their entry; what is printed without one is information', () => {
    const lines = read('broker', [at(1, 'it failed', 'ERROR'), '    at somewhere', 'printed by itself', at(2, 'so so', 'WARN')]);
    expect(lines.map(({ level }) => level)).toEqual(['error', 'error', 'info', 'warn']);
    expect(lines.filter((line) => isAtLeast(line, 'warn')).map(({ level }) => level)).toEqual(['error', 'error', 'warn']);
  });

  it('go on over chunks', () => {
    const reader = new LogReader('broker');
    reader.read([at(1, 'it failed', 'ERROR')]);
    expect(reader.read(['    at somewhere'])).toEqual([{ name: 'broker', time: '2026-11-22 16:23:01.000', level: 'error', text: '    at somewhere' }]);
  });
});

it('what was already seen is not shown again, and all of it is if that is not there any more', () => {
  expect(linesAfter(['a', 'b', 'c'], 'b')).toEqual(['c']);
  expect(linesAfter(['a', 'b'], 'b')).toEqual([]);
  expect(linesAfter(['x', 'y'], 'b')).toEqual(['x', 'y']);
  expect(linesAfter(['x', 'y'], undefined)).toEqual(['x', 'y']);
});
