// What the operating system said, in words for a person: "no space left on device (ENOSPC)".
import { getSystemErrorMessage } from 'node:util';

/** Whether an error comes from the operating system; with codes, whether it is one of these. */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return false;
  return codes.length === 0 || codes.includes(String(error.code));
}

/** The reason of a failed file operation, without its path. */
export function systemReason(error: unknown): string {
  if (!isSystemError(error)) return error instanceof Error ? error.message : String(error);
  return `${typeof error.errno === 'number' ? getSystemErrorMessage(error.errno) : error.message} (${error.code})`;
}
