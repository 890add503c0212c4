// From one release of a plugin to another, and back if it does not become well. What is under way is on disk before anything
// that the house can see (change-file.ts), so that whoever finds it after a crash brings it to its end: at the end the
// release, its schema and its values belong together.
import { setTimeout as delay } from 'node:timers/promises';
import { ActionFailure, pluginInstall, problemsText, refuse } from '@majordomus/contracts';
import { CallError, PeerError } from '@majordomus/mq';
import { orAborted, reasonOf, type Log } from '@majordomus/runtime';
import type { Change } from './change-file.ts';
import type { HealthGate } from './health-gate.ts';
import { demandOf, type Demand } from './health.ts';
import type { BeforeEffect, Effect, Found, PackageStore } from './package-store.ts';
import { configurationNeeds, type PluginConfiguration, type Values } from './plugin-configuration.ts';
import type { PluginProcesses } from './plugin-process.ts';

type Installed = Extract<Found, { state: 'installed' }>;

export interface ChangeOverOptions {
  readonly store: PackageStore;
  readonly configuration: PluginConfiguration;
  readonly processes: PluginProcesses;
  readonly gate: HealthGate;
  readonly log: Log;
  readonly beforeEffect?: BeforeEffect | undefined;
  /** How long dbmanager is waited for when a version is put back; after that it is tried again later (default 15 s). */
  readonly restoreLimitMs?: number;
  /** Called for a plugin whose change could not be ended now. */
  readonly onUnended?: (name: string) => void;
}

export interface Step {
  /** What is installed, and for whom. */
  readonly job: string;
  readonly source: string;
  /** What is in use until now, and what is to be. */
  readonly former: Found;
  readonly next: Installed;
  /** Values that are set with it. */
  readonly values?: Values | undefined;
  readonly by?: string | undefined;
  /** Whether a plugin that runs goes over to it now. */
  readonly restart: boolean;
  /** Whether values that it does not take go back to what they were when it was last in use. */
  readonly revertsUnfit?: boolean;
  readonly signal: AbortSignal;
  /** Called when the plugin is restarted as the new version. */
  readonly onGate: () => void;
}

const retryMs = 300;
/** How many lines of what a version printed are told; its whole log is in a file. */
const toldLines = 20;

/** Whoever calls a method holds the turn of the package. */
export class ChangeOver {
  readonly #options: ChangeOverOptions;

  constructor(options: ChangeOverOptions) {
    this.#options = options;
  }

  /** Brings `next` into use. @throws ActionFailure with a code of `plugin.install`; what a failed write throws */
  async run(step: Step): Promise<void> {
    const { former, next, values = {}, restart, signal } = step;
    const { processes } = this.#options;
    const { name } = next.installed;
    if (former.state !== 'installed' || former.release === next.release) return await this.#simply(step);
    const demand = restart ? await this.#asked('the manager', async () => demandOf((await processes.status(name, signal))?.state ?? 'stopped')) : 'none';
    await this.#check(step, demand);
    const latest = await this.#asked('dbmanager', () => this.#options.configuration.latest(name, signal));
    const logFrom = demand === 'none' ? undefined : await processes.logEnd(name, signal);
    const change: Change = {
      job: step.job, source: step.source, from: former.release, to: next.release, demand, latest, direction: 'forth',
      setsValues: Object.keys(values).length > 0 || step.revertsUnfit === true,
      ...(logFrom !== undefined && { logFrom }),
    };
    try {
      await this.#options.store.noteChange(name, change);
      await this.#configure(step);
      await this.#options.store.activate(name, next.release);
    } catch (error) {
      await this.#undo(name, change);
      throw error;
    }
    await this.#judge(name, change, signal, step.onGate);
  }

