// The runner of the chapters can fail: small chapters that are right, and one for each mistake.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesWith } from '../processes.ts';
import { Chapter } from './chapter.ts';
import { Checkout } from './checkout.ts';

describe('a chapter', () => {
  let checkout: Checkout;
  beforeAll(() => {
    checkout = new Checkout();
  });
  afterAll(() => checkout[Symbol.asyncDispose]());
  const run = async (...lines: string[]): Promise<void> => await Chapter.runIn(checkout, 'x.md', lines.join('\n'));

  it('passes when each of its examples does: files, changes, commands, programs, scripts', async () => {
    await run(
      '```ts sum.ts', 'import { add } from \'./add.ts\';', '', 'console.log(add(1, 2), process.pid);', '```',
      '```ts add.ts', 'export function add(a: number, b: number): number {', '  return a - b;', '}', '```',
      '```diff add.ts', '-  return a - b;', '+  return a + b;', '```',
      '```console', '$ node sum.ts', '3 1234567', '$ echo 1234567 > pid; pwd', '/home/ann/majordomus', '$ ls missing', 'ls: …missing…', '```',
      '```ts', 'import { strict as assert } from \'node:assert\';', 'import { readFileSync } from \'node:fs\';', 'assert.notEqual(readFileSync(\'pid\', \'utf8\'), \'1234567\\n\');', '```',
      '```sh', 'test -f add.ts', '```',
    );
  });

  it('ends at its end what goes on, and only that is waited for by what it prints', async () => {
    const mark = `majordomus-mark-${process.pid}`;
    await Chapter.run('x.md', ['```console', `$ node -e "console.log('up'); setInterval(() => {}, 1000)" ${mark} &`, 'up', '$ echo next', 'next', '```'].join('\n'));
    expect(processesWith(mark)).toEqual([]);
  });

  it.each([
    ['another output', ['```console', '$ echo one', 'one', '$ echo two', 'three', '```'], /^x\.md:4: it ended with 0: echo two\nit printed:\ntwo\n/],
    ['an output where it shows none', ['```console', '$ echo one', '```'], /^x\.md:2: it ended with 0: echo one\nit printed:\none\n/],
    ['a command that fails in silence', ['```console', '$ false', '```'], /^x\.md:2: it ended with 1: false/],
    ['one that should go on and ends', ['```console', '$ echo one &', 'two', '```'], /^x\.md:2: it ended with 0: echo one &\nit printed:\none\n/],
    ['a script that fails at its first line', ['```sh', 'false', 'true', '```'], /^x\.md:2: it ended with 1/],
    ['a program that throws', ['```ts', 'throw new RangeError(\'too far\');', '```'], /^x\.md:2: it ended with 1: [^]*RangeError: too far/],
    ['an error of type, at its line', ['```ts', 'export const right = 1;', 'export const wrong: string = right;', '```'], /^x\.md:3: the types do not fit:\nexample-2\.ts\(2,14\): error TS2322/],
    ['a file that nothing uses', ['```ts hello/main.ts', 'export const a = 1;', '```'], /^x\.md:2: nothing in the chapter uses hello\/main\.ts/],
    ['JSON that is none', ['```json', '{', '```'], /^x\.md:2: this is not JSON/],
    ['a change of lines that are not there', ['```diff libs/mq/src/index.ts', '-export nothing', '+export more', '```'], /^x\.md:2: the lines that are to be changed stand 0 times in libs\/mq\/src\/index\.ts/],
    ['a change of no file', ['```diff libs/mq/src/nothing.ts', '-a', '```'], /^x\.md:2: there is no file libs\/mq\/src\/nothing\.ts/],
  ])('fails with %s', async (_what, lines, problem) => {
    await expect(run(...lines)).rejects.toThrow(problem);
  });
});
