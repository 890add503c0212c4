// The log of a process: JSON lines on standard output, which a supervisor turns into text; text at once on a terminal.
import { pino, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** A leveled, structured log: `log.info({ port }, 'listening')`. */
export type Log = Logger;

/** The log of the part `name`; as readable text when `asText`. */
export function createLog(name: string, level: string, asText = process.stdout.isTTY): Log {
  const out = pino.destination({ fd: 1, sync: true });
  if (!asText) return pino({ name, level, base: { name } }, out);
  const text = logText(process.stdout.isTTY);
  return pino({ name, level, base: { name } }, { write: (line: string) => out.write(`${text(line)}\n`) });
}

/** A log that says nothing. */
export const silentLog: Log = pino({ level: 'silent' });

/** Turns one line that a process printed into one line of text; what is not ours passes as it is. */
export function logText(colorize: boolean): (line: string) => string {
  const pretty = prettyFactory({ colorize, translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l', ignore: 'pid,hostname,name', singleLine: true });
  return (line) => (line.startsWith('{"level":') ? pretty(line) : line).trimEnd();
}
