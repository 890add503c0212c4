import { expect, it } from 'vitest';
import { sameLine } from './version-line.ts';

it.each([
  ['0.1.0', '0.1.9', true],
  ['0.1.0', '0.2.0', false],
  ['1.0.0', '1.4.2', true],
  ['1.9.0', '2.0.0', false],
  ['0.1.0', '1.1.0', false],
])('%s and %s are of one line: %s', (a, b, isSame) => {
  expect([sameLine(a, b), sameLine(b, a)]).toEqual([isSame, isSame]);
});
