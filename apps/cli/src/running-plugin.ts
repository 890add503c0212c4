// What the house knows of a plugin that is about to be run by hand: whether it runs, and its epoch. Who cannot be asked knows
// nothing: a plugin may well be started before its house.
import { hostService } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { commonSettings, epochFrom, parseFlags, readSettings, StartError } from '@majordomus/runtime';
import { pluginsOf } from './house-plugins.ts';

const askTimeoutMs = 1000;

export interface KnownPlugin {
  /** Where the house itself runs it. */
  readonly running?: { readonly id: string; readonly pid: number } | undefined;
  /** The highest epoch that the broker has seen of it (docs/protocol.md, rule R15). */
  readonly epoch?: number | undefined;
}

/** @param args the flags of the plugin, which say where the house is */
export async function knownInHouse(name: string, args: readonly string[]): Promise<KnownPlugin> {
  try {
    const { broker, host } = readSettings(commonSettings, { flags: parseFlags(commonSettings, args), env: process.env });
    await using client = new Client({ endpoint: broker });
    const known = { epoch: epochFrom(await client.manage('mmi.epoch', hostService(host, name), { timeoutMs: askTimeoutMs })) };
    // The broker knows at once that nobody is there; a manager that is not there would be waited for.
    if (Number(await client.manage('mmi.workers', hostService(host, name), { timeoutMs: askTimeoutMs })) === 0) return known;
    return { ...known, running: await runningUnder(client, host, name) };
  } catch (error) {
    // A wrong flag is told by the plugin itself.
    if (error instanceof CallError || error instanceof StartError) return {};
    throw error;
  }
}

async function runningUnder(client: Client, host: string, name: string): Promise<KnownPlugin['running']> {
  try {
    const running = (await pluginsOf(client, host, { timeoutMs: askTimeoutMs })).find((plugin) => plugin.name === name);
    return running === undefined || running.pid === null ? undefined : { id: running.id, pid: running.pid };
  } catch (error) {
    if (error instanceof CallError) return undefined;
    throw error;
  }
}
