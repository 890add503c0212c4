// The folder of the packages, which somebody may delete under a running house: that is said, and what every plugin finds in it is
// there again. The packages themselves come back only when they are installed again.
import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf, type Log } from '@majordomus/runtime';
import { exists } from './durable.ts';

const defaultLookEveryMs = 5000;

export interface KeptFolder {
  readonly folder: string;
  /** Makes it anew; may be called while it is there. */
  readonly restore: () => Promise<void>;
  readonly log: Pick<Log, 'error'>;
  readonly signal: AbortSignal;
  readonly lookEveryMs?: number;
}

/** Fulfilled when the signal fires. */
export async function keepFolder({ folder, restore, log, signal, lookEveryMs = defaultLookEveryMs }: KeptFolder): Promise<void> {
  while (!signal.aborted) {
    await delay(lookEveryMs, undefined, { signal }).catch(() => {});
    if (signal.aborted || (await exists(folder))) continue;
    try {
      await restore();
      log.error(`the folder ${folder} was deleted under the house, and what was installed with it; it is there again, empty: install the plugins again, their configuration is kept`);
    } catch (error) {
      if (!signal.aborted) log.error(`the folder ${folder} was deleted under the house, and cannot be made again: ${reasonOf(error)}`);
    }
  }
}
