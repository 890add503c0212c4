// The settings of dbmanager: those that every part has.
import { commonSettings, parseFlags, readSettings as readFrom, type SettingsOf } from '@majordomus/runtime';

const settings = commonSettings;
export type Settings = SettingsOf<typeof settings>;

/** @throws StartError SETTING_INVALID, CONFIG_FILE_INVALID */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  return readFrom(settings, { flags: parseFlags(settings, args), env });
}
