// A client that blocks, in processes of its own: what it answers, and that it never takes its process down or keeps it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { refuse } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker, Handlers, Worker } from '../src/index.ts';
import { bellRing, echoGet } from './contracts.ts';

const program = fileURLToPath(new URL('./programs/sync.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly said: unknown[];
  readonly stderr: string;
}

async function run(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: import.meta.dirname });
  const [out, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number | null]>]);
  return { code, stderr, said: out.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown) };
}

interface EchoHouse extends AsyncDisposable {
  readonly endpoint: string;
}

/** A broker and a worker that rings only once it was asked for an echo. */
async function openHouse(): Promise<EchoHouse> {
  const broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
  const asked = Promise.withResolvers<void>();
  const handlers = new Handlers()
    .on(echoGet, ({ text: said }) => {
      asked.resolve();
      if (said === 'refused') throw refuse(echoGet, 'NOT_TODAY', 'not today');
      return { text: said };
    })
    .on(bellRing, async ({ times }) => {
      await asked.promise;
      return { rung: times };
    });
  const worker = new Worker({ endpoint: broker.endpoint, service: 'echo', handlers, capacity: 64 }).start();
  await worker.registered();
  return {
    endpoint: broker.endpoint,
    async [Symbol.asyncDispose]() {
      asked.resolve();
      await worker.stop();
      await broker.close();
    },
  };
}

const echoed = (said: string): object => ({ text: said });

describe('a SyncClient', { concurrent: true, timeout: 60_000 }, () => {
  let house: EchoHouse;
  beforeAll(async () => {
    house = await openHouse();
  });
  afterAll(() => house[Symbol.asyncDispose]());
  const story = async (name: string, endpoint = house.endpoint): Promise<Ended> => await run(program, name, endpoint);

  it('gives plain and typed answers of any size and coded errors, while nothing else runs in its thread', async () => {
    const reply = { action: 'echo.result', data: { status: true, reason: '', text: 'plain' } };
    expect(await story('calls')).toEqual({ code: 0, stderr: '', said: [reply, echoed('typed'), 4_000_000, 'PeerError NOT_TODAY', 'nothing else ran'] });
  });

  it('C2: ends a call at its deadline, and a late answer belongs to no later call', async () => {
    await using own = await openHouse();
    expect(await story('late', own.endpoint)).toEqual({ code: 0, stderr: '', said: ['PeerError ACTION_UNKNOWN', expect.stringMatching(/ DEADLINE_EXCEEDED$/) as string, ...['one', 'two', 'three'].map(echoed)] });
  });

  it('C4: says NOT_CONNECTED at the deadline when there is no broker', async () => {
    const gone = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    await gone.close();
    expect(await story('absent', gone.endpoint)).toEqual({ code: 0, stderr: '', said: ['BusError NOT_CONNECTED', true] });
  });

  it('says at once that no answer can come within no time', async () => {
    expect(await story('no time')).toEqual({ code: 0, stderr: '', said: Array.from({ length: 3 }, () => 'CallerError BAD_REQUEST') });
  });

  it('C4: says BROKER_LOST at once when the broker goes', async () => {
    const mortal = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    const held = Promise.withResolvers<void>();
    const handlers = new Handlers().on(bellRing, () => {
      held.resolve();
      return new Promise(() => {});
    });
    const holder = new Worker({ endpoint: mortal.endpoint, service: 'echo', handlers, stopLimitMs: 0 }).start();
    const ended = story('lost', mortal.endpoint);
    await held.promise;
    await mortal.close();
    expect(await ended).toEqual({ code: 0, stderr: '', said: ['BusError BROKER_LOST'] });
    await holder.stop();
  });

  it('closes twice without harm, says so to a later call, and at the end of a `using` block', async () => {
    expect(await story('closed')).toEqual({ code: 0, stderr: '', said: [echoed('before'), 'CallerError CLIENT_CLOSED', echoed('in its block'), 'CallerError CLIENT_CLOSED'] });
  });

  it('may be open when the process exits', async () => {
    expect(await story('exit')).toEqual({ code: 3, stderr: '', said: [echoed('before')] });
  });

  it('may be open when the script ends by an exception, which is all that is printed', async () => {
    const { code, said, stderr } = await story('throw');
    expect({ code, said }).toEqual({ code: 1, said: [echoed('before')] });
    expect(stderr).toMatch(/RangeError: the script is wrong\n( +at .+\n)+\nNode\.js \S+\n$/);
  });

  it('works in a thread, beside another in the main one', async () => {
    expect(await story('thread')).toEqual({ code: 0, stderr: '', said: [echoed('main thread'), echoed('before')] });
  });

  it('does not abort the process when its thread is stopped in the middle of a call, or the process ends then', async () => {
    const alone = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    expect(await story('terminated thread', alone.endpoint)).toEqual({ code: 0, stderr: '', said: [1] });
    expect(await story('exit of a thread’s process', alone.endpoint)).toEqual({ code: 3, stderr: '', said: [] });
    await alone.close();
  });

  it('works where Node is given its program on the command line', async () => {
    const source = `import { SyncClient } from '@majordomus/mq'; console.log(JSON.stringify(new SyncClient({ endpoint: '${house.endpoint}' }).request('echo', { action: 'echo.get', data: {} }).data.text))`;
    expect(await run('--input-type=module', '-e', source)).toEqual({ code: 0, stderr: '', said: ['silence'] });
  });

  it('says what is wrong with an address', async () => {
    const { code, stderr } = await story('closed', 'nonsense');
    expect(code).toBe(1);
    expect(stderr).toMatch(/CallerError: cannot use "nonsense": an address is tcp:/);
  });
});
