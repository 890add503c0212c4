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

const settings = {
  ...commonSettings,
  primary: primarySetting,
  kitFolder: { name: 'kit-folder', table, description: 'the folder of the plugin author’s kit', schema: z.string().regex(/^\//, 'must be an absolute path'), fallback: ownKitFolder },
  registry,
} satisfies SettingDefinitions;

export type PackagemanagerSettings = SettingsOf<typeof settings>;

/** @throws StartError SETTING_INVALID, CONFIG_FILE_INVALID */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): PackagemanagerSettings {
  return read(settings, { flags: parseFlags(settings, args), env });
}
