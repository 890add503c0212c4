// A plugin as a process: `<host>.<name>` on the bus, its configuration from dbmanager, its readiness on the pipe of
// whoever supervises it (docs/architecture.md, "Supervision").
import { configGet, helperDo, helperHelp, helperList, hostService, stopPlugin } from '@majordomus/contracts';
import { Client, Handlers, type Transport, Worker } from '@majordomus/mq';
import { commonSettings, parseFlags, type PartContext, readSettings, runPart } from '@majordomus/runtime';
import type { RunnerClock } from './clock.ts';
import type { Plugin, Values } from './define-plugin.ts';
import { PluginInstance } from './plugin-instance.ts';

/** How many commands run at once; more wait in the broker. */
const capacity = 16;
const configurationTimeoutMs = 6000;

/** Runs a plugin as this process, and ends the process with it. Its main.ts is this one call. */
export function runPlugin(plugin: Plugin): Promise<never> {
  return runPart({
    name: plugin.manifest.name,
    readSettings: (args, env) => readSettings(commonSettings, { flags: parseFlags(commonSettings, args), env }),
    start: (settings, context) => servePlugin(plugin, settings, context),
  });
}

/** Where a plugin serves. */
export interface PluginSettings {
  readonly host: string;
  /** The endpoint of the broker. */
  readonly broker: string;
  readonly configurationRetryMs?: number;
  /** ZeroMQ without it. */
  readonly transport?: Transport;
  /** The machine's without it. */
  readonly clock?: RunnerClock;
}

/** Offers a plugin on the bus until the signal fires or `plugin.stop` comes. Throws what the author's `start` throws. */
export async function servePlugin(plugin: Plugin, settings: PluginSettings, { log, signal, ready, notReady }: PartContext): Promise<void> {
  const { name } = plugin.manifest;
  const { host, broker, configurationRetryMs = 2000, transport, clock } = settings;
  const bus = { endpoint: broker, ...(transport && { transport }) };
  const stopping = new AbortController();
  await using client = new Client(bus);
  const instance = new PluginInstance(plugin, {
    log,
    configurationRetryMs,
    ...(clock && { clock }),
    readConfiguration: async (ending) => {
      const values = await readConfiguration(client, host, name, ending);
      // Whoever is told that the plugin is ready may call it at once.
      await worker.registered({ signal: ending });
      return values;
    },
    onState: (state) => (state.ready ? ready() : notReady(state.reason)),
  });
  const handlers = pluginHandlers(instance, () => stopping.abort());
  await using worker = new Worker({ ...bus, service: hostService(host, name), handlers, capacity, log });
  worker.start();
  const ended = AbortSignal.any([signal, stopping.signal]);
  // Both ends begin with the signal: nothing new is taken while the commands under way come to their end.
  ended.addEventListener('abort', () => void worker.stop(), { once: true });
  await instance.run(ended);
}

/** What every plugin answers. */
function pluginHandlers(instance: PluginInstance, stop: () => void): Handlers {
  return new Handlers()
    .on(helperList, () => ({ actions: instance.commands }))
    .on(helperHelp, ({ command }) => ({ command, ...instance.help(command) }))
    .on(helperDo, async ({ command, parameters }, { signal }) => ({ command, ...(await instance.do(command, parameters, signal)) }))
    .on(stopPlugin, () => {
      // The answer goes out first.
      setImmediate(stop);
      return {};
    });
}

async function readConfiguration(client: Client, host: string, plugin: string, signal: AbortSignal): Promise<Values> {
  const reply = await client.call(configGet, { host, plugin }, { timeoutMs: configurationTimeoutMs, signal });
  return 'data' in reply ? reply.data : { [reply.key]: reply.value };
}
