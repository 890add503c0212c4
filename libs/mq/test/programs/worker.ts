// A worker as a process: answers echo.get, and holds every bell.ring for ever.
import { Handlers, Worker } from '../../src/index.ts';
import { bellRing, echoGet } from '../contracts.ts';

const [endpoint = ''] = process.argv.slice(2);
const handlers = new Handlers()
  .on(echoGet, ({ text }) => ({ text }))
  .on(bellRing, () => {
    console.log('ringing');
    return new Promise(() => {});
  });
const worker = new Worker({ endpoint, service: 'echo', handlers, capacity: 64 }).start();
await worker.registered();
process.stdin.on('end', () => void worker.stop()).resume();
console.log('registered');
