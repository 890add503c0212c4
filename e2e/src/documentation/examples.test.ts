// A chapter as its examples, and the mistakes that a chapter can have before anything is run.
import { describe, expect, it } from 'vitest';
import { examplesOf } from './examples.ts';

const chapter = (...lines: string[]): string => lines.join('\n');

describe('the examples of a chapter', () => {
  it('are its blocks in order, by language and path, with the line in the chapter', () => {
    const text = chapter('# Title', '```ts hello/main.ts', 'a();', '```', '  ```console', '  $ one \\', '      --two', '  shown', '  $ three', '  ```', '```toml x.toml', 'a = 1', '```', '```diff b.ts', ' kept', '-old', '+new', '@@', '+first', ' second', '```', '```ts', 'b();', '```');
    expect(examplesOf('x.md', text)).toEqual([
      { kind: 'file', line: 3, path: 'hello/main.ts', text: 'a();\n' },
      { kind: 'console', line: 6, commands: [{ line: 6, text: 'one \\\n    --two', output: ['shown'] }, { line: 9, text: 'three', output: [] }] },
      { kind: 'file', line: 12, path: 'x.toml', text: 'a = 1\n' },
      { kind: 'edit', line: 15, path: 'b.ts', changes: [{ before: 'kept\nold\n', after: 'kept\nnew\n' }, { before: 'second\n', after: 'first\nsecond\n' }] },
      { kind: 'program', line: 23, text: 'b();\n' },
    ]);
  });

  it('are not its plain texts, its diagrams, and what says why it is not run', () => {
    const text = chapter('```', 'plain', '```', '```mermaid', 'a --> b', '```', '<!-- not run: it needs a bridge -->', '```console', '$ x', '```');
    expect(examplesOf('x.md', text)).toEqual([{ kind: 'not-run', line: 9, reason: 'it needs a bridge' }]);
  });

  it('are not run where what they need is not there', () => {
    const text = chapter('<!-- needs /usr/bin/python3 -->', '```sh', 'python3 --version', '```');
    expect(examplesOf('x.md', text, (path) => path === '/usr/bin/python3')).toMatchObject([{ kind: 'script' }]);
    expect(examplesOf('x.md', text, () => false)).toEqual([{ kind: 'not-run', line: 3, reason: '/usr/bin/python3 is not there' }]);
  });

  it.each([
    ['a language that nobody runs', ['```ruby', 'puts 1', '```'], 'x.md:2: nobody knows how to run a block of \'ruby\''],
    ['a file without a path', ['', '```toml', 'a = 1', '```'], 'x.md:3: nobody knows how to run a block of \'toml\' without a path'],
    ['a comment that gives no reason', ['<!-- not run -->', '```sh', 'x', '```'], 'x.md:3: the block is not run, and its comment does not say why'],
    ['output before the first command', ['```console', 'shown', '$ x', '```'], 'x.md:2: \'shown\' stands before the first command'],
    ['a console without a command', ['```console', '```'], 'x.md:2: the block has no command'],
    ['a block without an end', ['```console', '$ x'], 'x.md:2: the block is not closed'],
  ])('%s is a mistake', (_what, lines, problem) => {
    expect(() => examplesOf('x.md', chapter(...lines))).toThrow(problem);
  });

  it('a reason counts for the block right below it only', () => {
    const text = chapter('<!-- not run: reason -->', '```sh', 'x', '```', 'text', '```sh', 'y', '```');
    expect(examplesOf('x.md', text).map(({ kind }) => kind)).toEqual(['not-run', 'script']);
  });
});
