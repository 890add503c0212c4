// How long a DEALER waits before it connects again: twice as long after each try, within a limit, and never twice the same,
// so that many who lost the same broker do not come back all at once. Pure: it takes its randomness.

export interface ReconnectPauses {
  /** The pause after the first try, in ms. */
  readonly first: number;
  /** The longest pause, in ms. */
  readonly longest: number;
}

/**
 * @param attempt pauses before this one, since there was a connection
 * @param random from 0 up to 1; the pause is between half and the whole of what the tries ask for
 */
export function reconnectPauseMs(attempt: number, { first, longest }: ReconnectPauses, random: number): number {
  return Math.min(longest, first * 2 ** attempt) * (0.5 + random / 2);
}
