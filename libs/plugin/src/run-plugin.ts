// A plugin as a process: `<host>.<name>` on the bus, its configuration from dbmanager, its readiness on the pipe of
// whoever supervises it (docs/architecture.md, "Supervision").
import { configGet, helperDo, helperHelp, helperList, hostService, stopPlugin } from '@majordomus/contracts';
import { Client, Handlers, type Transport, Worker } from '@majordomus/mq';
import { commonSettings, epochVariable, parseFlags, type PartContext, readEpoch, readSettings, runPart, SupersededError } from '@majordomus/runtime';
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
    readSettings: (args, env) => ({ ...readSettings(commonSettings, { flags: parseFlags(commonSettings, args), env }), epoch: readEpoch(env) }),
    start: (settings, context) => servePlugin(plugin, settings, context),
  });
}

/** Where a plugin serves. */
export interface PluginSettings {
  readonly host: string;
  /** The endpoint of the broker. */
  readonly broker: string;
  /** Which instance of the plugin this is (docs/protocol.md, rule R15). */
  readonly epoch?: number | undefined;
  readonly configurationRetryMs?: number;
  /** ZeroMQ without it. */
  readonly transport?: Transport;
  /** The machine's without it. */
  readonly clock?: RunnerClock;
}

/**
 * Offers a plugin on the bus until the signal fires or `plugin.stop` comes. Throws what the author's `start` throws.
 * @throws SupersededError when a newer instance has taken over; what the plugin holds was let go then
 */
export async function servePlugin(plugin: Plugin, settings: PluginSettings, { log, signal, ready, notReady }: PartContext): Promise<void> {
  const { name } = plugin.manifest;
  const { host, broker, epoch, configurationRetryMs = 2000, transport, clock } = settings;
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
  const service = hostService(host, name);
  await using worker = new Worker({
    ...bus, service, handlers, capacity, log,
    ...(epoch !== undefined && { epoch }),
    onSuperseded: () => stopping.abort(new SupersededError(supersededText(service, epoch))),
  });
  worker.start();
  const ended = AbortSignal.any([signal, stopping.signal]);
  // Both ends begin with the signal: nothing new is taken while the commands under way come to their end.
  ended.addEventListener('abort', () => void worker.stop(), { once: true });
  await instance.run(ended);
  if (ended.reason instanceof SupersededError) throw ended.reason;
}

function supersededText(service: string, epoch: number | undefined): string {
  return epoch === undefined
    ? `another instance of ${service} was started by a manager; this one has no epoch (${epochVariable}) and ends: stop the plugin, then start this one with "domus run FOLDER"`
    : `another instance of ${service} runs now; this one ends`;
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
  const reply = await client.call(configGet, { host, plugin, reveal: true, by: hostService(host, plugin) }, { timeoutMs: configurationTimeoutMs, signal });
  return 'data' in reply ? reply.data : { [reply.key]: reply.value };
}
