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

/** The bus of the configuration; another configuration makes it another bus. */
class ConnectedBus {
  readonly #call: StartCall<Configuration>;
  #running: { readonly key: string; readonly bus: Bus; readonly stopping: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(call: StartCall<Configuration>) {
    this.#call = call;
  }

  /** Starts with the configuration, and waits until it is known whether the device is there. */
  async first(configuration: Configuration): Promise<void> {
    const told = Promise.withResolvers<void>();
    try {
      this.use(configuration, told.resolve);
    } catch (error) {
      if (!(error instanceof ActionFailure)) throw error;
      return this.#call.notReady(error.message);
    }
    await told.promise;
  }

  /** @throws ActionFailure DEVICE_INVALID */
  use(configuration: Configuration, onTold?: () => void): Bus {
    const { protocol, device, pace } = configuration;
    const key = JSON.stringify([protocol, device, pace]);
    if (this.#running?.key === key) return this.#running.bus;
    const parsed = parseDevice(protocol, device);
    if ('problem' in parsed) throw deviceInvalid(parsed.problem);
    void this.stop();
    const { log, signal } = this.#call;
    const stopping = new AbortController();
    const onConnection = (connection: BusConnection): void => {
      if (!stopping.signal.aborted) this.#tell(connection);
      onTold?.();
    };
    const bus = new Bus({ device: parsed, paceMs: pace, log, onConnection });
    log.info(`connects to ${deviceName(parsed)}`);
    this.#running = { key, bus, stopping, ended: bus.run(AbortSignal.any([signal, stopping.signal])) };
    return bus;
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
