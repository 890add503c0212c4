// How a command fails: `CODE: reason` on standard error, with a hint where one is known, and exit code 1.
import { CallError, PeerError, TransportError } from '@majordomus/mq';
import { escapeControls, StartError } from '@majordomus/runtime';
import { shownText } from './output.ts';
import { asTyped } from './own-files.ts';

/** A person's mistake that the command line finds by itself. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;
  /** The last lines of what failed, to be shown after the reason. */
  readonly log: readonly string[];

  constructor(code: string, message: string, { log = [], ...options }: ErrorOptions & { readonly log?: readonly string[] } = {}) {
    super(message, options);
    this.code = code;
    this.log = log;
  }
}

function isExpected(error: unknown): error is Error & { readonly code: string } {
  return error instanceof CallError || error instanceof TransportError || error instanceof StartError || error instanceof CommandError;
}

/** What a version of a plugin printed that did not become well, beside the reason. */
function logOf(error: unknown): readonly string[] {
  if (error instanceof CommandError) return error.log;
  const log = error instanceof PeerError ? error.details['log'] : undefined;
  return Array.isArray(log) ? log.map(String) : [];
}

/** Prints an error as one line, a bug with its stack; the exit code is 1. */
export function reportFailure(error: unknown): void {
  const text = isExpected(error) ? `${error.code}: ${error.message}` : error instanceof Error ? (error.stack ?? error.message) : String(error);
  // What another peer says is one line; what this program says may be more.
  process.stderr.write(`${asTyped(error instanceof PeerError ? escapeControls(text) : shownText(text))}\n`);
  for (const line of logOf(error)) process.stderr.write(`  ${escapeControls(line)}\n`);
  process.exitCode = 1;
}
