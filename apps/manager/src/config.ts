// The settings of the manager: those that every part has, and whether it is the primary one.
import { z } from 'zod';
import { commonSettings, parseFlags, readSettings as readAll, type Setting, type SettingDefinitions, type SettingsOf } from '@majordomus/runtime';

const primary: Setting<boolean> = {
  name: 'primary',
  table: 'manager',
  description: 'whether it also answers as plain "manager": true on one host of the house',
  schema: z.union([z.boolean(), z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true')]),
  fallback: true,
};

export const settings = { ...commonSettings, primary } satisfies SettingDefinitions;

export type ManagerSettings = SettingsOf<typeof settings>;

/** @throws StartError for a wrong setting */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): ManagerSettings {
  return readAll(settings, { flags: parseFlags(settings, args), env });
}
