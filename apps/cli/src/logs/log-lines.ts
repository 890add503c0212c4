// Lines of several logs as one: by the time at their beginning, with what belongs together left together. Pure.

/** pino's levels, from the least to the most severe. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogLine {
  /** The part or plugin. */
  readonly name: string;
  /** As it is printed, `2026-11-22 16:23:54.871`; what has none takes that of the line before it. */
  readonly time: string;
  readonly level: LogLevel;
  readonly text: string;
}

const entry = /^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})\] ([A-Z]+):/;

/** Reads the lines of one log, chunk by chunk: a line that is no entry belongs to the entry before it. */
export class LogReader {
  readonly #name: string;
  #time = '';
  #level: LogLevel = 'info';

  constructor(name: string) {
    this.#name = name;
  }

  read(lines: readonly string[]): LogLine[] {
    return lines.map((text) => {
      const [, time, word = ''] = entry.exec(text) ?? [];
      // A stack is indented; anything else without a time was printed by itself.
      if (time === undefined && !text.startsWith(' ')) this.#level = 'info';
      if (time !== undefined) {
        // A clock that was set back does not change the order within a log.
        if (time > this.#time) this.#time = time;
        this.#level = logLevels.find((level) => level === word.toLowerCase()) ?? 'info';
      }
      return { name: this.#name, time: this.#time, level: this.#level, text };
    });
  }
}

/** All lines in the order of their times; each log keeps its own order. */
export function interleave(logs: readonly (readonly LogLine[])[]): LogLine[] {
  return logs.flat().sort((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0));
}

/** Whether a line is at least as severe. */
export function isAtLeast(line: LogLine, level: LogLevel): boolean {
  return logLevels.indexOf(line.level) >= logLevels.indexOf(level);
}

/** What comes after the last line that was already seen; all of it if that is not there any more. */
export function linesAfter(lines: readonly string[], seen: string | undefined): readonly string[] {
  return seen === undefined ? lines : lines.slice(lines.lastIndexOf(seen) + 1);
}
