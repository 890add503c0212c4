// A plugin that runs: from its configuration over start and commands to stop. It knows no process and no bus; both
// runPlugin and testPlugin run plugins with it.
import { setTimeout as delay } from 'node:timers/promises';
import { ActionFailure, helperDo, helperHelp, refuse, type ConfigurationItems, type JsonValue } from '@majordomus/contracts';
import { orAborted, reasonOf, SupersededError, untilAborted, type Log } from '@majordomus/runtime';
import { realClock, type RunnerClock } from './clock.ts';
import { checkParameters, findCommand, runCommand } from './commands.ts';
import { checkConfiguration } from './configuration-check.ts';
import type { Plugin, Values } from './define-plugin.ts';
import { checkInterval, repeat } from './repeated-work.ts';

/** Whether the plugin does its work, as it says itself. */
export type PluginState = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** What a running plugin needs of the world around it. */
export interface PluginSurroundings {
  readonly log: Log;
  /** The values that are set. What it throws says why they cannot be had now; it is asked again. */
  readonly readConfiguration: (signal: AbortSignal) => Promise<Values>;
  /** Called when the state changes, first when the plugin is ready or knows why it is not. */
  readonly onState: (state: PluginState) => void;
  /** How long to wait before a configuration that is missing or wrong is read again. */
  readonly configurationRetryMs: number;
  /** The machine's without it. */
  readonly clock?: RunnerClock;
}

const starting: PluginState = { ready: false, reason: 'starting' };

/** How long the commands under way have after the signal, and then `stop`. A process that stops has 4 s in all. */
const stopLimitMs = 1500;
/** The same of one that another instance has replaced, which waits for the device now. */
const supersededStopLimitMs = 500;
/** How long a command, or who asks, waits for what was configured meanwhile. */
const refreshLimitMs = 500;

export class PluginInstance {
  readonly #plugin: Plugin;
  readonly #surroundings: PluginSurroundings;
  readonly #ending = new AbortController();
  readonly #clock: RunnerClock;
  readonly #open = new Set<Promise<unknown>>();
  /** Why repeated work failed the last time, where it did. */
  readonly #failing = new Map<object, string>();
  readonly #told = Promise.withResolvers<void>();
  /** The last word of the author; a start that ended without one has said that it is ready. */
  #said: PluginState | undefined;
  #configuration: Values | undefined;
  #state: PluginState | undefined;

  constructor(plugin: Plugin, surroundings: PluginSurroundings) {
    this.#plugin = plugin;
    this.#surroundings = surroundings;
    this.#clock = surroundings.clock ?? realClock;
  }

  get state(): PluginState {
    return this.#state ?? starting;
  }

