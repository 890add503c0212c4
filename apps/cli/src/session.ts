// What every command works with: the settings, and a client of the house's broker.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@majordomus/mq';
import { bindSetting, commonSettings, homePaths, isGiven, readSettings, type SettingsOf, type SettingSources } from '@majordomus/runtime';

export const cliSettings = { ...commonSettings, bind: bindSetting } as const;
export type CliSettings = SettingsOf<typeof cliSettings>;

/**
 * The settings; without a broker named anywhere it is the one that runs on this home, wherever it listens.
 * @throws StartError for a wrong setting
 */
export function readCliSettings(flags: SettingSources['flags']): CliSettings {
  const sources: SettingSources = { flags, env: process.env };
  const settings = readSettings(cliSettings, sources);
  if (isGiven(commonSettings.broker, sources, settings.home)) return settings;
  return { ...settings, broker: readRunningEndpoint(settings.home) ?? settings.broker };
}

/** Where `domus up` says that its broker listens. */
export function endpointFile(home: string): string {
  return join(homePaths(home).run, 'broker');
}

function readRunningEndpoint(home: string): string | undefined {
  const file = endpointFile(home);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() || undefined : undefined;
}

/** Runs with a client, and closes it. */
export async function withClient<T>(settings: CliSettings, run: (client: Client) => Promise<T>): Promise<T> {
  await using client = new Client({ endpoint: settings.broker });
  return await run(client);
}
