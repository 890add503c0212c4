// A plugin inside a test: the same start, checks, commands and stop as in a house, without a process and without a bus.
import type { JsonValue } from '@majordomus/contracts';
import { silentLog, type Log } from '@majordomus/runtime';
import type { Plugin, Values } from './define-plugin.ts';
import { PluginInstance, type PluginState } from './plugin-instance.ts';

export interface TestPluginOptions {
  /** What a person has set; defaults are filled in. */
  readonly configuration?: Values;
  readonly log?: Log;
}

/** A plugin that runs in the test. */
export interface TestedPlugin extends AsyncDisposable {
  /** Calls a command, as `helper.do` does. @throws ActionFailure with the code that a caller would get */
  helper(command: string, parameters?: Values): Promise<JsonValue>;
  state(): PluginState;
  /** Stops the plugin; what its `stop` does has been done when this returns. Twice does no harm. */
  stop(): Promise<void>;
}

/** Starts a plugin; it is ready, or has said why not, when this returns. Throws what its `start` throws. */
export async function testPlugin(plugin: Plugin, { configuration = {}, log = silentLog }: TestPluginOptions = {}): Promise<TestedPlugin> {
  const stopping = new AbortController();
  const told = Promise.withResolvers<void>();
  const instance = new PluginInstance(plugin, {
    log,
    readConfiguration: () => Promise.resolve(configuration),
    configurationRetryMs: 60_000,
    onState: () => told.resolve(),
  });
  const running = instance.run(stopping.signal);
  await Promise.race([told.promise, running]);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  const waitsForEver = new AbortController().signal;
  return {
    helper: async (command, parameters = {}) => (await instance.do(command, parameters, waitsForEver)).result,
    state: () => instance.state,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
