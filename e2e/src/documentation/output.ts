// Compares what a chapter shows with what a program printed. White space and the values of numbers may differ; `…` stands
// for any text in its line, and alone in a line for any lines. Pure.

/** Numbers of the chapter that were others when it ran: pids, ports. */
export type Numbers = ReadonlyMap<string, string>;

/** Shorter ones are ordinary words of a text. */
const numberDigits = 4;

/** The numbers that stood where the chapter shows its own; undefined if the text is not what the chapter shows. */
export function matchOutput(shown: readonly string[], printed: string): Numbers | undefined {
  const names: string[] = [];
  const pattern = normalised(shown.join('\n')).map((line) => (line === '…' ? '(?:.*\\n)*?' : `${linePattern(line, names)}\\n`)).join('');
  const values = new RegExp(`^${pattern}$`).exec(normalised(printed).map((line) => `${line}\n`).join(''));
  if (values === null) return undefined;
  return new Map(names.map((name, index) => [name, values[index + 1] ?? name] as const).filter(([name]) => name.length >= numberDigits));
}

/** A text in which the numbers of the chapter are those that were there when it ran. */
export function withNumbers(text: string, numbers: Numbers): string {
  return text.replaceAll(/\d+/g, (number) => numbers.get(number) ?? number);
}

function normalised(text: string): string[] {
  return text.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' ')).filter((line) => line !== '');
}

/** The pattern of a line; the numbers that it captures are added to `names`. */
function linePattern(line: string, names: string[]): string {
  return line.replaceAll(/\d+|…|[$()*+.?[\\\]^{|}]/g, (part) => {
    if (part === '…') return '.*?';
    if (!/^\d/.test(part)) return `\\${part}`;
    names.push(part);
    return '(\\d+)';
  });
}
