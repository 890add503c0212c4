// The way back from a new release of a plugin to the former one: the release, its schema, its values and its process belong together
// again (docs/packages.md, "The health gate"). Each part is tried again until it is done, and may be done already.
import { setTimeout as delay } from 'node:timers/promises';
import { pluginInstall, problemsText, refuse, type ActionFailure, type FieldProblems } from '@majordomus/contracts';
import { CallError } from '@majordomus/mq';
import { orAborted, reasonOf, type Log } from '@majordomus/runtime';
import type { Change } from './change-file.ts';
import { isLeft } from './health.ts';
import type { BeforeEffect, Effect } from './effects.ts';
import type { PackageStore } from './package-store.ts';
import type { PluginConfiguration } from './plugin-configuration.ts';
import type { PluginProcesses } from './plugin-process.ts';
import { versionOf } from './release-record.ts';

export interface WayBackOptions {
  readonly store: PackageStore;
  readonly configuration: PluginConfiguration;
  readonly processes: PluginProcesses;
  readonly log: Log;
  readonly beforeEffect?: BeforeEffect | undefined;
  /** How long dbmanager is waited for when a version is put back; after that it is tried again later (default 15 s). */
  readonly restoreLimitMs?: number;
  /** Called for a plugin whose change could not be ended now. */
  readonly onUnended?: (name: string) => void;
}

/** Whether the configuration of the former release is its own again, and which values had to stay as they are. */
interface Restored {
  readonly isWhole: boolean;
  readonly stayed: FieldProblems;
}

const notRestored: Restored = { isWhole: false, stayed: {} };

const retryMs = 300;
/** How many lines of what a version printed are told; its whole log is in a file. */
const toldLines = 20;

/** Whoever calls a method holds the turn of the package. */
export class WayBack {
  readonly #options: WayBackOptions;

  constructor(options: WayBackOptions) {
    this.#options = options;
  }

  /** Puts the former release back and says why. @throws ActionFailure NOT_HEALTHY; what a failed switch of the link throws */
  async take(name: string, change: Change, reason: string, signal: AbortSignal): Promise<never> {
    const { store, processes, log, onUnended = () => {} } = this.#options;
    const lines = await processes.logSince(name, change.logFrom, signal);
    await store.keepFailedLog(name, [`${new Date().toISOString()} ${name} ${change.to} ${reason}`, ...lines]).catch((error: unknown) => {
      log.warn({ err: error }, `what ${name} ${change.to} printed could not be kept`);
    });
    const back: Change = { ...change, direction: 'back', reason };
    // On a full disk it is not written, and still there is a way back.
    await store.noteChange(name, back).catch((error: unknown) => log.warn({ err: error }, `that ${name} goes back to ${change.from} could not be written down`));
    let restored = notRestored;
    try {
      restored = await this.#putBack(name, back, signal);
    } finally {
      if (!restored.isWhole) onUnended(name);
    }
    throw await this.#notHealthy(name, back, restored, lines);
  }

  /** Goes on with a way back that a crash cut off; fulfilled if it has to be tried again. @throws ActionFailure NOT_HEALTHY; what a failed write throws */
  async resume(name: string, change: Change, signal: AbortSignal): Promise<void> {
    const restored = await this.#putBack(name, change, signal);
    if (restored.isWhole) throw await this.#notHealthy(name, change, restored);
  }

  /** What was begun and not switched: the former release is in use, and only the configuration has to be its own again; whether it is. It never fails. */
  async undo(name: string, change: Change): Promise<boolean> {
    try {
      if ((await this.#options.store.change(name)) === undefined) return true;
      const { isWhole } = await this.#restore(name, change, AbortSignal.timeout(this.#restoreLimitMs), change.setsValues);
      if (isWhole) await this.#options.store.endChange(name);
      else this.#options.onUnended?.(name);
      return isWhole;
    } catch (error) {
      this.#options.log.warn({ err: error }, `the configuration of ${name} could not be put back yet; it is tried again`);
      this.#options.onUnended?.(name);
      return false;
    }
  }

  get #restoreLimitMs(): number {
    return this.#options.restoreLimitMs ?? 15_000;
  }

  /** The former release, its schema, its values, and its process again, as far as that could be done. Each part may be done already. */
  async #putBack(name: string, change: Change, signal: AbortSignal): Promise<Restored> {
    const { store, processes, log } = this.#options;
    await store.activate(name, change.from, 'back');
    const restored = await this.#restore(name, change, AbortSignal.any([signal, AbortSignal.timeout(this.#restoreLimitMs)]));
    if (change.demand !== 'none') {
      try {
        await this.#before('restart former');
        if (!isLeft(await processes.status(name, signal))) await processes.restart(name, signal);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        log.warn({ plugin: name }, `${name} could not be started as ${change.from} again, and is when the manager is back: ${reasonOf(error)}`);
      }
    }
    if (restored.isWhole) await this.#options.store.endChange(name);
    return restored;
  }

  /** Schema and values of the former release, tried for as long as the limit lasts. */
  async #restore(name: string, change: Change, limit: AbortSignal, withValues = true): Promise<Restored> {
    const { store, configuration, log } = this.#options;
    const former = await store.release(name, change.from);
    for (;;) {
      try {
        limit.throwIfAborted();
        await this.#before('restore schema');
        if (former.state === 'installed') await configuration.setSchema(former.manifest, limit);
        if (!withValues || change.latest === undefined) return { isWhole: true, stayed: {} };
        await this.#before('revert values');
        const { changed, stayed } = await configuration.revert(name, change.latest, limit);
        if (changed.length > 0) log.info({ plugin: name }, `${name} has these values as they were before: ${changed.join(', ')}`);
        if (Object.keys(stayed).length > 0) log.warn({ plugin: name }, `these values of ${name} stay as they are, for they cannot be as they were: ${problemsText(stayed)}`);
        return { isWhole: true, stayed };
      } catch (error) {
        if (!limit.aborted && !(error instanceof CallError)) throw error;
        if (limit.aborted) {
          log.warn({ plugin: name }, `the configuration of ${name} could not be put back yet; it is tried again: ${reasonOf(error)}`);
          return notRestored;
        }
        await orAborted(delay(retryMs), limit).catch(() => {});
      }
    }
  }

  async #notHealthy(name: string, { from, to, reason = 'did not become well' }: Change, { isWhole, stayed }: Restored, lines?: readonly string[]): Promise<ActionFailure> {
    const { store } = this.#options;
    const log = (lines ?? (await store.readFailedLog(name))).slice(-toldLines);
    const except = Object.keys(stayed).length === 0 ? '' : `, except what cannot be as it was and so stays as it is: ${problemsText(stayed)}`;
    const back = isWhole ? `${versionOf(from)} is back, with its configuration${except}` : `${versionOf(from)} is back, and its configuration will be when dbmanager takes it`;
    return refuse(pluginInstall, 'NOT_HEALTHY', `${name} ${versionOf(to)} ${reason}; ${back}; what it printed is in ${store.failedLog(name)}`, { log: [...log] });
  }

  async #before(effect: Effect): Promise<void> {
    await this.#options.beforeEffect?.(effect);
  }
}
