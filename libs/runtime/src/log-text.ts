// The lines of a log as a person reads them: `[2026-11-22 16:23:54.871] INFO: listening {"port":1}`, and the stack of an
// error on the lines after it. Pure, and small: every process loads it, and few print text.
import { styleText } from 'node:util';

/** pino's levels. */
const levels = {
  10: ['TRACE', 'gray'], 20: ['DEBUG', 'blue'], 30: ['INFO', 'green'], 40: ['WARN', 'yellow'], 50: ['ERROR', 'red'], 60: ['FATAL', 'red'],
} as const;

/** Turns one line that a process printed into text; what is no entry of a log passes as it is. It never throws. */
export function logText(colorize: boolean): (line: string) => string {
  return (line) => {
    if (!line.startsWith('{"level":')) return line.trimEnd();
    try {
      return entryText(JSON.parse(line), colorize);
    } catch {
      // It only looked like an entry.
      return line.trimEnd();
    }
  };
}

function entryText({ level, time, msg, err, name: _name, pid: _pid, hostname: _hostname, ...facts }: Readonly<Record<string, unknown>>, colorize: boolean): string {
  const [label, color] = levels[level as keyof typeof levels];
  // An error is told by its stack; what else it holds is a fact.
  const { stack, type: _type, message: _message, ...errorFacts } = isStack(err) ? err : { stack: '', ...(err !== undefined && { err }) };
  const all = { ...errorFacts, ...facts };
  const words = [
    `[${localTime(time as number)}]`,
    `${colorize ? styleText(color, label, { validateStream: false }) : label}:`,
    ...(msg === undefined ? [] : [typeof msg === 'string' ? msg : JSON.stringify(msg)]),
    ...(Object.keys(all).length === 0 ? [] : [JSON.stringify(all)]),
    ...(stack === '' ? [] : [`\n${stack}`]),
  ];
  // Indented, so that nothing that is told can look like the next entry.
  return words.join(' ').replaceAll(/ ?\n/g, '\n    ').trimEnd();
}

function isStack(err: unknown): err is { readonly stack: string; readonly type?: unknown; readonly message?: unknown } {
  return typeof err === 'object' && err !== null && 'stack' in err && typeof err.stack === 'string';
}

/** `2026-11-22 16:23:54.871` where this process runs. @throws RangeError for what is no time */
function localTime(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, -1).replace('T', ' ');
}
