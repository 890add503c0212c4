// The plugins of a host that a person may mean in a `config` command: those that are installed, and those that are configured.
import { configList, hostService, pluginList, pluginName } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';

const managerTimeoutMs = 2000;

/** The parts of the house keep something too, under their own names. */
export function isPlugin(name: string): boolean {
  return pluginName.safeParse(name).success;
}

/** The plugins that are installed or configured. */
export async function knownOn(client: Client, host: string): Promise<readonly string[]> {
  const { configurations } = await client.call(configList, {});
  return [...new Set([...(await installedOn(client, host)), ...configurations.filter((one) => one.host === host && isPlugin(one.plugin)).map(({ plugin }) => plugin)])];
}

/** None while the manager does not answer. */
export async function installedOn(client: Client, host: string): Promise<readonly string[]> {
  try {
    return (await client.call(pluginList, {}, { service: hostService(host, 'manager'), timeoutMs: managerTimeoutMs })).plugins.map(({ name }) => name);
  } catch (error) {
    if (error instanceof CallError) return [];
    throw error;
  }
}
