// How a command fails: `CODE: reason` on standard error, with a hint where one is known, and exit code 1.
import { CallError, PeerError, TransportError } from '@majordomus/mq';
import { escapeControls, StartError } from '@majordomus/runtime';
import { shownText } from './output.ts';

/** A person's mistake that the command line finds by itself. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

function isExpected(error: unknown): error is Error & { readonly code: string } {
  return error instanceof CallError || error instanceof TransportError || error instanceof StartError || error instanceof CommandError;
}

/** Prints an error as one line, a bug with its stack; the exit code is 1. */
export function reportFailure(error: unknown): void {
  const text = isExpected(error) ? `${error.code}: ${error.message}` : error instanceof Error ? (error.stack ?? error.message) : String(error);
  // What another peer says is one line; what this program says may be more.
  process.stderr.write(`${error instanceof PeerError ? escapeControls(text) : shownText(text)}\n`);
  process.exitCode = 1;
}
