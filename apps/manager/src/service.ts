// The manager as a part of the house: it answers plugin.* for its host, and passes on what is meant for another.
import { hostService, pluginList, pluginLog, pluginRestart, pluginStart, pluginStatusGet, pluginStop } from '@majordomus/contracts';
import { CallError, Client, Handlers, onOwnHost, serve } from '@majordomus/mq';
import { homePaths, lockHome, runMarkerVariable, type PartContext } from '@majordomus/runtime';
import { Supervisor } from '@majordomus/supervisor';
import { setTimeout as delay } from 'node:timers/promises';
import type { ManagerSettings } from './config.ts';
import { Epochs } from './epochs.ts';
import { MemoryLimits } from './memory-limits.ts';
import { Plugins } from './plugins.ts';
import { StartedPlugins } from './started-plugins.ts';

const capacity = 16;
/** How long an action on another host may take. */
const elsewhereTimeoutMs = 20_000;
/** How often dbmanager and packagemanager are asked until both answer. */
const retryMs = 500;
const logLinesInStatus = 20;

export async function start({ home, broker, host, logLevel, primary, autostart, memoryLimit, hangLimit }: ManagerSettings, context: PartContext): Promise<void> {
  const { log, signal, ready, notReady } = context;
  const { run, logs } = homePaths(home);
  // A second manager would take the plugins of the first for what an earlier run left behind, and end them.
  using lock = lockHome(home, 'manager');
  lock.watch(log);
  await using client = new Client({ endpoint: broker });
  await using supervisor = await Supervisor.open({
    owner: 'manager', runFolder: run, logsFolder: logs, log, settings: { askLimitMs: 1000, terminateLimitMs: 1000, aliveLimitMs: hangLimit },
  });
  const env = { ...process.env, DOMUS_HOME: home, DOMUS_BROKER: broker, DOMUS_HOST: host, DOMUS_LOG_LEVEL: logLevel };
  const memoryLimits = new MemoryLimits({ host, client, log, defaultMb: memoryLimit });
  const started = new StartedPlugins({ home, run: process.env[runMarkerVariable], log });
  const plugins = new Plugins({ host, client, supervisor, memoryLimits, epochs: new Epochs({ home, log }), started, env, log });
  const handlers = pluginHandlers(plugins, client, host);
  const services = primary ? [hostService(host, 'manager'), 'manager'] : [hostService(host, 'manager')];
  let isReady = false;
  await serve({
    endpoint: broker, services, handlers, capacity, log, signal,
    onRegistered: async () => {
      await startAll(plugins, autostart, context);
      isReady = true;
      ready();
    },
    onLost: (reason) => notReady(`${reason}; the plugins go on`),
    onBack: () => isReady && ready(),
  });
}

/** Starts what should run; until that could be done, it says what it waits for. */
async function startAll(plugins: Plugins, autostart: boolean, { signal, log, notReady }: PartContext): Promise<void> {
  for (;;) {
    try {
      return await plugins.startAll({ autostart }, signal);
    } catch (error) {
      if (!(error instanceof CallError) || signal.aborted) throw error;
      log.warn(`cannot start the plugins yet: ${error.message}`);
      notReady(`waits to start the plugins: ${error.message}`);
      await delay(retryMs, undefined, { signal });
    }
  }
}

function pluginHandlers(plugins: Plugins, client: Client, host: string): Handlers {
  const local = onOwnHost({ host, client, timeoutMs: elsewhereTimeoutMs });
  return new Handlers()
    .on(pluginStart, local(pluginStart, (name, _data, { signal }) => plugins.start(name, signal)))
    .on(pluginStop, local(pluginStop, (name, _data, { signal }) => plugins.stop(name, signal)))
    .on(pluginRestart, local(pluginRestart, (name, _data, { signal }) => plugins.restart(name, signal)))
    .on(pluginList, async () => ({ plugins: await plugins.list() }))
    .on(pluginStatusGet, local(pluginStatusGet, async (name) => {
      const plugin = await plugins.status(name);
      // One that has no version has a package that cannot be used, and did not run in this run of the house.
      const log = plugin.version === '' ? [] : (await plugins.log(name, { lines: logLinesInStatus })).lines;
      return { plugin, log, lastWords: plugins.lastWords(name) };
    }))
    .on(pluginLog, local(pluginLog, async (name, { id, lines, after }) => ({ id, ...(await plugins.log(name, { lines, after })) })));
}
