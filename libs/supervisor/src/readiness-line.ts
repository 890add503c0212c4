// The check of what a child says on file descriptor 3; the other end is @majordomus/runtime's openReadiness, or a program in
// any language. What is not a message is nothing.
import type { ReadinessMessage } from '@majordomus/runtime';
import { escapeControls } from '@majordomus/runtime';
import { cutLine } from './lines.ts';

/** The longest line on file descriptor 3, in characters. */
export const readinessLineLimit = 4096;
const reasonLimit = 500;

/** The message, or undefined if the line is none. */
export function parseReadiness(line: string): ReadinessMessage | undefined {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(message)) return undefined;
  const { state, reason, facts } = message;
  switch (state) {
    case 'starting':
    case 'alive':
      return { state };
    case 'ready':
      if (facts === undefined) return { state };
      return isFacts(facts) ? { state, facts } : undefined;
    case 'not-ready':
      return typeof reason === 'string' ? { state, reason: cutLine(escapeControls(reason), reasonLimit) } : undefined;
    default:
      return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFacts(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((fact) => typeof fact === 'string');
}
