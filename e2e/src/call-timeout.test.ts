// `domus call --timeout` is kept whoever does not answer: the service, the manager that knows of it, the broker.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { pluginList } from '@majordomus/contracts';
import { Broker, Handlers, Worker } from '@majordomus/mq';
import { describe, expect, it } from 'vitest';
import { runDomus } from './domus.ts';
import { Home } from './home.ts';
import { shortestMs } from './waiting.ts';

/** The start of the command, its 1 s, and what a busy machine adds; with the two seconds of another question it would be three. */
const boundMs = 2500;

/** How long the call takes that fails as expected. */
async function callMs(home: Home, endpoint: string, expected: RegExp): Promise<number> {
  return await shortestMs(boundMs, async () => {
    const startedMs = performance.now();
    expect(await runDomus(['--home', home.folder, '--broker', endpoint, '--host', 'igor', 'call', 'igor.lamp', 'helper.list', '--timeout', '1'])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(expected) as string });
    return performance.now() - startedMs;
  });
}

describe('the time of a call', () => {
  it('is not that of a manager that does not answer', async () => {
    await using home = new Home();
    await using broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    const stopping = new AbortController();
    const never = new Promise<never>((_resolve, reject) => stopping.signal.addEventListener('abort', () => reject(stopping.signal.reason)));
    never.catch(() => {});
    await using manager = new Worker({ endpoint: broker.endpoint, service: 'igor.manager', capacity: 8, handlers: new Handlers().on(pluginList, () => never) }).start();
    await manager.registered();
    try {
      expect(await callMs(home, broker.endpoint, /^DEADLINE_EXCEEDED: .*igor\.lamp/)).toBeLessThan(boundMs);
    } finally {
      stopping.abort();
    }
  });

  it('is not that of a broker that does not answer', async () => {
    await using home = new Home();
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    try {
      await once(silent, 'listening');
      const address = silent.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      expect(await callMs(home, `tcp://127.0.0.1:${port}`, /^NOT_CONNECTED: /)).toBeLessThan(boundMs);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });
});
