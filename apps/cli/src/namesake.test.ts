// A host that looks for another one of its name after each registration; on a real bus.
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
