// The folder of the packages, which somebody may delete under a running house: that is said, and what every plugin finds in it is
// there again. The packages themselves come back only when they are installed again.
import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf, type Log } from '@majordomus/runtime';
import { exists } from './durable.ts';

const defaultLookEveryMs = 5000;

export interface KeptFolder {
  readonly folder: string;
  /** Makes it anew, and says so; may be called while it is there. */
  readonly restore: () => Promise<void>;
  readonly log: Pick<Log, 'error'>;
  readonly signal: AbortSignal;
  readonly lookEveryMs?: number;
}

/** What is said when it was made anew. */
export function restoredText(folder: string): string {
  return `the folder ${folder} was deleted under the house, and what was installed with it; it is there again, empty: install the plugins again, their configuration is kept`;
}

/** Fulfilled when the signal fires. What cannot be done is said once, until it is done. */
export async function keepFolder({ folder, restore, log, signal, lookEveryMs = defaultLookEveryMs }: KeptFolder): Promise<void> {
  let isTold = false;
  while (!signal.aborted) {
    await delay(lookEveryMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      if (!(await exists(folder))) await restore();
      isTold = false;
    } catch (error) {
      if (signal.aborted || isTold) continue;
      isTold = true;
      log.error(`the folder ${folder} is gone or cannot be seen, and cannot be made again: ${reasonOf(error)}; see to that: it is tried until it is there`);
    }
  }
}
