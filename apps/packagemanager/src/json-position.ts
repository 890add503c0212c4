// Where a text stops being JSON (RFC 8259): the parser of the language tells the place of some errors only.
// Pure, and without recursion, so that no text makes it fail.

const space = /[ \t\n\r]*/y;
const scalar = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

export interface TextPosition {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

/** The place of the first token that cannot stand where it stands, or undefined if the text is JSON. */
export function jsonErrorPosition(text: string): TextPosition | undefined {
  const open: ('{' | '[')[] = [];
  let expect: 'value' | 'first entry' | 'first key' | 'key' | 'colon' | 'end of entry' = 'value';
  let at = skip(space, text, 0);
  while (at < text.length) {
    const start = at;
    const char = text[at] ?? '';
    const inside = open.at(-1);
    const mayClose = expect === 'end of entry' || expect === (inside === '{' ? 'first key' : 'first entry');
    if (mayClose && inside !== undefined && char === (inside === '{' ? '}' : ']')) {
      open.pop();
      expect = 'end of entry';
      at += 1;
    } else if (expect === 'end of entry') {
      if (char !== ',' || inside === undefined) return position(text, start);
      expect = inside === '{' ? 'key' : 'value';
      at += 1;
    } else if (expect === 'colon') {
      if (char !== ':') return position(text, start);
      expect = 'value';
      at += 1;
    } else if (expect === 'key' || expect === 'first key') {
      at = char === '"' ? skip(scalar, text, at) : start;
      expect = 'colon';
    } else if (char === '{' || char === '[') {
      open.push(char);
      expect = char === '{' ? 'first key' : 'first entry';
      at += 1;
    } else {
      at = skip(scalar, text, at);
      expect = 'end of entry';
    }
    if (at === start) return position(text, start);
    at = skip(space, text, at);
  }
  return expect === 'end of entry' && open.length === 0 ? undefined : position(text, text.length);
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function position(text: string, offset: number): TextPosition {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
