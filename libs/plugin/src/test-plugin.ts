// A plugin inside a test, in a house that is in memory: a broker, its configuration, and the plugin on the bus as in any house,
// without a process, a file or a socket. It knows no test runner.
import { stripVTControlCharacters } from 'node:util';
import { configGet, hostService, type JsonValue } from '@majordomus/contracts';
import { Broker, Client, Handlers, memoryTransport, PeerError, Worker } from '@majordomus/mq';
import { createLog } from '@majordomus/runtime';
import type { Plugin, Values } from './define-plugin.ts';
import type { PluginState } from './plugin-instance.ts';
import { servePlugin } from './run-plugin.ts';
import { assertRealTimers, TestClock } from './test-clock.ts';

export interface TestPluginOptions {
  /** What a person has set; defaults are filled in. */
  readonly configuration?: Values;
}

/** A plugin that runs in the test. */
export interface TestedPlugin extends AsyncDisposable {
  /** Calls a command, as `helper.do` does, and gives its result. Rejects with the `code` that a caller would get. */
  helper(command: string, parameters?: Values): Promise<JsonValue>;
  /** Asks any action of the plugin over the bus, such as `helper.list`. Rejects with the `code` of a refusal. */
  call(action: string, data?: Values): Promise<Values>;
  state(): PluginState;
  /** What it logged so far, as `domus plugin log` shows it, without the times: `INFO: ready`. */
  log(): readonly string[];
  /** Sets exactly this, as `domus config set` does. A plugin that waits for its configuration sees it at once. */
  configure(values: Values): Promise<void>;
  /** The time of the plugin: of `every` and of the `clock` that its functions are given. */
  readonly clock: TestClock;
  /** Stops the plugin; what its `stop` does has been done when this returns. Twice does no harm. */
  stop(): Promise<void>;
}

const host = 'house';
const endpoint = 'memory';
const configurationRetryMs = 2000;
/** A call ends when the test does. */
const callTimeoutMs = 3_600_000;

/**
 * Starts a plugin in a house of its own; it is ready, or has said why not, when this returns. Stop it at the end of the test, or
 * let `await using` do so. Throws what its `start` throws.
 */
export async function testPlugin(plugin: Plugin, { configuration = {} }: TestPluginOptions = {}): Promise<TestedPlugin> {
  assertRealTimers();
  const transport = memoryTransport();
  let set = configuration;
  let state: PluginState = { ready: false, reason: 'starting' };
  const clock = new TestClock();
  const lines: string[] = [];
  const log = createLog(plugin.manifest.name, 'debug', true, (line) => lines.push(stripVTControlCharacters(line).replace(/^\[.*?\] /, '')));
  const service = hostService(host, plugin.manifest.name);

  const broker = await Broker.bind({ endpoint, transport });
  const handlers = new Handlers().on(configGet, ({ plugin: name }) => ({ host, plugin: name, data: { ...set }, defaults: [] }));
  const dbmanager = new Worker({ endpoint, service: configGet.service, handlers, capacity: 16, transport }).start();
  const client = new Client({ endpoint, transport });

  const stopping = new AbortController();
  const told = Promise.withResolvers<void>();
  const tell = (now: PluginState): void => {
    state = now;
    told.resolve();
  };
  const running = servePlugin(plugin, { host, broker: endpoint, configurationRetryMs, transport, clock }, {
    log,
    signal: stopping.signal,
    ready: () => tell({ ready: true }),
    notReady: (reason) => tell({ ready: false, reason }),
  });

  const close = async (): Promise<void> => {
    stopping.abort();
    try {
      await running;
    } finally {
      await dbmanager.stop();
      await client.close();
      await broker.close();
    }
  };
  let closed: Promise<void> | undefined;
  const stop = (): Promise<void> => (closed ??= close());

  const call = async (action: string, data: Values = {}): Promise<Values> => {
    assertRealTimers();
    const reply = await client.request(service, { action, data }, { timeoutMs: callTimeoutMs });
    // It came as JSON.
    const { status, code, reason, ...rest } = reply.data as Values;
    if (status !== false) return reply.data as Values;
    throw new PeerError(typeof code === 'string' ? code : 'FAILED', typeof reason === 'string' ? reason : '', { service, action }, rest);
  };

  try {
    await Promise.race([told.promise, running]);
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  await clock.settled();
  return {
    call,
    helper: async (command, parameters = {}) => (await call('helper.do', { command, parameters }))['result'] ?? null,
    state: () => state,
    log: () => [...lines],
    async configure(values) {
      set = values;
      // It asks again after a while, as in a house.
      if (!state.ready && state.reason.startsWith('waits for its configuration')) await clock.advance(configurationRetryMs);
    },
    clock,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
