// A bus by itself, where a test needs an exact moment.
import { silentLog } from '@majordomus/plugin';
import { expect, it } from 'vitest';
import { scriptedDevice } from '../test/scripted-device.ts';
import { until } from '../test/until.ts';
import { Bus } from './bus.ts';
import { parseDevice } from './device.ts';

const never = new AbortController().signal;
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now(), delay: () => Promise.resolve() };

it('a frame whose turn came when the line went is not counted as sent, and its sender is told', async () => {
  await using gateway = await scriptedDevice(() => []);
  const device = parseDevice('tcp', gateway.address);
  if ('problem' in device) expect.fail(device.problem);
  const bus = new Bus({ device, paceMs: 0, log: silentLog, clock, beforeRetry: () => Promise.resolve(), onConnection: () => {} });
  const stopping = new AbortController();
  const ended = bus.run(stopping.signal);
  try {
    await until(() => bus.connection.state === 'connected');
    await bus.send({ kind: 'module-type-request', address: 1 }, never);
    const sending = bus.send({ kind: 'module-type-request', address: 2 }, never);
    stopping.abort();
    await expect(sending).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(bus.counters.framesSent).toBe(1);
  } finally {
    stopping.abort();
    await ended;
  }
});
