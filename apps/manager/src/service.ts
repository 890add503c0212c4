// The manager as a part of the house: it answers plugin.* for its host, and passes on what is meant for another.
import {
  ActionFailure, hostService, parsePluginId, pluginList, pluginLog, pluginRestart, pluginStart, pluginStatusGet, pluginStop, refuse,
  type Contract, type InputOf, type ResultOf,
} from '@majordomus/contracts';
import { CallError, Client, Handlers, PeerError, serve, type Handler } from '@majordomus/mq';
import { homePaths, lockHome, type PartContext } from '@majordomus/runtime';
import { Supervisor } from '@majordomus/supervisor';
import { setTimeout as delay } from 'node:timers/promises';
import type { ManagerSettings } from './config.ts';
import { Plugins } from './plugins.ts';

const capacity = 16;
/** How long an action on another host may take. */
const forwardTimeoutMs = 20_000;
/** How often dbmanager and packagemanager are asked until both answer. */
const retryMs = 500;
const logLinesInStatus = 20;

export async function start({ home, broker, host, logLevel, primary, autostart }: ManagerSettings, context: PartContext): Promise<void> {
  const { log, signal } = context;
  const { run, logs } = homePaths(home);
  // A second manager would take the plugins of the first for what an earlier run left behind, and end them.
  using _lock = lockHome(home, 'manager');
  await using client = new Client({ endpoint: broker });
  await using supervisor = await Supervisor.open({
    owner: 'manager', runFolder: run, logsFolder: logs, log, settings: { askLimitMs: 1000, terminateLimitMs: 1000 },
  });
  const env = { ...process.env, DOMUS_HOME: home, DOMUS_BROKER: broker, DOMUS_HOST: host, DOMUS_LOG_LEVEL: logLevel };
  const plugins = new Plugins({ host, client, supervisor, env, log });
  const handlers = pluginHandlers(plugins, client, host);
  const services = primary ? [hostService(host, 'manager'), 'manager'] : [hostService(host, 'manager')];
  await serve({
    endpoint: broker, services, handlers, capacity, log, signal,
    onRegistered: () => (autostart ? startAll(plugins, context) : context.ready()),
  });
}

/** Ready means that what should run has been started; until then it says what it waits for. */
async function startAll(plugins: Plugins, { signal, log, ready, notReady }: PartContext): Promise<void> {
  for (;;) {
    try {
      await plugins.startAll(signal);
      ready();
      return;
    } catch (error) {
      if (!(error instanceof CallError) || signal.aborted) throw error;
      log.warn(`cannot start the plugins yet: ${error.message}`);
      notReady(`waits to start the plugins: ${error.message}`);
      await delay(retryMs, undefined, { signal });
    }
  }
}

function pluginHandlers(plugins: Plugins, client: Client, ownHost: string): Handlers {
  type WithId = Contract & { readonly errors: { readonly HOST_UNKNOWN: string } };
  /** Answers for this host, or asks the manager of the host that the id names. */
  function local<C extends WithId>(contract: C, answer: (name: string, ...call: Parameters<Handler<C>>) => Promise<ResultOf<C>>): Handler<C> {
    return async (data, call) => {
      const { id } = data as { readonly id: string };
      const { host, name } = parsePluginId(id, ownHost);
      if (host === ownHost) return await answer(name, data, call);
      return await forward(client, contract, data as InputOf<C>, host, call.signal);
    };
  }
  return new Handlers()
    .on(pluginStart, local(pluginStart, (name, _data, { signal }) => plugins.start(name, signal)))
    .on(pluginStop, local(pluginStop, (name) => plugins.stop(name)))
    .on(pluginRestart, local(pluginRestart, (name, _data, { signal }) => plugins.restart(name, signal)))
    .on(pluginList, async () => ({ plugins: await plugins.list() }))
    .on(pluginStatusGet, local(pluginStatusGet, async (name) => ({
      plugin: await plugins.status(name),
      log: (await plugins.log(name, { lines: logLinesInStatus })).lines,
    })))
    .on(pluginLog, local(pluginLog, async (name, { id, lines, after }) => ({ id, ...(await plugins.log(name, { lines, after })) })));
}

async function forward<C extends Contract>(client: Client, contract: C, data: InputOf<C>, host: string, signal: AbortSignal): Promise<ResultOf<C>> {
  try {
    return await client.call(contract, data, { service: hostService(host, 'manager'), timeoutMs: forwardTimeoutMs, signal }) as ResultOf<C>;
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    if (error.code === 'SERVICE_UNKNOWN') throw refuse(pluginStart, 'HOST_UNKNOWN', `no manager of the host ${host} is on the bus; is it running, and is the name right?`);
    throw new ActionFailure(error.code, error.message, error.details);
  }
}
