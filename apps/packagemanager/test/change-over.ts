// A change-over with short limits over simulated peers, for the tests.
import type { Log } from '@majordomus/runtime';
import { ChangeOver } from '../src/change-over.ts';
import { HealthGate } from '../src/health-gate.ts';
import type { BeforeEffect } from '../src/effects.ts';
import type { PackageStore } from '../src/package-store.ts';
import { PluginConfiguration } from '../src/plugin-configuration.ts';
import { PluginProcesses } from '../src/plugin-process.ts';
import type { SimulatedHouse } from './simulated-house.ts';

export interface ChangeOverParts {
  readonly store: PackageStore;
  readonly peers: SimulatedHouse;
  readonly log: Log;
  readonly beforeEffect?: BeforeEffect;
  readonly onUnended?: (name: string) => void;
}

/** What is to be well here is so at once; the time is for a machine that is busy with other things. */
export const gateLimits = { timeoutMs: 2000, calmMs: 50 } as const;

export function newChangeOver({ store, peers: { client }, log, beforeEffect, onUnended = () => {} }: ChangeOverParts): ChangeOver {
  const processes = new PluginProcesses({ client, host: 'igor' });
  return new ChangeOver({
    store, processes, log, beforeEffect, onUnended,
    configuration: new PluginConfiguration({ client, host: 'igor' }),
    gate: new HealthGate({ processes, limits: gateLimits }),
    restoreLimitMs: 1500,
  });
}