  /** Ends a change that a crash left; false if that has to be tried again. @throws ActionFailure NOT_HEALTHY; what a failed write throws */
  async resume(name: string, signal: AbortSignal, onGate: () => void): Promise<boolean> {
    const { store } = this.#options;
    const change = await store.change(name);
    if (change === undefined) return true;
    const [current, previous] = await Promise.all([store.find(name), store.previous(name)]);
    const isSwitched = current.state !== 'absent' && (current.state === 'damaged' || current.release === change.to);
    if (change.direction === 'back') {
      if (!(await this.#putBack(name, change, signal))) return false;
      throw await this.#notHealthy(name, change, true);
    }
    if (!isSwitched) {
      if (!(await this.#undo(name, change))) return false;
      throw refuse(pluginInstall, 'INTERRUPTED', 'packagemanager was stopped during the installation; what was installed before is untouched; install again');
    }
    // The verdict had been given.
    if (previous.state === 'installed' && previous.release === change.from) await this.#end(name);
    else await this.#judge(name, change, signal, onGate);
    return true;
  }

  /** Ends a change that is still under way, however that ends, so that another one can begin. @throws ActionFailure SCHEMA_NOT_STORED */
  async settle(name: string, signal: AbortSignal): Promise<void> {
    try {
      if (await this.resume(name, signal, () => {})) return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ActionFailure)) throw error;
      return;
    }
    throw refuse(pluginInstall, 'SCHEMA_NOT_STORED', `an earlier installation of ${name} could not be undone yet, for dbmanager does not take its configuration; see that it runs, and install again`);
  }

  get #restoreLimitMs(): number {
    return this.#options.restoreLimitMs ?? 15_000;
  }

  /** Where nothing is there to go back to, or it is the very same. */
  async #simply(step: Step): Promise<void> {
    const { former, next } = step;
    const { store, configuration } = this.#options;
    await this.#check(step, 'none');
    try {
      await this.#configure(step);
      await store.activate(next.installed.name, next.release);
    } catch (error) {
      // If not now, then at the next start.
      if (former.state === 'installed') await configuration.setSchema(former.manifest, AbortSignal.timeout(2000)).catch(() => {});
      throw error;
    }
    await store.prune(next.installed.name);
  }

