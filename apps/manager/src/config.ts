// The settings of the manager: those that every part has, and whether it is the primary one.
import { commonSettings, parseFlags, primarySetting, readSettings as readAll, type SettingDefinitions, type SettingsOf } from '@majordomus/runtime';

const settings = { ...commonSettings, primary: primarySetting } satisfies SettingDefinitions;

export type ManagerSettings = SettingsOf<typeof settings>;

/** @throws StartError for a wrong setting */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): ManagerSettings {
  return readAll(settings, { flags: parseFlags(settings, args), env });
}
