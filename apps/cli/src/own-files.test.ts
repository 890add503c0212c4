import { expect, it } from 'vitest';
import { asTyped } from './own-files.ts';

it.each([
  ['it is not known where lamp came from; install what is newer: domus plugin install SOURCE', 'it is not known where lamp came from; install what is newer: ./domus plugin install SOURCE'],
  ['see: domus plugin list; or start it: domus up', 'see: ./domus plugin list; or start it: ./domus up'],
  ['look through it (domus config list), or go back (domus restore FILE)', 'look through it (./domus config list), or go back (./domus restore FILE)'],
  ['set them again: domus config set vault a VALUE; domus config set vault b VALUE', 'set them again: ./domus config set vault a VALUE; ./domus config set vault b VALUE'],
  ['see: ./domus plugin list', 'see: ./domus plugin list'],
  ['a file that is called: domus', 'a file that is called: domus'],
  ['the majordomus: domus-like', 'the majordomus: domus-like'],
])('what a part says to do is shown as it is typed here: %s', (said, shown) => {
  expect(asTyped(said, './domus')).toBe(shown);
});
