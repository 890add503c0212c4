// Tables as text, in the form of Markdown, so that they can be put into bench/README.md as they are.

export interface Table {
  readonly heads: readonly string[];
  /** The first of each is a name; the others are shown to the right. */
  readonly rows: readonly (readonly string[])[];
}

export function tableText({ heads, rows }: Table): string {
  const widths = heads.map((head, column) => Math.max(3, head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (column === 0 ? (cells[column] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(heads), line(rule), ...rows.map(line)].join('\n');
}
