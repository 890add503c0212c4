// Over a real bus, with workers in the place of the house of ground and of dbmanager.
import { configGet, configList, partList } from '@majordomus/contracts';
import { Broker, Client, Handlers, Worker } from '@majordomus/mq';
import { commonSettings } from '@majordomus/runtime';
import { expect, it } from 'vitest';
import { allHosts, hostsOf, missingHost } from './hosts.ts';

interface Bus extends AsyncDisposable {
  readonly client: Client;
  readonly start: (service: string, handlers: Handlers) => Promise<void>;
}

/** With ground on it. */
async function newBus(): Promise<Bus> {
  const stack = new AsyncDisposableStack();
  const { endpoint } = stack.use(await Broker.bind({ endpoint: 'tcp://127.0.0.1:*', limits: { discoveryGraceMs: 50 } }));
  const client = stack.use(new Client({ endpoint }));
  const start = async (service: string, handlers: Handlers): Promise<void> => await stack.use(new Worker({ endpoint, service, handlers }).start()).registered();
  await start('ground.house', new Handlers().on(partList, () => ({ host: 'ground', home: '/home/ground', version: '0.1.0', parts: [] })));
  return { client, start, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const timeoutMs = 10_000;

it('a host that is not on the bus is one that has joined the house, or unknown', async () => {
  await using bus = await newBus();
  await bus.start('dbmanager', new Handlers()
    .on(configList, () => ({ configurations: ['attic', 'ground'].map((host) => ({ host, plugin: 'house', keys: 1 })) }))
    .on(configGet, ({ host, plugin }) => ({ host, plugin, data: { joined: true }, defaults: [] })));
  expect(await hostsOf(bus.client, { timeoutMs })).toEqual([{ host: 'attic', count: 0 }, { host: 'ground', count: 1 }]);
  expect(await missingHost(bus.client, 'ground')).toBeUndefined();
  expect(await missingHost(bus.client, 'attic')).toMatchObject({ code: 'HOST_AWAY', text: expect.stringMatching(/^attic is a host of the house, and it is not on the bus; see that its "domus up" runs/) as string });
  expect(await missingHost(bus.client, 'nowhere')).toEqual({ code: 'HOST_UNKNOWN', text: 'the house has no host nowhere; there are attic and ground; see: ./domus status' });
  const own = commonSettings.host.fallback;
  expect(await missingHost(bus.client, own)).toMatchObject({ code: 'HOST_UNKNOWN', text: `this machine (${own}) is no host of the house, so name the one that you mean: --host NAME; there are attic and ground` });
});

it('without the answer of dbmanager no host is called unknown, and those on the bus are seen', async () => {
  await using bus = await newBus();
  expect(await missingHost(bus.client, 'attic', { timeoutMs })).toBeUndefined();
  expect(await hostsOf(bus.client, { timeoutMs })).toEqual([{ host: 'ground', count: 1 }]);
  await expect(allHosts(bus.client, { timeoutMs })).rejects.toMatchObject({ code: 'SERVICE_UNKNOWN', service: 'dbmanager' });
});