  /**
   * Waits for a configuration that fits, starts the plugin, and stops it when the signal fires; then it returns.
   * Throws what the author's `start` throws.
   */
  async run(signal: AbortSignal): Promise<void> {
    const end = (): void => this.#ending.abort(this.#stopping());
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    let started = false;
    try {
      const configuration = await this.#clock.run(() => this.#waitForConfiguration());
      started = true;
      await orAborted(this.#start(configuration), this.#ending.signal);
      await untilAborted(this.#ending.signal);
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', end);
      end();
      await this.#stop(started, signal.reason instanceof SupersededError ? supersededStopLimitMs : stopLimitMs);
    }
  }

  get commands(): string[] {
    return Object.keys(this.#plugin.manifest.commands);
  }

  /** @throws ActionFailure COMMAND_UNKNOWN */
  help(command: string): { readonly help: string; readonly parameters: ConfigurationItems } {
    const { description, parameters } = findCommand(helperHelp, this.#plugin, command);
    return { help: description, parameters };
  }

  /**
   * Runs a command; a plugin that is not ready runs it too, as long as its configuration is there.
   * @throws ActionFailure COMMAND_UNKNOWN, PARAMETERS_INVALID, COMMAND_FAILED, STOPPING, or what the command chose; the signal's reason
   */
  async do(command: string, given: Values, signal: AbortSignal): Promise<{ readonly parameters: Values; readonly result: JsonValue }> {
    const parameters = checkParameters(findCommand(helperDo, this.#plugin, command), given);
    if (this.#ending.signal.aborted) throw this.#stopping();
    if (this.#configuration === undefined) {
      const why = this.state.ready ? '' : `: ${this.state.reason}`;
      throw refuse(helperDo, 'COMMAND_FAILED', `${this.#plugin.manifest.name} cannot run ${command} yet${why}`);
    }
    const both = AbortSignal.any([this.#ending.signal, signal]);
    return { parameters, result: await this.#holdOpen(this.#clock.run(() => this.#run(command, parameters, both))) };
  }

  /** A stop waits for it. */
  async #holdOpen<T>(work: Promise<T>): Promise<T> {
    this.#open.add(work);
    try {
      return await work;
    } finally {
      this.#open.delete(work);
    }
  }

  async #run(command: string, parameters: Values, signal: AbortSignal): Promise<JsonValue> {
    await this.#refreshConfiguration();
    signal.throwIfAborted();
    return await runCommand(this.#plugin, command, { parameters, configuration: this.#configuration ?? {}, clock: this.#clock, log: this.#surroundings.log, signal });
  }

  #stopping(): ActionFailure {
    return new ActionFailure('STOPPING', `${this.#plugin.manifest.name} is stopping`);
  }

  /** What was configured since the start; while that cannot be had, or does not fit, what was known last. */
  async #refreshConfiguration(): Promise<void> {
    const found = await this.#readConfiguration(AbortSignal.any([this.#ending.signal, AbortSignal.timeout(refreshLimitMs)]));
    if (typeof found !== 'string') this.#configuration = found.configuration;
  }

  async #waitForConfiguration(): Promise<Values> {
    const { signal } = this.#ending;
    for (;;) {
      const found = await this.#readConfiguration(signal);
      if (typeof found !== 'string') {
        if (found.ignored.length > 0) this.#surroundings.log.warn(`ignores what is configured but not in plugin.json: ${found.ignored.join(', ')}`);
        return (this.#configuration = found.configuration);
      }
      this.#tell({ ready: false, reason: found });
      await this.#clock.delay(this.#surroundings.configurationRetryMs, signal);
    }
  }

  /** The configuration, or why there is none that the plugin can work with. */
  async #readConfiguration(signal: AbortSignal): Promise<{ readonly configuration: Values; readonly ignored: readonly string[] } | string> {
    let set: Values;
    try {
      set = await this.#surroundings.readConfiguration(signal);
    } catch (error) {
      return `waits for its configuration: ${reasonOf(error)}`;
    }
    const checked = checkConfiguration(this.#plugin.manifest, set);
    return checked.fits ? checked : checked.reason;
  }

  async #start(configuration: Values): Promise<void> {
    const started = Promise.resolve(this.#plugin.start?.({
      configuration,
      readConfiguration: () => this.#clock.run(async () => {
        await this.#refreshConfiguration();
        return this.#configuration ?? configuration;
      }),
      ready: () => this.#say({ ready: true }),
      notReady: (reason) => this.#say({ ready: false, reason }),
      every: (intervalMs, work) => this.#every(intervalMs, work),
      clock: this.#clock,
      log: this.#surroundings.log,
      signal: this.#ending.signal,
    }));
    await this.#clock.run(() => Promise.race([started, this.#told.promise]));
    await started;
    if (this.#said === undefined) this.#say({ ready: true });
  }

  /** The author's own word. */
  #say(state: PluginState): void {
    this.#said = state;
    this.#tellAll();
  }

  /** Ready only when neither the author nor the repeated work speaks against it. */
  #tellAll(): void {
    const [failure] = this.#failing.values();
    if (failure === undefined || this.#said?.ready === false) this.#tell(this.#said ?? starting);
    else this.#tell({ ready: false, reason: failure });
    this.#told.resolve();
  }

  #every(intervalMs: number, work: () => unknown): void {
    checkInterval(intervalMs);
    const id = {};
    const attempt = async (): Promise<void> => {
      try {
        await work();
        if (!this.#failing.delete(id)) return;
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        const reason = reasonOf(error);
        if (this.#failing.get(id) !== reason) this.#surroundings.log.error({ err: error }, `what is done every ${intervalMs} ms failed`);
        this.#failing.set(id, reason);
      }
      this.#tellAll();
    };
    void this.#clock.run(() => repeat(intervalMs, () => this.#holdOpen(attempt()), this.#clock, this.#ending.signal));
  }

  #tell(state: PluginState): void {
    const before = this.#state;
    const same = before !== undefined && (before.ready ? state.ready : !state.ready && before.reason === state.reason);
    if (same || this.#ending.signal.aborted) return;
    this.#state = state;
    if (state.ready) this.#surroundings.log.info('ready');
    else this.#surroundings.log.warn(`not ready: ${state.reason}`);
    this.#surroundings.onState(state);
  }

  /** The commands under way have seen the signal; what they use is closed only after them. */
  async #stop(started: boolean, limitMs: number): Promise<void> {
    const { log } = this.#surroundings;
    if (!(await endsWithin(limitMs, Promise.allSettled(this.#open)))) {
      log.warn(`${this.#open.size} commands did not end within ${limitMs} ms of the signal`);
    }
    if (!started || this.#plugin.stop === undefined) return;
    try {
      if (!(await endsWithin(limitMs, Promise.resolve(this.#plugin.stop())))) log.warn(`stop did not end within ${limitMs} ms`);
    } catch (error) {
      log.error({ err: error }, 'stop failed');
    }
  }
}

async function endsWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([work.then(() => true), delay(limitMs, false, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
