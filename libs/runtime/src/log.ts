// The log of a process: JSON lines on standard output, which a supervisor turns into text; text at once on a terminal.
import { pino, type Logger } from 'pino';
import { logText } from './log-text.ts';

/** A leveled, structured log: `log.info({ port }, 'listening')`. */
export type Log = Logger;

/** The log of the part `name`; as readable text when `asText`, which goes to `print` if there is one, with the entry as JSON. */
export function createLog(name: string, level: string, asText = process.stdout.isTTY, print?: (text: string, entry: string) => void): Log {
  const out = pino.destination({ fd: 1, sync: true });
  if (!asText) return pino({ name, level, base: { name } }, out);
  const text = logText(process.stdout.isTTY);
  const write: (shown: string, entry: string) => void = print ?? ((shown) => out.write(`${shown}\n`));
  return pino({ name, level, base: { name } }, { write: (line: string) => write(text(line), line) });
}

/** A log that says nothing. */
export const silentLog: Log = pino({ level: 'silent' });
