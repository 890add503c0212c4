// Whose logs there are, by the names that a person gives.
import { existsSync, readdirSync } from 'node:fs';
import { hostService, partList, pluginList } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import { didYouMean, homePaths } from '@majordomus/runtime';
import { CommandError } from '../failure.ts';
import { isLoggedPart, loggedParts } from '../parts.ts';
import type { LogOwner } from './followed-log.ts';

const timeoutMs = 2000;

/** The names of all logs of a host: those that the house knows, and those that have a file in the home, if that is the host's. */
export async function knownNames(client: Client | undefined, host: string, home: string | undefined): Promise<readonly string[]> {
  const found = client === undefined ? loggedParts : [...(await partsOf(client, host)), ...(await installedPlugins(client, host))];
  return [...new Set([...found, ...(home === undefined ? [] : filesOf(home))])];
}

/** @throws CommandError LOG_UNKNOWN */
export function ownersOf(names: readonly string[], known: readonly string[]): readonly LogOwner[] {
  return [...new Set(names.length === 0 ? known : names)].map((name) => {
    if (isLoggedPart(name)) return { kind: 'part', name };
    // One of another host is known by its manager alone.
    if (known.includes(name) || name.includes('.')) return { kind: 'plugin', name };
    const meant = didYouMean(name, known);
    throw new CommandError('LOG_UNKNOWN', `nothing that is called ${name} has a log here; ${meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`}`);
  });
}

/** A host that has joined a house elsewhere has fewer than the others. */
async function partsOf(client: Client, host: string): Promise<readonly string[]> {
  try {
    const { parts } = await client.call(partList, {}, { service: hostService(host, 'house'), timeoutMs });
    return ['house', ...parts.map(({ name }) => name)];
  } catch (error) {
    if (error instanceof CallError) return loggedParts;
    throw error;
  }
}

async function installedPlugins(client: Client, host: string): Promise<readonly string[]> {
  try {
    const { plugins } = await client.call(pluginList, {}, { service: hostService(host, 'manager'), timeoutMs });
    return plugins.map(({ name }) => name);
  } catch (error) {
    // A manager that is down has its plugins' logs in files.
    if (error instanceof CallError) return [];
    throw error;
  }
}

function filesOf(home: string): readonly string[] {
  const { logs } = homePaths(home);
  return existsSync(logs) ? readdirSync(logs).filter((file) => file.endsWith('.log')).map((file) => file.slice(0, -'.log'.length)).sort() : [];
}
