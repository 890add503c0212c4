// What a command prints: results on standard output, everything else on standard error; colours only on a terminal that
// wants them.
import { stripVTControlCharacters, styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Text in a style, if standard output is a terminal (NO_COLOR and FORCE_COLOR count). */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value, null, 2));
}

/** Something for the person, not for the pipe. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Rows under a head, each column as wide as it must be; nothing but the head's absence tells of no rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map((cell) => stripVTControlCharacters(cell).length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - stripVTControlCharacters(cell).length))).join('  ').trimEnd();
  return [styled('dim', line(head)), ...rows.map(line)].join('\n');
}
