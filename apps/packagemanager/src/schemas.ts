// A schema is stored before its package comes into use, and a crash between the two leaves the new schema with the old
// package. So at each start dbmanager is told again what belongs to the packages that are in use; and also when it has lost a schema,
// as with its file: without it every value is taken unchecked.
import { setTimeout as delay } from 'node:timers/promises';
import type { Manifest } from '@majordomus/contracts';
import { reasonOf, type Log } from '@majordomus/runtime';
import type { PackageStore } from './package-store.ts';

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** A look is one question; what is set meanwhile is not checked. */
const defaultLookEveryMs = 5000;

export interface RenewOptions {
  readonly store: PackageStore;
  readonly registerSchema: (manifest: Manifest, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface KeepOptions extends RenewOptions {
  /** Whether dbmanager has any schema of a plugin. */
  readonly hasSchema: (plugin: string, signal: AbortSignal) => Promise<boolean>;
  /** How often one package is looked at, each in its turn. */
  readonly lookEveryMs?: number;
}

/** Gives every schema, and all of them again whenever one is missing; fulfilled when the signal fires. */
export async function keepSchemas(options: KeepOptions): Promise<void> {
  const { store, hasSchema, lookEveryMs = defaultLookEveryMs, log, signal } = options;
  await renewSchemas(options);
  for (let look = 0; !signal.aborted; look += 1) {
    await delay(lookEveryMs, undefined, { signal }).catch(() => {});
    try {
      const packages = await store.list();
      const next = packages[look % packages.length];
      if (signal.aborted || next === undefined || (await hasSchema(next.name, signal))) continue;
      log.warn(`dbmanager has lost the configuration items of ${next.name}; it is given those of all plugins again`);
      await renewSchemas(options);
    } catch (error) {
      if (!signal.aborted) log.debug(`cannot see whether dbmanager has the configuration items of the plugins: ${reasonOf(error)}`);
    }
  }
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
