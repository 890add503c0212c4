// What every command works with: the settings, and a client of the house's broker.
import { Client } from '@majordomus/mq';
import { bindSetting, commonSettings, isGiven, readSettings, type SettingsOf, type SettingSources } from '@majordomus/runtime';
import { readRunning } from './running-house.ts';

export const cliSettings = { ...commonSettings, bind: bindSetting } as const;
export type CliSettings = SettingsOf<typeof cliSettings>;

/** The settings of a house to be started. @throws StartError for a wrong setting */
export function readHouseSettings(flags: SettingSources['flags']): CliSettings {
  return readSettings(cliSettings, { flags, env: process.env });
}

/**
 * The settings of a command that talks to a house; a broker and a host that are named nowhere are those of the house that
 * runs on this home.
 * @throws StartError for a wrong setting
 */
export function readCliSettings(flags: SettingSources['flags']): CliSettings {
  const sources: SettingSources = { flags, env: process.env };
  const settings = readSettings(cliSettings, sources);
  const { broker = settings.broker, host = settings.host } = readRunning(settings.home);
  return {
    ...settings,
    ...(!isGiven(commonSettings.broker, sources, settings.home) && { broker }),
    ...(!isGiven(commonSettings.host, sources, settings.home) && { host }),
  };
}

/** Runs with a client, and closes it. */
export async function withClient<T>(settings: CliSettings, run: (client: Client) => Promise<T>): Promise<T> {
  await using client = new Client({ endpoint: settings.broker });
  return await run(client);
}
