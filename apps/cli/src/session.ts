// What every command works with: the settings, and a client of the house's broker.
import { BusError, CallError, Client } from '@majordomus/mq';
import { bindSetting, commonSettings, homePaths, isGiven, joinSetting, readSettings, StartError, type SettingsOf, type SettingSources } from '@majordomus/runtime';
import { CommandError } from './failure.ts';
import { assertHost, hostsOf } from './hosts.ts';
import { typedCommand } from './own-files.ts';
import { isPartName } from './parts.ts';
import { findSilent, readRunning } from './running-house.ts';

const hostsTimeoutMs = 3000;

export const cliSettings = { ...commonSettings, bind: bindSetting, join: joinSetting } as const;
export type CliSettings = SettingsOf<typeof cliSettings>;

/** The settings of a house to be started. @throws StartError for a wrong setting, or two that exclude each other */
export function readHouseSettings(flags: SettingSources['flags']): CliSettings {
  const sources: SettingSources = { flags, env: process.env };
  const settings = readSettings(cliSettings, sources);
  if (flags[commonSettings.broker.name] !== undefined) {
    throw new StartError('SETTING_INVALID', `--broker does not say where a house starts: --bind says where its own broker listens, and "--join ${settings.broker}" starts this host in the house that is there`);
  }
  // What is typed wins over what stands elsewhere.
  const isJoinTyped = flags[joinSetting.name] !== undefined;
  const isBindMeant = isJoinTyped ? flags[bindSetting.name] !== undefined : isGiven(bindSetting, sources, settings.home);
  if (settings.join !== undefined && isBindMeant) {
    throw new StartError('SETTING_INVALID', `join (${settings.join}) and bind (${settings.bind}) exclude each other: a host that joins a house elsewhere has no broker of its own; take one of them away`);
  }
  return settings;
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
    const silent = findSilent(settings.home);
    if (silent !== undefined) throw new CommandError('NOT_CONNECTED', `${silent.text}; ${silent.todo}`);
    throw new CommandError('NOT_CONNECTED', `no house runs on ${settings.home}; start it with "${typedCommand} up", choose another home with --home, or name a broker with --broker`);
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
  try {
    return await run(client);
  } catch (error) {
    const part = error instanceof CallError && error.code === 'SERVICE_UNKNOWN' ? partOf(error.service, settings.host) : undefined;
    if (part !== undefined) throw new CommandError('SERVICE_UNKNOWN', `${part} is a part of the house, and does not run at the moment; the house starts it again by itself: try again, and see how it is: ${typedCommand} status`, { cause: error });
    const isCut = error instanceof BusError && error.code === 'NOT_CONNECTED' && readRunning(settings.home)?.join === settings.broker;
    if (!isCut) throw error;
    throw new CommandError('NOT_CONNECTED', `the house at ${settings.broker}, which ${settings.host} has joined, does not answer; what runs here goes on, and comes back to it by itself; see that the house runs and the line is up; the logs of this host are in ${homePaths(settings.home).logs}`, { cause: error });
  }
}

/** The same for what is asked of the host of the settings: of one that the house does not have, it is said at once. @throws CommandError HOST_UNKNOWN */
export async function withHost<T>(settings: CliSettings, run: (client: Client) => Promise<T>): Promise<T> {
  return await withClient(settings, async (client) => {
    if (readRunning(settings.home)?.host !== settings.host) await assertHost(client, settings.host);
    return await run(client);
  });
}

/**
 * The same for what is shown of all hosts, this one first: a machine that is no host of the house begins with another one.
 * @throws CommandError HOST_UNKNOWN, HOST_AWAY
 */
export async function withFirstHost<T>(settings: CliSettings, run: (client: Client, host: string) => Promise<T>): Promise<T> {
  return await withClient(settings, async (client) => {
    const { host } = settings;
    if (readRunning(settings.home)?.host === host) return await run(client, host);
    // One that was named is meant.
    if (host !== commonSettings.host.fallback) await assertHost(client, host);
    const hosts = await hostsOf(client, { timeoutMs: hostsTimeoutMs });
    const first = hosts.find(({ count }) => count > 0)?.host;
    const isThere = hosts.some((one) => one.host === host && one.count > 0);
    return await run(client, isThere || first === undefined ? host : first);
  });
}

/** The part of this host or house whose service that is. */
function partOf(service: string, host: string): string | undefined {
  const part = service.startsWith(`${host}.`) ? service.slice(host.length + 1) : service;
  return isPartName(part) ? part : undefined;
}