  /** Refuses what would not work, before anything is changed. */
  async #check({ next, values = {}, signal }: Step, demand: Demand): Promise<void> {
    if (demand !== 'running' && Object.keys(values).length === 0) return;
    const { name, version } = next.installed;
    const set = await this.#asked('dbmanager', () => this.#options.configuration.values(name, signal));
    const { wrong, needed } = configurationNeeds(next.manifest.configuration, set, values);
    if (Object.keys(wrong).length > 0) {
      throw refuse(pluginInstall, 'CONFIG_INVALID', `${name} ${version} does not take these values: ${problemsText(wrong)}; nothing was changed`, { fields: wrong });
    }
    if (demand !== 'running' || Object.keys(needed).length === 0) return;
    const words = Object.keys(needed).map((key) => `--set ${key}=VALUE`).join(' ');
    throw refuse(pluginInstall, 'CONFIG_NEEDED', `${name} ${version} would not run with its configuration as it is: ${problemsText(needed)}; nothing was changed; give it with the installation: ${words}`, { fields: needed });
  }

  /** The schema first, so that values are checked by it. */
  async #configure({ next, values = {}, by, revertsUnfit = false, signal }: Step): Promise<void> {
    const { configuration } = this.#options;
    await this.#before('store schema', signal);
    await this.#asked('dbmanager', () => configuration.setSchema(next.manifest, signal), `did not take the configuration items of ${next.installed.name}`);
    if (Object.keys(values).length > 0 || revertsUnfit) {
      await this.#before('set values', signal);
      await this.#asked('dbmanager', () => configuration.set(next.installed.name, values, by, signal), `did not take the values of ${next.installed.name}`);
      if (revertsUnfit) await this.#asked('dbmanager', () => configuration.revertUnfit(next.manifest, next.record?.leftAt, by, signal));
    }
    signal.throwIfAborted();
  }

  /** Through the gate, and then to one of the two ends. */
  async #judge(name: string, change: Change, signal: AbortSignal, onGate: () => void): Promise<void> {
    const { gate, store, log, onUnended = () => {} } = this.#options;
    if (change.demand !== 'none') {
      onGate();
      try {
        await this.#before('restart', signal);
        const verdict = await gate.pass(name, change, signal);
        if (verdict.is === 'ill') return await this.#goBack(name, change, verdict.reason, signal);
        if (verdict.is === 'left') log.info({ plugin: name }, `${name} was stopped by hand before its new version could be judged; it stays`);
      } catch (error) {
        if (!signal.aborted || error instanceof ActionFailure) throw error;
        throw refuse(pluginInstall, 'INTERRUPTED', `packagemanager stopped while it waited for the new version of ${name} to be ready; it goes on with that when it runs again`, {}, { cause: error });
      }
    }
    try {
      await store.keepPrevious(name, change.from, change.latest);
      await this.#end(name);
    } catch (error) {
      log.warn({ err: error }, `the change of ${name} to ${change.to} could not be ended; it is tried again`);
      onUnended(name);
    }
  }

  async #goBack(name: string, change: Change, reason: string, signal: AbortSignal): Promise<never> {
    const { store, processes, log, onUnended = () => {} } = this.#options;
    const lines = await processes.logSince(name, change.logFrom, signal);
    await store.keepFailedLog(name, [`${new Date().toISOString()} ${name} ${change.to} ${reason}`, ...lines]).catch((error: unknown) => {
      log.warn({ err: error }, `what ${name} ${change.to} printed could not be kept`);
    });
    const back: Change = { ...change, direction: 'back', reason };
    // On a full disk it is not written, and still there is a way back.
    await store.noteChange(name, back).catch((error: unknown) => log.warn({ err: error }, `that ${name} goes back to ${change.from} could not be written down`));
    let isWhole = false;
    try {
      isWhole = await this.#putBack(name, back, signal);
    } finally {
      if (!isWhole) onUnended(name);
    }
    throw await this.#notHealthy(name, back, isWhole, lines);
  }

  /** The former release, its schema, its values, and its process again; whether all of that could be done. Each part may be done already. */
  async #putBack(name: string, change: Change, signal: AbortSignal): Promise<boolean> {
    const { store, processes, log } = this.#options;
    await store.activate(name, change.from, 'back');
    const isRestored = await this.#restore(name, change, AbortSignal.any([signal, AbortSignal.timeout(this.#restoreLimitMs)]));
    if (change.demand !== 'none') {
      try {
        await this.#before('restart former');
        await processes.restart(name, signal);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        log.warn({ plugin: name }, `${name} could not be started as ${change.from} again, and is when the manager is back: ${reasonOf(error)}`);
      }
    }
    if (isRestored) await this.#end(name);
    return isRestored;
  }

  /** What was begun and not switched: the former release is in use, and only the configuration has to be its own again. */
  async #undo(name: string, change: Change): Promise<boolean> {
    try {
      if ((await this.#options.store.change(name)) === undefined) return true;
      const isRestored = await this.#restore(name, change, AbortSignal.timeout(this.#restoreLimitMs), change.setsValues);
      if (isRestored) await this.#end(name);
      else this.#options.onUnended?.(name);
      return isRestored;
    } catch (error) {
      this.#options.log.warn({ err: error }, `the configuration of ${name} could not be put back yet; it is tried again`);
      this.#options.onUnended?.(name);
      return false;
    }
  }

  /** Schema and values of the former release, tried for as long as the limit lasts. */
  async #restore(name: string, change: Change, limit: AbortSignal, withValues = true): Promise<boolean> {
    const { store, configuration, log } = this.#options;
    const former = await store.release(name, change.from);
    for (;;) {
      try {
        limit.throwIfAborted();
        await this.#before('restore schema');
        if (former.state === 'installed') await configuration.setSchema(former.manifest, limit);
        if (!withValues || change.latest === undefined) return true;
        await this.#before('revert values');
        const reverted = await configuration.revert(name, change.latest, limit);
        if (reverted.length > 0) log.info({ plugin: name }, `${name} has these values as they were before: ${reverted.join(', ')}`);
        return true;
      } catch (error) {
        if (error instanceof PeerError && (error.code === 'HISTORY_NOT_FOUND' || error.code === 'CONFIG_INVALID' || error.code === 'SECRET_UNREADABLE')) {
          log.warn({ plugin: name }, `the values of ${name} stay as they are: ${error.message}`);
          return true;
        }
        if (!limit.aborted && !(error instanceof CallError)) throw error;
        if (limit.aborted) {
          log.warn({ plugin: name }, `the configuration of ${name} could not be put back yet; it is tried again: ${reasonOf(error)}`);
          return false;
        }
        await orAborted(delay(retryMs), limit).catch(() => {});
      }
    }
  }

  async #end(name: string): Promise<void> {
    await this.#options.store.endChange(name);
    await this.#options.store.prune(name);
  }

  async #notHealthy(name: string, { from, to, reason = 'did not become well' }: Change, isWhole: boolean, lines?: readonly string[]): Promise<ActionFailure> {
    const { store } = this.#options;
    const log = (lines ?? (await store.readFailedLog(name))).slice(-toldLines);
    const back = isWhole ? `${versionOf(from)} is back, with its configuration` : `${versionOf(from)} is back, and its configuration will be when dbmanager takes it`;
    return refuse(pluginInstall, 'NOT_HEALTHY', `${name} ${versionOf(to)} ${reason}; ${back}; what it printed is in ${store.failedLog(name)}`, { log: [...log] });
  }

  /** What another part refuses or does not answer ends an installation in our words. */
  async #asked<T>(who: 'dbmanager' | 'the manager', ask: () => Promise<T>, what = 'did not answer'): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      if (!(cause instanceof CallError)) throw cause;
      if (who === 'dbmanager') throw refuse(pluginInstall, 'SCHEMA_NOT_STORED', `${who} ${what}: ${cause.message}; see that it runs, and install again`, {}, { cause });
      throw new ActionFailure('UNAVAILABLE', `the manager does not tell how the plugin is: ${cause.message}; nothing was changed; see that it runs, and install again`, {}, { cause });
    }
  }

  async #before(effect: Effect, signal?: AbortSignal): Promise<void> {
    await this.#options.beforeEffect?.(effect);
    signal?.throwIfAborted();
  }
}

/** `1.0.0` of the release `1.0.0-8f77a0d67bba`. */
function versionOf(release: string): string {
  return release.replace(/-[^-]*$/, '');
}
