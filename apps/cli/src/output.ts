// What a command prints: results on standard output, everything else on standard error; colours only on a terminal that
// wants them.
import { stripVTControlCharacters, styleText } from 'node:util';
import { escapeControls } from '@majordomus/runtime';

type Style = Parameters<typeof styleText>[0];

/** Text in a style, if standard output is a terminal (NO_COLOR and FORCE_COLOR count). */
export function styled(style: Style, text: string): string {
  return styleText(style, escapeControls(text), { stream: process.stdout });
}

/** Bold, dim, the colours, and back again: what `styled` and a coloured log are made of. */
const ownStyle = /(\u001b\[(?:[0-2]|22|3[0-79]|90)m)/;

/** One line, where whatever a terminal would obey is shown instead; the styles of a terminal that wants them stay. */
function shownLine(text: string): string {
  if (styled('bold', ' ') === ' ') return escapeControls(text);
  return text.split(ownStyle).map((piece, index) => (index % 2 === 1 ? piece : escapeControls(piece))).join('');
}

/** As `shownLine`; line breaks stay. */
export function shownText(text: string): string {
  return text.split('\n').map(shownLine).join('\n');
}

export function printLine(text: string): void {
  process.stdout.write(`${shownText(text)}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${jsonText(value)}\n`);
}

/** Any JSON value as JSON that a terminal shows as it is: what JSON may leave as it is, is escaped, too. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Something for the person, not for the pipe. */
export function note(text: string): void {
  process.stderr.write(`${shownText(text)}\n`);
}

/** Rows under a head, each column as wide as it must be; nothing but the head's absence tells of no rows. */
export function table(head: readonly string[], given: readonly (readonly string[])[]): string {
  const rows = given.map((cells) => cells.map(shownLine));
  const widths = head.map((title, column) => Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map((cell) => stripVTControlCharacters(cell).length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - stripVTControlCharacters(cell).length))).join('  ').trimEnd();
  return [styled('dim', line(head)), ...rows.map(line)].join('\n');
}
