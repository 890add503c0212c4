// The health gate (docs/packages.md, "The health gate"): a plugin that ran goes over to its new version, and is watched until it
// is as well as the former was, or found not to be. It asks the manager and judges; it changes no file and no configuration.
import { setTimeout as delay } from 'node:timers/promises';
import { CallError } from '@majordomus/mq';
import type { Change } from './change-file.ts';
import { Health, isLeft, type HealthLimits, type Seen, type Verdict } from './health.ts';
import type { PluginProcesses } from './plugin-process.ts';

const pollMs = 200;

export interface HealthGateOptions {
  readonly processes: PluginProcesses;
  readonly limits: HealthLimits;
}

export class HealthGate {
  readonly #processes: PluginProcesses;
  readonly #limits: HealthLimits;

  constructor({ processes, limits }: HealthGateOptions) {
    this.#processes = processes;
    this.#limits = limits;
  }

  /** Restarts the plugin, which is the new version by that, and watches it. @throws the signal's reason */
  async pass(name: string, { demand }: Change, signal: AbortSignal): Promise<Exclude<Verdict, { is: 'open' }>> {
    const health = new Health(demand, this.#limits, performance.now());
    let isRestarted = false;
    for (;;) {
      let seen: Seen | undefined;
      try {
        if (!isRestarted) {
          // Between the switch and this restart packagemanager may have been away for long.
          if (isLeft(await this.#processes.status(name, signal))) return { is: 'left' };
          await this.#processes.restart(name, signal);
        }
        isRestarted = true;
        // What failed before is not asked to be better now.
        if (demand === 'restart') return { is: 'well' };
        seen = await this.#processes.status(name, signal);
      } catch (error) {
        signal.throwIfAborted();
        // Killed or cut off: it is back in a moment, or the gate ends at its bound.
        if (!(error instanceof CallError)) throw error;
      }
      const verdict = health.judge(seen, performance.now());
      if (verdict.is !== 'open') return verdict;
      await delay(pollMs, undefined, { signal });
    }
  }
}
