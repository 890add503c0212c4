// What a chapter shows against what was printed.
import { describe, expect, it } from 'vitest';
import { matchOutput, withNumbers } from './output.ts';

const matches = (shown: string, printed: string): boolean => matchOutput(shown.split('\n'), printed) !== undefined;

describe('an output is what the chapter shows', () => {
  it('whatever its white space, blank lines and numbers', () => {
    expect(matches('NAME  STATE  PID\nbroker  running  19802', 'NAME    STATE    PID\n\nbroker  running  7  \n')).toBe(true);
    expect(matches('ready after 1.6 s', 'ready after 12.04 s\n')).toBe(true);
  });

  it('where … stands for any text in its line, and alone for any lines or none', () => {
    expect(matches('{\n…\n}', '{\n"a": 1,\n"b": 2\n}\n')).toBe(true);
    expect(matches('{\n…\n}', '{\n}\n')).toBe(true);
    expect(matches('key … is set (a+b)', 'key protocol is set (a+b)\n')).toBe(true);
    expect(matches('key … is set', 'key\nis set\n')).toBe(false);
  });

  it('but not with another word, number in place of a word, a line more, or a line less', () => {
    expect(matches('broker running', 'broker failed\n')).toBe(false);
    expect(matches('limit is 80', 'limit is high\n')).toBe(false);
    expect(matches('one', 'one\ntwo\n')).toBe(false);
    expect(matches('one\ntwo', 'one\n')).toBe(false);
    expect(matches('', 'one\n')).toBe(false);
    expect(matches('a.c', 'abc\n')).toBe(false);
  });
});

it('a long number that was printed stands for itself in a later command, a short one does not', () => {
  const numbers = matchOutput(['pid 19802 of 12'], 'pid 4711 of 13\n') ?? new Map<string, string>();
  expect(withNumbers('kill -12 19802', numbers)).toBe('kill -12 4711');
});
