// Changes of versions that a crash or a dbmanager that was away left unended: each is tried until it has come to its end. One
// that an earlier run began goes on as its job, so that whoever follows it is told how it ends.
import { setTimeout as delay } from 'node:timers/promises';
import { ActionFailure, pluginInstall, refuse } from '@majordomus/contracts';
import { reasonOf, type Log } from '@majordomus/runtime';
import type { Change } from './change-file.ts';
import type { ChangeOver } from './change-over.ts';
import type { Jobs } from './jobs.ts';
import type { PackageStore } from './package-store.ts';

const firstPauseMs = 500;
const longestPauseMs = 30_000;

export interface UnendedChangesOptions {
  readonly store: PackageStore;
  readonly changeOver: ChangeOver;
  readonly jobs: Jobs;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export class UnendedChanges {
  readonly #options: UnendedChangesOptions;
  readonly #open = new Map<string, Promise<void>>();

  constructor(options: UnendedChangesOptions) {
    this.#options = options;
  }

  /** Goes on with what an earlier run left. */
  async begin(): Promise<void> {
    const { store, jobs, log } = this.#options;
    for (const name of await store.changing()) {
      const change = await store.change(name);
      if (change === undefined) continue;
      const [from, to] = await Promise.all([store.release(name, change.from), store.release(name, change.to)]);
      const versions = { ...(from.state === 'installed' && { previous: from.installed.version }), ...(to.state === 'installed' && { version: to.installed.version }) };
      log.info({ plugin: name, job: change.job }, `goes on with the change of ${name} from ${change.from} to ${change.to}, which was interrupted`);
      jobs.start(change.source, async ({ signal, progress }) => {
        const onGate = (): void => progress({ step: 'gate', percent: 97, gated: true });
        progress({ step: 'switch', percent: 95, plugin: name, ...versions });
        await this.#untilEnded(name, signal, onGate, change);
      }, change.job);
    }
  }

  /** Tries in the background until the change of this plugin has ended. */
  add(name: string): void {
    const { log, signal } = this.#options;
    if (this.#open.has(name)) return;
    const ended = this.#untilEnded(name, signal, () => {}).catch((error: unknown) => {
      if (!signal.aborted) log.warn({ plugin: name }, `the change of ${name} has ended: ${reasonOf(error)}`);
    });
    this.#open.set(name, ended.finally(() => this.#open.delete(name)));
  }

  /** Fulfilled when nothing of it goes on, after the signal has fired. */
  async ended(): Promise<void> {
    await Promise.all(this.#open.values());
  }

  /** @throws ActionFailure if it did not end with the new version; the signal's reason */
  async #untilEnded(name: string, signal: AbortSignal, onGate: () => void, begun?: Change): Promise<void> {
    const { store, changeOver, log } = this.#options;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        using _turn = await store.turn(name, signal);
        if (await changeOver.resume(name, signal, onGate)) return begun && (await this.#expectKept(name, begun));
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ActionFailure) throw error;
        log.warn({ err: error, plugin: name }, `the change of ${name} could not be ended yet`);
      }
      await delay(pauseMs, undefined, { signal });
    }
  }

  /** Somebody else may have ended it: whoever installed something else first, or removed the plugin. */
  async #expectKept(name: string, { to }: Change): Promise<void> {
    const found = await this.#options.store.find(name);
    if (found.state === 'installed' && found.release === to) return;
    const what = found.state === 'absent' ? `${name} was uninstalled` : `something else became of ${name}`;
    throw refuse(pluginInstall, 'INTERRUPTED', `${what} before its change of versions had ended; see what is installed, and install again what you want`);
  }
}
