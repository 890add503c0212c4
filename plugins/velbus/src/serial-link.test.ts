// The serial line on a real terminal device: script(1) makes it, and its standard input and output are the other end.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { testPlugin } from '@majordomus/plugin';
import { expect, it } from 'vitest';
import { until } from '../test/until.ts';
import { FrameParser } from './frame.ts';
import { decodeMessage } from './message.ts';
import { velbus } from './plugin.ts';
import { threeModules } from './simulator/simulated-bus.ts';
import { SimulatorLine } from './simulator/simulator-line.ts';

const hasScript = existsSync('/usr/bin/script');
/** Where the programs of tools/system-programs.txt must be there, this must run. */
const isOptional = process.env['CI'] !== 'true';

/** A terminal device, and the stream at its other end. */
async function terminal(): Promise<{ readonly path: string; readonly stream: Duplex; readonly unplug: () => Promise<void> } & AsyncDisposable> {
  const child = spawn('script', ['-qfc', 'tty && exec sleep 600', '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  stream.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const unplug = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  let printed = '';
  const listen = (bytes: Buffer): void => void (printed += bytes.toString('latin1'));
  stream.on('data', listen);
  await until(() => /\/dev\/\S+/.test(printed));
  stream.off('data', listen);
  return { path: /\/dev\/\S+/.exec(printed)?.[0] ?? '', stream, unplug, [Symbol.asyncDispose]: unplug };
}

it.skipIf(isOptional && !hasScript)('a bus at a serial device is scanned, switched, and missed when it is unplugged', async () => {
  await using device = await terminal();
  const line = new SimulatorLine(threeModules());
  line.attach(device.stream);
  const written = new FrameParser();
  const kinds = new Set<string>();
  device.stream.on('data', (bytes: Uint8Array) => {
    for (const frame of written.push(bytes)) kinds.add(decodeMessage(frame).kind);
  });
  await using plugin = await testPlugin(velbus(), { configuration: { protocol: 'serial', device: device.path, pace: 0 } });
  expect(plugin.state()).toEqual({ ready: true });
  expect(await plugin.helper('scan', { from: 1, to: 30 })).toMatchObject({ modules: [{ name: 'VMB4RY' }, { name: 'VMB1RY' }, { name: 'VMB8PB' }] });
  for (const state of ['on', 'off']) expect(await plugin.helper('relay', { address: 1, channel: 4, state })).toMatchObject({ state });
  // Every byte comes as it is: 0x03, 0x04, 0x11, 0x13 and 0x1A mean something to a terminal that is not raw.
  expect(await plugin.helper('relay', { address: 2, channel: 1, state: 'on', seconds: 0x11_13_1a })).toMatchObject({ remainingSeconds: 0x11_13_1a });
  expect(await plugin.helper('status')).toMatchObject({ connection: { protocol: 'serial', device: device.path, state: 'connected' }, bus: { garbageBytes: 0 } });
  // A terminal echoes what comes; this one does not.
  expect([...kinds].sort()).toEqual(['module-type-request', 'relay-status-request', 'start-relay-timer', 'switch-relay']);
  expect(written.garbageBytes).toBe(0);
  line.press(3, 3);
  await until(() => line.bus.module(1)?.isOn(3) === true);
  line.hangUp();
  await device.unplug();
  await until(() => !plugin.state().ready);
  expect(plugin.state()).toMatchObject({ reason: expect.stringMatching(/^(\S+ is gone; was the interface unplugged\?|there is no \S+; is the interface plugged in\?)$/) });
});
