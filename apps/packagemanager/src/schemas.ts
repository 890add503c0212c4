// A schema is stored before its package comes into use, and a crash between the two leaves the new schema with the old
// package. So at each start dbmanager is told again what belongs to the packages that are in use.
import { setTimeout as delay } from 'node:timers/promises';
import type { Manifest } from '@majordomus/contracts';
import { reasonOf, type Log } from '@majordomus/runtime';
import type { PackageStore } from './package-store.ts';

const firstPauseMs = 500;
const longestPauseMs = 30_000;

export interface RenewOptions {
  readonly store: PackageStore;
  readonly registerSchema: (manifest: Manifest, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Fulfilled when dbmanager has taken every schema, or the signal fires; it is tried for as long as that takes. */
export async function renewSchemas({ store, registerSchema, log, signal }: RenewOptions): Promise<void> {
  let pending = (await store.list()).map(({ name }) => name);
  for (let pauseMs = firstPauseMs; pending.length > 0 && !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const failed: string[] = [];
    for (const name of pending) {
      try {
        using _turn = await store.turn(name, signal);
        const found = await store.find(name);
        if (found.state === 'installed') await registerSchema(found.manifest, signal);
      } catch (error) {
        if (signal.aborted) return;
        log.debug({ package: name }, `dbmanager did not take the configuration items of ${name} yet: ${reasonOf(error)}`);
        failed.push(name);
      }
    }
    pending = failed;
    if (pending.length > 0) await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}
