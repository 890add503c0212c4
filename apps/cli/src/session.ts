// What every command works with: the settings, and a client of the house's broker.
import { Client } from '@majordomus/mq';
import { bindSetting, commonSettings, isGiven, readSettings, type SettingsOf, type SettingSources } from '@majordomus/runtime';
import { CommandError } from './failure.ts';
import { readRunning } from './running-house.ts';

export const cliSettings = { ...commonSettings, bind: bindSetting } as const;
export type CliSettings = SettingsOf<typeof cliSettings>;

/** The settings of a house to be started. @throws StartError for a wrong setting */
export function readHouseSettings(flags: SettingSources['flags']): CliSettings {
  return readSettings(cliSettings, { flags, env: process.env });
}

/**
 * The settings of a command that talks to a house: the one that runs on this home, unless another broker or host is named.
 * It never talks to a house that happens to listen where this one would.
 * @throws StartError for a wrong setting; CommandError NOT_CONNECTED
 */
export function readCliSettings(flags: SettingSources['flags']): CliSettings {
  const sources: SettingSources = { flags, env: process.env };
  const settings = readSettings(cliSettings, sources);
  const running = readRunning(settings.home);
  const named = isGiven(commonSettings.broker, sources, settings.home);
  if (running === undefined && !named) {
    throw new CommandError('NOT_CONNECTED', `no house runs on ${settings.home}; start it with "domus up", choose another home with --home, or name a broker with --broker`);
  }
  return {
    ...settings,
    ...(running !== undefined && !named && { broker: running.broker }),
    ...(running !== undefined && !isGiven(commonSettings.host, sources, settings.home) && { host: running.host }),
  };
}

/** Runs with a client, and closes it. */
export async function withClient<T>(settings: CliSettings, run: (client: Client) => Promise<T>): Promise<T> {
  await using client = new Client({ endpoint: settings.broker });
  return await run(client);
}
