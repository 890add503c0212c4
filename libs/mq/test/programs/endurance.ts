// Many calls over real sockets in one process, which ends by itself when everything was closed.
import { Broker, Client, Handlers, Worker } from '../../src/index.ts';
import { echoGet } from '../contracts.ts';

const [calls = 0, inFlight = 0] = process.argv.slice(2).map(Number);
const broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
const handlers = new Handlers().on(echoGet, ({ text }) => ({ text }));
const workers = [512, 512].map((capacity) => new Worker({ endpoint: broker.endpoint, service: 'echo', capacity, handlers }).start());
await Promise.all(workers.map((worker) => worker.registered()));
const client = new Client({ endpoint: broker.endpoint });

let next = 0;
let right = 0;
await Promise.all(Array.from({ length: inFlight }, async () => {
  while (next < calls) {
    next += 1;
    const text = String(next);
    const answer = await client.call(echoGet, { text }, { timeoutMs: 60_000 });
    if (answer.text === text) right += 1;
  }
}));
const { open, dropped, refused } = broker.status();
await client.close();
await Promise.all(workers.map((worker) => worker.stop()));
await broker.close();
console.log(JSON.stringify({ right, open, dropped, refused }));
