// The settings of the manager: those that every part has, whether it is the primary one, and whether plugins start with it.
import { z } from 'zod';
import { commonSettings, parseFlags, primarySetting, readSettings as readAll, type Setting, type SettingDefinitions, type SettingsOf } from '@majordomus/runtime';

const autostart: Setting<boolean> = {
  name: 'autostart',
  table: 'manager',
  description: 'whether the plugins that should start with the house are started: true or false',
  schema: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], { error: 'must be true or false' }),
  fallback: true,
};

const settings = { ...commonSettings, primary: primarySetting, autostart } satisfies SettingDefinitions;

export type ManagerSettings = SettingsOf<typeof settings>;

/** @throws StartError for a wrong setting */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): ManagerSettings {
  return readAll(settings, { flags: parseFlags(settings, args), env });
}
