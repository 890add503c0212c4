// The settings of dbmanager: those that every part has, what is kept of the history and of backups, and what is left of the disk.
import { z } from 'zod';
import { commonSettings, parseFlags, readSettings as readFrom, type Setting, type SettingDefinitions, type SettingsOf } from '@majordomus/runtime';
import { defaultHistoryLimits } from './configuration/history.ts';

const table = 'dbmanager';

const historyDays: Setting<number> = {
  name: 'history-days',
  table,
  description: 'how many days a change of the configuration stays in the history',
  schema: wholeNumber(36_500),
  fallback: defaultHistoryLimits.days,
};

const historyChanges: Setting<number> = {
  name: 'history-changes',
  table,
  description: 'how many changes stay in the history, for each plugin on each host',
  schema: wholeNumber(1_000_000),
  fallback: defaultHistoryLimits.changes,
};

const backups: Setting<number> = {
  name: 'backups',
  table,
  description: 'how many daily backups of the database are kept; 0 makes none',
  schema: wholeNumber(10_000, 0),
  fallback: 7,
};

const minFreeMib: Setting<number> = {
  name: 'min-free-mib',
  table,
  description: 'how many MiB of the disk are left alone: with less free, writes are refused',
  schema: wholeNumber(1_000_000, 0),
  fallback: 8,
};

const settings = { ...commonSettings, historyDays, historyChanges, backups, minFreeMib } satisfies SettingDefinitions;
export type Settings = SettingsOf<typeof settings>;

/** @throws StartError SETTING_INVALID, CONFIG_FILE_INVALID */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  return readFrom(settings, { flags: parseFlags(settings, args), env });
}

function wholeNumber(max: number, min = 1): z.ZodType<number> {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}
