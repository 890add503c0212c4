// A script that uses a SyncClient, one story for each first argument, with the broker of the second. It prints a line of JSON
// for each thing that happened.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { CallError, SyncClient, type Message } from '../../src/index.ts';
import { bellRing, echoGet } from '../contracts.ts';

const [story = '', endpoint = ''] = isMainThread ? process.argv.slice(2) : (workerData as string[]);

function say(what: unknown): void {
  console.log(JSON.stringify(what));
}

/** What an action gives, or the code it fails with. */
function tried(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof CallError ? `${error.name} ${error.code}` : error;
  }
}

const ring = (client: SyncClient, timeoutMs: number): unknown => tried(() => client.call(bellRing, { times: 1 }, { timeoutMs }));
const echo = (client: SyncClient, text: string): unknown => tried(() => client.call(echoGet, { text }));

/** A thread that rings, and waits for the answer for 10 s. */
async function ringingThread(): Promise<Worker> {
  const thread = new Worker(new URL(import.meta.url), { workerData: ['ring', endpoint] });
  await new Promise((resolve) => { thread.once('message', resolve); });
  return thread;
}

const stories: Record<string, (client: SyncClient) => void | Promise<void>> = {
  calls(client) {
    let other = 'nothing else ran';
    setImmediate(() => { other = 'something else ran'; });
    const message: Message = { action: 'echo.get', data: { text: 'plain' } };
    say(client.request('echo', message));
    say(echo(client, 'typed'));
    say((client.call(echoGet, { text: 'x'.repeat(4_000_000) }).text).length);
    say(tried(() => client.call(echoGet, { text: 'refused' })));
    say(other);
  },
  late(client) {
    // Connected, before the time counts.
    say(tried(() => client.request('echo', { action: 'echo.unknown', data: {} })));
    say(ring(client, 100));
    for (const text of ['one', 'two', 'three']) say(echo(client, text));
  },
  lost(client) {
    say(ring(client, 10_000));
  },
  absent(client) {
    const startMs = performance.now();
    say(ring(client, 300));
    const tookMs = performance.now() - startMs;
    say(tookMs >= 290 && tookMs < 5000);
  },
  'no time'(client) {
    for (const timeoutMs of [0, -1, Number.NaN]) say(ring(client, timeoutMs));
  },
  closed(client) {
    say(echo(client, 'before'));
    client.close();
    client.close();
    say(echo(client, 'after'));
    let kept;
    {
      using another = new SyncClient({ endpoint });
      kept = another;
      say(echo(kept, 'in its block'));
    }
    say(echo(kept, 'after its block'));
  },
  exit(client) {
    say(echo(client, 'before'));
    process.exit(3);
  },
  throw(client) {
    say(echo(client, 'before'));
    throw new RangeError('the script is wrong');
  },
  ring(client) {
    const port = parentPort;
    port?.postMessage('ringing');
    say(ring(client, 10_000));
  },
  async 'exit of a thread’s process'() {
    await ringingThread();
    process.exit(3);
  },
  async 'terminated thread'() {
    const thread = await ringingThread();
    say(await thread.terminate());
  },
  async thread(client) {
    say(echo(client, 'main thread'));
    const thread = new Worker(new URL(import.meta.url), { workerData: ['exit', endpoint] });
    await new Promise((resolve) => { thread.once('exit', resolve); });
  },
};

await stories[story]?.(new SyncClient({ endpoint }));
