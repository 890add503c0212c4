// Whether the house runs a plugin that is about to be run by hand. Who cannot be asked runs nothing: a plugin may well be started
// before its house.
import { hostService } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { commonSettings, parseFlags, readSettings, StartError } from '@majordomus/runtime';
import { pluginsOf } from './house-plugins.ts';

const askTimeoutMs = 1000;

/** @param args the flags of the plugin, which say where the house is */
export async function runningInHouse(name: string, args: readonly string[]): Promise<{ readonly id: string; readonly pid: number } | undefined> {
  try {
    const { broker, host } = readSettings(commonSettings, { flags: parseFlags(commonSettings, args), env: process.env });
    await using client = new Client({ endpoint: broker });
    // The broker knows at once that nobody is there; a manager that is not there would be waited for.
    if (Number(await client.manage('mmi.workers', hostService(host, name), { timeoutMs: askTimeoutMs })) === 0) return undefined;
    const running = (await pluginsOf(client, host, { timeoutMs: askTimeoutMs })).find((plugin) => plugin.name === name);
    return running === undefined || running.pid === null ? undefined : { id: running.id, pid: running.pid };
  } catch (error) {
    // A wrong flag is told by the plugin itself.
    if (error instanceof CallError || error instanceof StartError) return undefined;
    throw error;
  }
}
