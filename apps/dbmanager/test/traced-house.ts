// A bus with one client, on which dbmanager runs as a program that can be killed, watched and harmed.
import { join } from 'node:path';
import { configGet, configSet, type JsonValue } from '@majordomus/contracts';
import { Broker, Client, type BrokerLimits } from '@majordomus/mq';
import { startDbmanager, type DbmanagerOptions, type DbmanagerProcess } from './dbmanager-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

const host = 'igor';
const key = 'value';

export interface TracedHouse extends AsyncDisposable {
  readonly client: Client;
  /** Where a trace may be written. */
  readonly trace: string;
  /** Starts dbmanager on the home of this house; it ends with the house at the latest. */
  start(options?: Omit<DbmanagerOptions, 'home' | 'broker'>): Promise<DbmanagerProcess>;
  /** A write whose mark stands in its data and in its reply: the name of the plugin. Tried again by the client if dbmanager is lost. */
  write(mark: string, value?: JsonValue): Promise<unknown>;
  /** The same, tried once; the data of the reply, whatever it is. */
  writeOnce(mark: string, value: JsonValue): Promise<Readonly<Record<string, unknown>>>;
  /** What is stored; undefined if nothing is. */
  read(mark: string): Promise<JsonValue | undefined>;
}

export async function tracedHouse(limits: Partial<BrokerLimits> = {}): Promise<TracedHouse> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const broker = stack.use(await Broker.bind({ endpoint: 'tcp://127.0.0.1:*', limits }));
  const client = stack.use(new Client({ endpoint: broker.endpoint }));
  return {
    client,
    trace: join(folder, 'trace'),
    start: async (options = {}) => stack.use(await startDbmanager({ home: folder, broker: broker.endpoint, ...options })),
    write: (mark, value = 1) => client.call(configSet, { host, plugin: mark, key, value }),
    writeOnce: async (mark, value) => (await client.request(configSet.service, { action: configSet.action, data: { host, plugin: mark, key, value } })).data,
    read: async (mark) => {
      const result = await client.call(configGet, { host, plugin: mark });
      return 'data' in result ? result.data[key] : undefined;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Names that no other contains, for so many writes. */
export const marksOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `mark${1000 + index}`);
