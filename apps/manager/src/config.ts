// The settings of the manager: those that every part has, whether it is the primary one, whether plugins start with it, and how
// much memory and silence a plugin may take.
import { z } from 'zod';
import { isMemoryLimit, memoryLimitRule } from '@majordomus/contracts';
import { commonSettings, parseFlags, primarySetting, readSettings as readAll, type Setting, type SettingDefinitions, type SettingsOf } from '@majordomus/runtime';

const hangLimitRule = 'must be a whole number of milliseconds, 2000 at least: plugins speak once a second';

const autostart: Setting<boolean> = {
  name: 'autostart',
  table: 'manager',
  description: 'whether the plugins that should start with the house are started: true or false',
  schema: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], { error: 'must be true or false' }),
  fallback: true,
};

/**
 * Twice what the largest honest plugins take (a controller of a radio network in Node: some 200 MiB; the smallest one: 60 MiB), and
 * little enough that a machine of 2 GiB outlives a plugin that takes it all.
 */
const defaultMemoryLimitMb = 512;

const memoryLimit: Setting<number> = {
  name: 'memory-limit-mb',
  table: 'manager',
  description: 'how much memory a plugin may hold with all that it starts, in MiB, unless its manifest or a person says otherwise; 0 for no limit',
  schema: z.coerce.number({ error: memoryLimitRule }).refine(isMemoryLimit, { error: memoryLimitRule }),
  fallback: defaultMemoryLimitMb,
};

/** Ten words that did not come. Less would take a plugin for hung that works hard on a small machine; a hang of 10 s is a nuisance, an innocent's death an outage. */
const defaultHangLimitMs = 10_000;

const hangLimit: Setting<number> = {
  name: 'hang-limit-ms',
  table: 'manager',
  description: 'how long a plugin that has spoken may be silent before it is taken as hung, in milliseconds',
  schema: z.coerce.number({ error: hangLimitRule }).int(hangLimitRule).min(2000, hangLimitRule),
  fallback: defaultHangLimitMs,
};

const settings = { ...commonSettings, primary: primarySetting, autostart, memoryLimit, hangLimit } satisfies SettingDefinitions;

export type ManagerSettings = SettingsOf<typeof settings>;

/** @throws StartError for a wrong setting */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): ManagerSettings {
  return readAll(settings, { flags: parseFlags(settings, args), env });
}
