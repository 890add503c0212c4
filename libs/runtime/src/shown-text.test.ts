import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeControls } from './shown-text.ts';

describe('escaping', () => {
  it('leaves text, tabs and backslashes, and shows what a terminal would obey', () => {
    expect(escapeControls('température: 21 °C\t\\o/ 🏠')).toBe('température: 21 °C\t\\o/ 🏠');
    expect(escapeControls('\u001b[2J\u001b]0;title\u0007')).toBe(String.raw`\x1b[2J\x1b]0;title\x07`);
    expect(escapeControls('a\rb\u0000c\u007fd\u009b31m')).toBe(String.raw`a\x0db\x00c\x7fd\x9b31m`);
    expect(escapeControls('abc\u202edef\u2028')).toBe(String.raw`abc\u202edef\u2028`);
  });

  it('leaves nothing that a terminal would obey in any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escapeControls(text)).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
    }));
  });
});
