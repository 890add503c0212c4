// What a new home begins with: one plugin that works on every machine, so that there is something to see. A person who
// uninstalls it is not given it again.
import { configGet, configSet, hostService, pluginStart } from '@majordomus/contracts';
import { PeerError, type Client } from '@majordomus/mq';
import { installAndFollow } from './installation.ts';
import { ownPluginFolder } from './own-files.ts';

const furnished = { plugin: 'house', key: 'furnished' } as const;
const startTimeoutMs = 15_000;

/** Installs and starts the first plugin in a home that has not had it yet. @throws CallError, CommandError */
export async function furnish(client: Client, host: string, onProgress: (text: string) => void, signal: AbortSignal): Promise<void> {
  const folder = ownPluginFolder('diskfree');
  if (folder === undefined || (await isFurnished(client, host))) return;
  onProgress('installing diskfree');
  await installAndFollow(client, host, folder, (step) => onProgress(`installing diskfree: ${step}`), signal);
  onProgress('starting diskfree');
  await client.call(pluginStart, { id: 'diskfree' }, { service: hostService(host, 'manager'), timeoutMs: startTimeoutMs, signal });
  await client.call(configSet, { host, ...furnished, value: true, by: hostService(host, 'house') });
}

async function isFurnished(client: Client, host: string): Promise<boolean> {
  try {
    await client.call(configGet, { host, ...furnished });
    return true;
  } catch (error) {
    if (error instanceof PeerError && error.code === 'CONFIG_NOT_FOUND') return false;
    throw error;
  }
}
