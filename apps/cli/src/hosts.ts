// Which hosts a house has: who is on the bus, and who has joined it once and is not there now. That is kept in the
// configuration, so it survives everything that the configuration survives: key `joined` of the plugin "house" on that host.
import { configGet, configList, configSet, partList } from '@majordomus/contracts';
import { CallError, type BrokerStatus, type Client } from '@majordomus/mq';
import { CommandError } from './failure.ts';
import { typedCommand } from './own-files.ts';

const record = { plugin: 'house', key: 'joined' } as const;
/** What each host answers as. */
const suffix = `.${partList.service}`;

const unknownTimeoutMs = 3000;

interface AskOptions {
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

/** What is said wherever a host is named that the house does not have. @param hosts those that it has */
export function unknownHostText(host: string, hosts: readonly string[]): string {
  return `the house has no host ${host}; ${hosts.length === 1 ? 'its only one is' : 'there are'} ${hosts.join(' and ')}; see: ${typedCommand} status`;
}

/** That text if the house does not have the host. Where no house is on the bus, nothing is known. @throws CallError if the broker does not answer */
export async function unknownHost(client: Client, host: string): Promise<string | undefined> {
  const hosts = (await hostsOf(client, { timeoutMs: unknownTimeoutMs })).map((one) => one.host);
  return hosts.length === 0 || hosts.includes(host) ? undefined : unknownHostText(host, hosts);
}

/** Before something is asked of a host, which would be waited for. @throws CommandError HOST_UNKNOWN; CallError if the broker does not answer */
export async function assertHost(client: Client, host: string): Promise<void> {
  const text = await unknownHost(client, host);
  if (text !== undefined) throw new CommandError('HOST_UNKNOWN', text);
}

/** Writes down that this host belongs to the house. @throws CallError */
export async function rememberHost(client: Client, host: string, signal: AbortSignal): Promise<void> {
  await client.call(configSet, { host, ...record, value: true, by: `${host}${suffix}` }, { signal });
}

/** All hosts of the house, in the order of their names. @throws CallError if the broker does not answer */
export async function hostsOf(client: Client, options: AskOptions): Promise<readonly HouseHost[]> {
  const { services } = JSON.parse(await client.manage('mmi.majordomus', '', options)) as BrokerStatus;
  const counts = new Map((await joinedHosts(client, options)).map((host) => [host, 0]));
  for (const { name, workers } of services) {
    const host = name.endsWith(suffix) ? name.slice(0, -suffix.length) : '';
    // A service without workers is only asked for, perhaps by a wrong name.
    if (host !== '' && workers > 0) counts.set(host, workers);
  }
  return [...counts].map(([host, count]) => ({ host, count })).sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** None while dbmanager does not answer: that must not hide the hosts that do. */
async function joinedHosts(client: Client, options: AskOptions): Promise<readonly string[]> {
  try {
    const { configurations } = await client.call(configList, {}, options);
    const hosts = configurations.filter(({ plugin }) => plugin === record.plugin).map(({ host }) => host);
    const joined = await Promise.all(hosts.map(async (host) => ({ host, hasJoined: await hasJoined(client, host, options) })));
    return joined.filter((one) => one.hasJoined).map(({ host }) => host);
  } catch (error) {
    if (error instanceof CallError) return [];
    throw error;
  }
}

async function hasJoined(client: Client, host: string, options: AskOptions): Promise<boolean> {
  const reply = await client.call(configGet, { host, plugin: record.plugin }, options);
  return 'data' in reply && reply.data[record.key] === true;
}
