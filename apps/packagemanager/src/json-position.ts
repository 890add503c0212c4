// Where a text stops being JSON: the parser of the language tells the place of some errors only. Pure.
import { parse, type ParseError } from 'jsonc-parser';

export interface TextPosition {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

/** The place of the first token that cannot stand where it stands; undefined if the text is JSON, or nested too deeply to tell. */
export function jsonErrorPosition(text: string): TextPosition | undefined {
  const errors: ParseError[] = [];
  try {
    parse(text, errors, { disallowComments: true });
  } catch (error) {
    // It parses by recursion.
    if (!(error instanceof RangeError)) throw error;
  }
  const [first] = errors;
  if (first === undefined) return undefined;
  const lines = text.slice(0, first.offset).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
