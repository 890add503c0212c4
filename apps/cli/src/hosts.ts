// Which hosts a house has: who is on the bus, and who has joined it once and is not there now. That is kept in the
// configuration, so it survives everything that the configuration survives: key `joined` of the plugin "house" on that host.
import { configGet, configList, configSet, partList } from '@majordomus/contracts';
import { CallError, type BrokerStatus, type Client } from '@majordomus/mq';
import { commonSettings } from '@majordomus/runtime';
import { CommandError } from './failure.ts';
import { typedCommand } from './own-files.ts';

const record = { plugin: 'house', key: 'joined' } as const;
/** What each host answers as. */
const suffix = `.${partList.service}`;

const unknownTimeoutMs = 3000;

export interface AskOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A host of the house, as far as the bus knows of it. */
export interface HouseHost {
  readonly host: string;
  /** How many answer under its name: 0 if it has joined the house and is not on the bus, more than 1 if a name was given twice. */
  readonly count: number;
}

/** How a host is that has joined the house and is not there, and what to do about it. */
export const awayText = 'it is not on the bus';
export function awayTodo(host: string): string {
  return `see that its "domus up" runs and that its line is up (if it is no more: ${typedCommand} config delete house joined --host ${host})`;
}

/** Why a host cannot be asked, and what to do about it. */
export interface MissingHost {
  readonly code: 'HOST_UNKNOWN' | 'HOST_AWAY';
  readonly text: string;
}

/** What is said wherever a host is named that the house does not have. @param hosts those that it has */
export function unknownHostText(host: string, hosts: readonly string[]): string {
  const there = hosts.join(' and ');
  if (host === commonSettings.host.fallback) return `this machine (${host}) is no host of the house, so name the one that you mean: --host ${hosts.length === 1 ? there : `NAME; there are ${there}`}`;
  return `the house has no host ${host}; ${hosts.length === 1 ? 'its only one is' : 'there are'} ${there}; see: ${typedCommand} status`;
}

/**
 * What is missing if a host is not on the bus. Where no house is on the bus, or the configuration does not say who has joined it, nothing is known.
 * @throws CallError if the broker does not answer
 */
export async function missingHost(client: Client, host: string, options: AskOptions = { timeoutMs: unknownTimeoutMs }): Promise<MissingHost | undefined> {
  const { hosts, problem } = await seenHosts(client, options);
  const found = hosts.find((one) => one.host === host);
  if (found !== undefined) return found.count > 0 ? undefined : { code: 'HOST_AWAY', text: `${host} is a host of the house, and ${awayText}; ${awayTodo(host)}` };
  return hosts.length === 0 || problem !== undefined ? undefined : { code: 'HOST_UNKNOWN', text: unknownHostText(host, hosts.map((one) => one.host)) };
}

/** Before something is asked of a host, which would be waited for. @throws CommandError HOST_UNKNOWN, HOST_AWAY; CallError if the broker does not answer */
export async function assertHost(client: Client, host: string): Promise<void> {
  const missing = await missingHost(client, host);
  if (missing !== undefined) throw new CommandError(missing.code, missing.text);
}

/** Writes down that this host belongs to the house. @throws CallError */
export async function rememberHost(client: Client, host: string, signal: AbortSignal): Promise<void> {
  await client.call(configSet, { host, ...record, value: true, by: `${host}${suffix}` }, { signal });
}

/** All hosts of the house, in the order of their names; while dbmanager does not answer, those that are on the bus. @throws CallError if the broker does not answer */
export async function hostsOf(client: Client, options: AskOptions): Promise<readonly HouseHost[]> {
  return (await seenHosts(client, options)).hosts;
}

/** The same for who must know all of them. @throws CallError also if dbmanager does not answer */
export async function allHosts(client: Client, options: AskOptions): Promise<readonly HouseHost[]> {
  const { hosts, problem } = await seenHosts(client, options);
  if (problem !== undefined) throw problem;
  return hosts;
}

/** The hosts, and why dbmanager does not say who has joined: that must not hide those that are on the bus. */
async function seenHosts(client: Client, options: AskOptions): Promise<{ readonly hosts: readonly HouseHost[]; readonly problem?: CallError }> {
  const { services } = JSON.parse(await client.manage('mmi.majordomus', '', options)) as BrokerStatus;
  const { joined, problem } = await joinedHosts(client, options);
  const counts = new Map(joined.map((host) => [host, 0]));
  for (const { name, workers } of services) {
    const host = name.endsWith(suffix) ? name.slice(0, -suffix.length) : '';
    // A service without workers is only asked for, perhaps by a wrong name.
    if (host !== '' && workers > 0) counts.set(host, workers);
  }
  const hosts = [...counts].map(([host, count]) => ({ host, count })).sort((a, b) => (a.host < b.host ? -1 : 1));
  return { hosts, ...(problem !== undefined && { problem }) };
}

async function joinedHosts(client: Client, options: AskOptions): Promise<{ readonly joined: readonly string[]; readonly problem?: CallError }> {
  try {
    const { configurations } = await client.call(configList, {}, options);
    const hosts = configurations.filter(({ plugin }) => plugin === record.plugin).map(({ host }) => host);
    const joined = await Promise.all(hosts.map(async (host) => ({ host, hasJoined: await hasJoined(client, host, options) })));
    return { joined: joined.filter((one) => one.hasJoined).map(({ host }) => host) };
  } catch (error) {
    if (error instanceof CallError) return { joined: [], problem: error };
    throw error;
  }
}

async function hasJoined(client: Client, host: string, options: AskOptions): Promise<boolean> {
  const reply = await client.call(configGet, { host, plugin: record.plugin }, options);
  return 'data' in reply && reply.data[record.key] === true;
}
