// Ends by process.exit while sockets are open and reading: the binding must not abort the process.
import { Broker, Client, Handlers, Worker } from '../../src/index.ts';
import { bellRing } from '../contracts.ts';

const [when = ''] = process.argv.slice(2);
const broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
const held = Promise.withResolvers<void>();
const handlers = new Handlers().on(bellRing, () => {
  held.resolve();
  return new Promise(() => {});
});
if (when === 'bound') process.exit(3);
const worker = new Worker({ endpoint: broker.endpoint, service: 'echo', capacity: 4, handlers }).start();
const client = new Client({ endpoint: broker.endpoint });
if (when === 'connecting') process.exit(3);
await worker.registered();
const call = client.call(bellRing, { times: 1 });
await held.promise;
if (when === 'busy') process.exit(3);
call.catch(() => {});
void client.close();
void worker.stop();
void broker.close();
process.exit(3);
