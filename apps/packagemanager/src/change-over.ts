// From one release of a plugin to another, and back if it does not become well (way-back.ts). What is under way is on disk before anything
// that the house can see (change-file.ts), so that whoever finds it after a crash brings it to its end: at the end the
// release, its schema and its values belong together.
import { ActionFailure, pluginInstall, problemsText, refuse, type PluginStatus } from '@majordomus/contracts';
import { CallError } from '@majordomus/mq';
import type { Change } from './change-file.ts';
import type { HealthGate } from './health-gate.ts';
import { demandOf, type Demand } from './health.ts';
import type { Effect } from './effects.ts';
import type { Found } from './found.ts';
import { configurationNeeds, type Values } from './plugin-configuration.ts';
import { versionOf, type ReleaseRecord } from './release-record.ts';
import { WayBack, type WayBackOptions } from './way-back.ts';

type Installed = Extract<Found, { state: 'installed' }>;

export interface ChangeOverOptions extends WayBackOptions {
  readonly gate: HealthGate;
}

export interface Step {
  /** What is installed, and for whom. */
  readonly job: string;
  readonly source: string;
  /** What is in use until now, and what is to be. */
  readonly former: Found;
  readonly next: Installed;
  /** Where it came from, to be noted when nothing speaks against it. */
  readonly record?: ReleaseRecord | undefined;
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

/** Whoever calls a method holds the turn of the package. */
export class ChangeOver {
  readonly #options: ChangeOverOptions;
  readonly #wayBack: WayBack;

  constructor(options: ChangeOverOptions) {
    this.#options = options;
    this.#wayBack = new WayBack(options);
  }

  /** Brings `next` into use. @throws ActionFailure with a code of `plugin.install`; what a failed write throws */
  async run(step: Step): Promise<void> {
    const { former, next, values = {}, restart, signal } = step;
    const { processes } = this.#options;
    const { name } = next.installed;
    if (former.state !== 'installed' || former.release === next.release) return await this.#simply(step);
    const seen = await this.#asked('the manager', () => processes.status(name, signal));
    const demand = restart ? demandOf(seen?.state ?? 'stopped') : 'none';
    await this.#check(step, demand);
    const keeps = restart ? former.release : await this.#runningRelease(name, former.release, seen);
    const latest = await this.#asked('dbmanager', () => this.#options.configuration.latest(name, signal));
    const logFrom = demand === 'none' ? undefined : await processes.logEnd(name, signal);
    const change: Change = {
      job: step.job, source: step.source, from: former.release, to: next.release, demand, latest, keeps, direction: 'forth',
      setsValues: Object.keys(values).length > 0 || step.revertsUnfit === true,
      ...(logFrom !== undefined && { logFrom }),
    };
    try {
      await this.#record(step);
      await this.#options.store.noteChange(name, change);
      await this.#configure(step);
      await this.#options.store.activate(name, next.release);
    } catch (error) {
      await this.#wayBack.undo(name, change);
      throw error;
    }
    await this.#judge(name, change, signal, step.onGate);
  }

  /** Ends a change that a crash left; false if that has to be tried again. @throws ActionFailure NOT_HEALTHY; what a failed write throws */
  async resume(name: string, signal: AbortSignal, onGate: () => void): Promise<boolean> {
    const { store } = this.#options;
    const change = await store.change(name);
    if (change === undefined) return true;
    if (change.direction === 'kept') {
      await this.#keep(name, change);
      return true;
    }
    const current = await store.find(name);
    const isSwitched = current.state !== 'absent' && (current.state === 'damaged' || current.release === change.to);
    if (change.direction === 'back') {
      await this.#wayBack.resume(name, change, signal);
      return false;
    }
    if (!isSwitched) {
      if (!(await this.#wayBack.undo(name, change))) return false;
      throw refuse(pluginInstall, 'INTERRUPTED', 'packagemanager was stopped during the installation; what was installed before is untouched; install again');
    }
    await this.#judge(name, change, signal, onGate);
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

  /** Where nothing is there to go back to, or it is the very same. */
  async #simply(step: Step): Promise<void> {
    const { former, next } = step;
    const { store, configuration } = this.#options;
    await this.#check(step, 'none');
    try {
      await this.#record(step);
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
  async #check({ next, values = {}, revertsUnfit = false, signal }: Step, demand: Demand): Promise<void> {
    if (demand !== 'running' && Object.keys(values).length === 0) return;
    const { name, version, source = 'SOURCE' } = next.installed;
    const set = await this.#asked('dbmanager', () => this.#options.configuration.values(name, signal));
    const { wrong, unfit, missing } = configurationNeeds(next.manifest.configuration, set, values);
    if (Object.keys(wrong).length > 0) {
      throw refuse(pluginInstall, 'CONFIG_INVALID', `${name} ${version} does not take these values: ${problemsText(wrong)}; nothing was changed`, { fields: wrong });
    }
    const needed = revertsUnfit ? missing : { ...unfit, ...missing };
    if (demand !== 'running' || Object.keys(needed).length === 0) return;
    const words = Object.keys(needed).map((key) => `--set ${key}=VALUE`).join(' ');
    throw refuse(pluginInstall, 'CONFIG_NEEDED', `${name} ${version} would not run with its configuration as it is: ${problemsText(needed)}; nothing was changed; ${revertsUnfit ? `install it with that: domus plugin install ${source}` : 'give it with the installation:'} ${words}`, { fields: needed });
  }

  async #record({ next, record }: Step): Promise<void> {
    if (record !== undefined) await this.#options.store.record(next.installed.name, next.release, record);
  }

  /** What runs when nothing is restarted: the former release, or the one before if the manager says that version, for the former never ran then. */
  async #runningRelease(name: string, former: string, seen: PluginStatus | undefined): Promise<string> {
    if (seen === undefined || seen.pid === null || seen.version === versionOf(former)) return former;
    const previous = await this.#options.store.previous(name);
    return previous.state === 'installed' && previous.installed.version === seen.version ? previous.release : former;
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
        if (verdict.is === 'ill') return await this.#wayBack.take(name, change, verdict.reason, signal);
        if (verdict.is === 'left') log.info({ plugin: name }, `${name} was stopped by hand before its new version could be judged; it stays`);
      } catch (error) {
        if (!signal.aborted || error instanceof ActionFailure) throw error;
        throw refuse(pluginInstall, 'INTERRUPTED', `packagemanager stopped while it waited for the new version of ${name} to be ready; it goes on with that when it runs again`, {}, { cause: error });
      }
    }
    try {
      if (change.demand !== 'none') await store.noteChange(name, { ...change, direction: 'kept' });
      await this.#keep(name, change);
    } catch (error) {
      log.warn({ err: error }, `the change of ${name} to ${change.to} could not be ended; it is tried again`);
      onUnended(name);
    }
  }

  async #keep(name: string, { from, keeps, latest }: Change): Promise<void> {
    await this.#options.store.keepPrevious(name, keeps, keeps === from ? latest : undefined);
    await this.#options.store.endChange(name);
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
