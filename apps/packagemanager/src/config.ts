// The settings of packagemanager: those of every part, and its own in the table [packagemanager] of majordomus.toml.
import { commonSettings, parseFlags, primarySetting, readSettings as read, type Setting, type SettingDefinitions, type SettingsOf } from '@majordomus/runtime';
import { z } from 'zod';
import { ownKitFolder } from './kit.ts';

const table = 'packagemanager';

const registry: Setting<string | undefined> = {
  name: 'registry',
  table,
  description: 'where packages and their dependencies come from; without it, where npm takes them',
  schema: z.url({ protocol: /^https?$/, error: 'must be an address such as https://registry.example.org/' }).optional(),
  fallback: undefined,
};

const milliseconds = (least: number) => z.coerce.number({ error: 'must be a number of milliseconds' }).int('must be a whole number of milliseconds').min(least, `must be at least ${least}`).max(600_000, 'must be at most 600000, ten minutes');

const readyLimit: Setting<number> = {
  name: 'ready-limit-ms',
  table,
  description: 'how long the new version of a plugin that runs may take to be ready, in milliseconds; after that the former one is put back',
  schema: milliseconds(100),
  fallback: 30_000,
};

const calm: Setting<number> = {
  name: 'calm-ms',
  table,
  description: 'how long a new version then has to run without an end, in milliseconds',
  schema: milliseconds(0),
  fallback: 2000,
};

const settings = {
  ...commonSettings,
  primary: primarySetting,
  kitFolder: { name: 'kit-folder', table, description: 'the folder of the plugin author’s kit', schema: z.string().regex(/^\//, 'must be an absolute path'), fallback: ownKitFolder },
  registry,
  readyLimitMs: readyLimit,
  calmMs: calm,
} satisfies SettingDefinitions;

export type PackagemanagerSettings = SettingsOf<typeof settings>;

/** @throws StartError SETTING_INVALID, CONFIG_FILE_INVALID */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): PackagemanagerSettings {
  return read(settings, { flags: parseFlags(settings, args), env });
}
