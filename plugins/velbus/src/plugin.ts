// velbus: the commands of plugin.json, on a bus that is connected for as long as the plugin runs.
import { ActionFailure, definePlugin, type ConfigurationOf, type Plugin, type StartCall } from '@majordomus/plugin';
import manifest from '../plugin.json' with { type: 'json' };
import { Bus, type BusConnection } from './bus.ts';
import { deviceName, parseDevice } from './device.ts';
import { deviceInvalid, deviceUnreachable } from './failures.ts';
import { switchRelay } from './relay.ts';
import { scan } from './scan.ts';
import { statusOf } from './status.ts';
import { busTiming, type Timing } from './timing.ts';

/** How often the configuration is read while its device cannot be one. */
const lookAgainMs = 2000;

type Configuration = ConfigurationOf<typeof manifest>;

export function velbus(timing: Timing = busTiming): Plugin {
  let connected: ConnectedBus | undefined;
  const busOf = (configuration: Configuration): Bus => {
    if (connected === undefined) throw deviceUnreachable('velbus is starting');
    return connected.use(configuration);
  };
  return definePlugin(manifest, {
    async start(call) {
      connected = new ConnectedBus(call);
      await connected.first(call.configuration);
    },
    async stop() {
      await connected?.stop();
    },
    helpers: {
      async scan({ parameters: { from, to }, configuration, signal }) {
        if (from > to) throw wrongParameter('from', `must not be above to, which is ${to}`);
        return { modules: await scan(busOf(configuration), { from, to }, timing, signal) };
      },
      async relay({ parameters: { address, channel, state, seconds }, configuration, signal }) {
        if (state === 'off' && seconds !== undefined) throw wrongParameter('seconds', 'goes with the state on only');
        return await switchRelay(busOf(configuration), { address, channel, state: state === 'on' ? 'on' : 'off', seconds }, timing, signal);
      },
      status: ({ configuration }) => statusOf(busOf(configuration)),
    },
  });
}

/** What the plugin runs with a configuration: a bus, or nothing as long as the device cannot be one. */
interface Running {
  readonly key: string;
  readonly bus: Bus | { readonly problem: string };
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
}

/** The bus of the configuration; another configuration makes it another bus. */
class ConnectedBus {
  readonly #call: StartCall<Configuration>;
  #running: Running | undefined;

  constructor(call: StartCall<Configuration>) {
    this.#call = call;
  }

  /** Starts with the configuration, and waits until it is known whether the device is there. */
  async first(configuration: Configuration): Promise<void> {
    const told = Promise.withResolvers<void>();
    const { ended } = this.#take(configuration, told.resolve);
    await Promise.race([told.promise, ended]);
  }

  /** @throws ActionFailure DEVICE_INVALID */
  use(configuration: Configuration): Bus {
    const { bus } = this.#take(configuration);
    if ('problem' in bus) throw deviceInvalid(bus.problem);
    return bus;
  }

  #take(configuration: Configuration, onTold?: () => void): Running {
    const { protocol, device, pace } = configuration;
    const key = JSON.stringify([protocol, device, pace]);
    if (this.#running?.key === key) return this.#running;
    void this.stop();
    const stopping = new AbortController();
    const signal = AbortSignal.any([this.#call.signal, stopping.signal]);
    const tell = (connection: BusConnection): void => {
      if (!stopping.signal.aborted) this.#tell(connection);
      onTold?.();
    };
    const parsed = parseDevice(protocol, device);
    if ('problem' in parsed) {
      tell({ state: 'unreachable', reason: parsed.problem });
      return (this.#running = { key, bus: parsed, stopping, ended: this.#lookAgain(signal) });
    }
    const { log, clock } = this.#call;
    const bus = new Bus({ device: parsed, paceMs: pace, log, clock, beforeRetry: () => this.#look(signal), onConnection: tell });
    log.info(`connects to ${deviceName(parsed)}`);
    return (this.#running = { key, bus, stopping, ended: bus.run(signal) });
  }

  /** Takes what is configured now, unless a command was faster. */
  async #look(signal: AbortSignal): Promise<void> {
    const configuration = await this.#call.readConfiguration();
    if (!signal.aborted) this.#take(configuration);
  }

  async #lookAgain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#call.clock.delay(lookAgainMs, signal).catch(() => {});
      if (!signal.aborted) await this.#look(signal);
    }
  }

  async stop(): Promise<void> {
    this.#running?.stopping.abort();
    await this.#running?.ended;
  }

  #tell(connection: BusConnection): void {
    if (connection.state === 'connected') this.#call.ready();
    else if (connection.state === 'unreachable') this.#call.notReady(connection.reason);
  }
}

function wrongParameter(name: string, problem: string): ActionFailure {
  return new ActionFailure('PARAMETERS_INVALID', `${name}: ${problem}`, { fields: { [name]: problem } });
}
