// A real bus with packagemanagers on it, and workers in the place of dbmanager and manager, for the tests.
import { join } from 'node:path';
import type { JsonObject, RequestOf, schemaSet } from '@majordomus/contracts';
import { Broker, Client, Worker } from '@majordomus/mq';
import { silentLog, type Log } from '@majordomus/runtime';
import { ownKitFolder } from '../src/kit.ts';
import { start } from '../src/service.ts';
import { gateLimits } from './change-over.ts';
import { noRegistry } from './house.ts';
import { temporaryFolder } from './packages.ts';
import { SimulatedHouse } from './simulated-house.ts';

export interface Bus extends AsyncDisposable {
  readonly folder: string;
  readonly client: Client;
  /** dbmanager, and the manager of `igor`, whose home is `home`. */
  readonly peers: SimulatedHouse;
  /** What dbmanager was told. */
  readonly schemas: RequestOf<typeof schemaSet>[];
  /** What the packagemanagers logged as errors. */
  readonly errors: unknown[];
  /** The ids that the manager was asked to stop. */
  readonly stopped: string[];
  /** Starts packagemanager on a home in `folder`; resolves when it is ready, and disposing of it stops it. */
  readonly house: (home: string, host: string, primary?: boolean) => Promise<AsyncDisposable & { readonly ended: Promise<void> }>;
}

export interface Peers {
  readonly schemaSet?: () => Promise<void>;
  readonly pluginStop?: () => Promise<void>;
  /** Called before each action of the peers; what it throws is the answer. */
  readonly before?: (action: string, data: JsonObject) => void | Promise<void>;
  /** Peers that are not on the bus. */
  readonly without?: readonly string[];
}

export async function newBus(peers: Peers = {}): Promise<Bus> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder()).path;
  const { endpoint } = stack.use(await Broker.bind({ endpoint: 'tcp://127.0.0.1:*', limits: { discoveryGraceMs: 600 } }));
  const client = stack.use(new Client({ endpoint }));
  const simulated = new SimulatedHouse({
    packages: join(folder, 'home', 'packages'),
    before: async (action, data) => {
      if (action === 'schema.set') await peers.schemaSet?.();
      if (action === 'plugin.stop') await peers.pluginStop?.();
      await peers.before?.(action, data);
    },
  });
  const { schemas, stopped, dbmanager, manager } = simulated;
  for (const [service, handlers] of [['dbmanager', dbmanager], ['igor.manager', manager]] as const) {
    if (peers.without?.includes(service) === true) continue;
    await stack.use(new Worker({ endpoint, service, handlers, capacity: 8 }).start()).registered();
  }
  const errors: unknown[] = [];
  const log = Object.create(silentLog, { error: { value: (...said: readonly unknown[]) => void errors.push(...said) } }) as Log;
  const house: Bus['house'] = async (home, host, primary = true) => {
    const stopping = new AbortController();
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const settings = { home: join(folder, home), broker: endpoint, host, logLevel: 'silent', primary, kitFolder: ownKitFolder, registry: noRegistry, readyLimitMs: gateLimits.timeoutMs, calmMs: gateLimits.calmMs } as const;
    const ended = start(settings, { signal: stopping.signal, log, ready: () => resolve(), notReady: () => {} });
    await Promise.race([ready, ended]);
    return {
      ended,
      async [Symbol.asyncDispose]() {
        stopping.abort();
        await ended;
      },
    };
  };
  return { folder, client, peers: simulated, schemas, errors, stopped, house, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
