// A host that looks for another one of its name after each registration; on a real bus.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Broker, Handlers, Worker } from '@majordomus/mq';
import { expect, it } from 'vitest';
import { Namesake } from './namesake.ts';

const service = 'attic.house';

it('tells of a second host that answers under its name', async () => {
  await using broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
  const { endpoint } = broker;
  const told = Promise.withResolvers<string>();
  const warn = (text: string): void => told.resolve(text);
  using namesake = new Namesake({ endpoint, service, host: 'attic', log: { warn }, lookAfterMs: 0 });
  const offer = async (onPresence?: (isRegistered: boolean) => void): Promise<Worker> => {
    const worker = new Worker({ endpoint, service, handlers: new Handlers(), ...(onPresence && { onPresence }) }).start();
    await worker.registered();
    return worker;
  };
  await using _own = await offer((isRegistered) => namesake.onPresence(isRegistered));
  await using _other = await offer();
  namesake.onPresence(true);
  expect(await told.promise).toMatch(/^2 hosts are called attic, and each gets only a part of what is asked of attic: stop the others/);
});

it('lets go of a broker that does not answer as soon as it is disposed of', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as { readonly port: number };
    const namesake = new Namesake({ endpoint: `tcp://127.0.0.1:${port}`, service, host: 'attic', log: { warn: () => {} }, lookAfterMs: 0 });
    namesake.onPresence(true);
    const [socket] = (await once(server, 'connection')) as [Socket];
    socket.on('error', () => {}).resume();
    const isClosed = new Promise<void>((resolve) => void socket.on('close', () => resolve()));
    namesake[Symbol.dispose]();
    await isClosed;
  } finally {
    server.close();
  }
}, 5000);

it('says so when it cannot look at all', async () => {
  const told = Promise.withResolvers<string>();
  using namesake = new Namesake({ endpoint: 'nowhere', service, host: 'attic', log: { warn: (text: string) => told.resolve(text) }, lookAfterMs: 0 });
  namesake.onPresence(true);
  expect(await told.promise).toMatch(/^cannot see whether another host is called attic: /);
});
