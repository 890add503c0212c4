// What was thrown, in words for a person.
import { getSystemErrorMessage, inspect } from 'node:util';

/** Whether an error comes from the operating system; with codes, whether it is one of these. */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return false;
  return codes.length === 0 || codes.includes(String(error.code));
}

/** The reason of a failed file operation, without its path: `no space left on device (ENOSPC)`. */
export function systemReason(error: unknown): string {
  if (!isSystemError(error)) return reasonOf(error);
  // Node's own errors of this kind have it without the sign.
  return `${typeof error.errno === 'number' ? getSystemErrorMessage(-Math.abs(error.errno)) : error.message} (${error.code})`;
}

/** The message of an error; anything else that was thrown as text. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return typeof thrown === 'string' ? thrown : inspect(thrown);
}
