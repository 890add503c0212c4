// The plugins of all hosts of a house, and a plugin that is looked for on the wrong one.
import { hostService, parsePluginId, pluginList, type PluginStatus } from '@majordomus/contracts';
import { CallError, PeerError, type Client } from '@majordomus/mq';
import { didYouMean } from '@majordomus/runtime';
import { CommandError } from './failure.ts';
import { assertHost, awayText, hostsOf } from './hosts.ts';
import { note } from './output.ts';
import { ownPluginFolder, typedCommand } from './own-files.ts';

/** Who is behind a cut line must not hold up what the others have to say. */
const elsewhereTimeoutMs = 3000;
const notInstalledCodes: ReadonlySet<string> = new Set(['PLUGIN_NOT_FOUND', 'PACKAGE_NOT_FOUND']);

/** @throws CallError if the manager of the host does not answer */
export async function pluginsOf(client: Client, host: string, options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<readonly PluginStatus[]> {
  return (await client.call(pluginList, {}, { service: hostService(host, pluginList.service), ...options })).plugins;
}

/** The plugins of every other host, host by host; of one that does not answer, why. @throws CallError if the broker does not answer */
export async function pluginsElsewhere(client: Client, ownHost: string): Promise<readonly { readonly host: string; readonly plugins: readonly PluginStatus[]; readonly problem?: string }[]> {
  const others = (await hostsOf(client, { timeoutMs: elsewhereTimeoutMs })).filter(({ host }) => host !== ownHost);
  return await Promise.all(others.map(async ({ host, count }) => {
    if (count === 0) return { host, plugins: [], problem: awayText };
    try {
      return { host, plugins: await pluginsOf(client, host, { timeoutMs: elsewhereTimeoutMs }) };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return { host, plugins: [], problem: error.message };
    }
  }));
}

/** Says of which hosts the plugins are not known. */
export function tellUnknown(hosts: Awaited<ReturnType<typeof pluginsElsewhere>>): void {
  for (const { host, problem } of hosts) if (problem !== undefined) note(`the plugins of ${host} are not known: ${problem}`);
}

/** What is said wherever a plugin is named that is not installed. @param names the plugins that are, on that host */
export function notInstalledText(name: string, { host, ownHost, names }: { readonly host: string; readonly ownHost: string; readonly names: readonly string[] }): string {
  const meant = didYouMean(name, names);
  const install = ownPluginFolder(name) === undefined ? undefined : `install it with: ${typedCommand} plugin install ${name}${host === ownHost ? '' : ` --on ${host}`}`;
  return `no plugin ${name} is installed on ${host}; ${install ?? (meant === undefined ? `see what is: ${typedCommand} plugin list` : `did you mean ${meant}?`)}`;
}

/**
 * Does something with a plugin. If it is not installed on the host that is meant, it is told where it is, or what may have been meant.
 * @throws CommandError HOST_UNKNOWN, or with the code of the refusal; and whatever `act` throws
 */
export async function orTellWhere<T>(client: Client, ownHost: string, id: string, act: () => Promise<T>): Promise<T> {
  const { host, name } = parsePluginId(id, ownHost);
  if (host !== ownHost) await assertHost(client, host);
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof PeerError) || !notInstalledCodes.has(error.code)) throw error;
    const own = host === ownHost ? [] : await pluginsOf(client, ownHost, { timeoutMs: elsewhereTimeoutMs }).catch(() => []);
    const everywhere = [...own, ...(await pluginsElsewhere(client, ownHost)).flatMap(({ plugins }) => plugins)];
    const there = everywhere.filter((plugin) => plugin.name === name && plugin.host !== host).map((plugin) => plugin.id);
    if (there.length > 0) throw new CommandError(error.code, `no plugin ${name} is installed on ${host}; there is ${there.join(' and ')}`, { cause: error });
    const here = host === ownHost ? await pluginsOf(client, host, { timeoutMs: elsewhereTimeoutMs }).catch(() => []) : everywhere.filter((plugin) => plugin.host === host);
    const names = here.map((plugin) => plugin.name);
    // A damaged package, and one that is gone while its plugin runs, have reasons of their own.
    if (names.includes(name) || error.message.includes('is damaged')) throw error;
    throw new CommandError(error.code, notInstalledText(name, { host, ownHost, names }), { cause: error });
  }
}
