// The examples of a chapter: its fenced blocks, each as what is to be done with it. What is no example (plain text,
// diagrams) is left out; a block that nobody knows how to run is a mistake of the chapter. Pure.
import { ChapterError } from './chapter-error.ts';

/** A command of a console block, and the lines that it prints. */
export interface Command {
  readonly line: number;
  readonly text: string;
  readonly output: readonly string[];
}

export interface Change {
  readonly before: string;
  readonly after: string;
}

export type Example =
  /** Commands in a shell, in order. */
  | { readonly kind: 'console'; readonly line: number; readonly commands: readonly Command[] }
  /** A file with its whole text. */
  | { readonly kind: 'file'; readonly line: number; readonly path: string; readonly text: string }
  /** Changes of a file that is there: the lines to find in it, and those in their place. */
  | { readonly kind: 'edit'; readonly line: number; readonly path: string; readonly changes: readonly Change[] }
  /** A TypeScript program to run by itself. */
  | { readonly kind: 'program'; readonly line: number; readonly text: string }
  /** A shell script that must succeed. */
  | { readonly kind: 'script'; readonly line: number; readonly text: string }
  /** JSON that is shown and must be JSON. */
  | { readonly kind: 'json'; readonly line: number; readonly text: string }
  /** Not run, and the chapter says why. */
  | { readonly kind: 'not-run'; readonly line: number; readonly reason: string };

interface Block {
  /** The line after the fence. */
  readonly line: number;
  readonly language: string;
  readonly path: string;
  readonly lines: readonly string[];
  /** What the line above says: `<!-- not run: … -->`. */
  readonly notRun: string | undefined;
}

/** Languages of blocks that are read, not run. */
const prose = new Set(['', 'text', 'mermaid']);
const fileLanguages = new Set(['ts', 'js', 'json', 'py', 'toml', 'yaml', 'ini', 'sh', 'css', 'html']);

/**
 * @param chapter the name of its file, for messages
 * @param isThere whether this machine has what a block needs (`<!-- needs /usr/bin/python3 -->` on the line above it)
 * @throws ChapterError for a block that cannot be run and does not say why
 */
export function examplesOf(chapter: string, text: string, isThere: (path: string) => boolean = () => true): Example[] {
  return blocksOf(chapter, text, isThere).filter(({ language }) => !prose.has(language)).map((block) => exampleOf(chapter, block));
}

function exampleOf(chapter: string, { line, language, path, lines, notRun }: Block): Example {
  if (notRun !== undefined) {
    if (notRun === '') throw new ChapterError(chapter, line, 'the block is not run, and its comment does not say why');
    return { kind: 'not-run', line, reason: notRun };
  }
  const text = `${lines.join('\n')}\n`;
  if (language === 'console') return { kind: 'console', line, commands: commandsOf(chapter, line, lines) };
  if (language === 'diff' && path !== '') return { kind: 'edit', line, path, changes: changesOf(lines) };
  if (path !== '' && fileLanguages.has(language)) return { kind: 'file', line, path, text };
  if (language === 'ts') return { kind: 'program', line, text };
  if (language === 'sh') return { kind: 'script', line, text };
  if (language === 'json') return { kind: 'json', line, text };
  throw new ChapterError(chapter, line, `nobody knows how to run a block of '${language}'${path === '' ? ' without a path' : ''}; say '<!-- not run: the reason -->' above it if it cannot be run`);
}

/** Changes that stand apart in the file are parted by a line `@@`. */
function changesOf(lines: readonly string[]): Change[] {
  const at = lines.indexOf('@@');
  if (at >= 0) return [...changesOf(lines.slice(0, at)), ...changesOf(lines.slice(at + 1))];
  return [{ before: side(lines, '+'), after: side(lines, '-') }];
}

/** What a change has on one side: the lines that it keeps, and its own. */
function side(lines: readonly string[], other: '+' | '-'): string {
  return lines.filter((line) => !line.startsWith(other)).map((line) => `${line.slice(1)}\n`).join('');
}

function commandsOf(chapter: string, blockLine: number, lines: readonly string[]): Command[] {
  const commands: { line: number; text: string; output: string[] }[] = [];
  let continues = false;
  for (const [index, text] of lines.entries()) {
    const last = commands.at(-1);
    if (continues && last !== undefined) last.text += `\n${text}`;
    else if (text.startsWith('$ ')) commands.push({ line: blockLine + index, text: text.slice(2), output: [] });
    else if (last === undefined) throw new ChapterError(chapter, blockLine + index, `'${text}' stands before the first command, which begins with '$ '`);
    else {
      last.output.push(text);
      continue;
    }
    continues = text.endsWith('\\');
  }
  if (commands.length === 0) throw new ChapterError(chapter, blockLine, 'the block has no command, which begins with \'$ \'');
  return commands;
}

function blocksOf(chapter: string, text: string, isThere: (path: string) => boolean): Block[] {
  const blocks: Block[] = [];
  let open: { readonly indent: string; readonly fence: string; readonly block: Block & { readonly lines: string[] } } | undefined;
  let notRun: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (open !== undefined) {
      if (line.trim() === open.fence) {
        blocks.push(open.block);
        open = undefined;
      } else open.block.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
      continue;
    }
    const fence = /^(?<indent> *)(?<fence>`{3,}) *(?<language>[^\s`]*) *(?<path>[^\s`]*)[^`]*$/.exec(line)?.groups;
    if (fence !== undefined) {
      const { indent = '', language = '', path = '' } = fence;
      open = { indent, fence: fence['fence'] ?? '', block: { line: index + 2, language, path, lines: [], notRun } };
      notRun = undefined;
    } else if (line.trim() !== '') {
      const needed = /^ *<!-- needs (?<path>\S+) -->$/.exec(line)?.groups?.['path'];
      notRun = needed === undefined || isThere(needed) ? /^ *<!-- not run:? *(?<reason>.*?) *-->$/.exec(line)?.groups?.['reason'] : `${needed} is not there`;
    }
  }
  if (open !== undefined) throw new ChapterError(chapter, open.block.line, 'the block is not closed');
  return blocks;
}
