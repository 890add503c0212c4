// Our own workers, several in one process: they give each body back as it is, unread, or answer the calls of a
// contract.
import { Handlers, Worker, type Answerer } from '@majordomus/mq';
import { echo } from './echo-contract.ts';
import { options, service } from './options.ts';
import { sayReady } from './ready.ts';

const asItIs: Answerer = { answer: (body) => Promise.resolve(body) };
const handlers = options.way === 'call' ? new Handlers().on(echo, (data) => data) : asItIs;
const workers = Array.from({ length: options.workers }, () =>
  new Worker({ endpoint: options.endpoint, service, handlers, ...(options.capacity > 1 && { capacity: options.capacity }) }).start());
await Promise.all(workers.map((worker) => worker.registered()));
sayReady();
