// The plugin as a house runs it, on simulated buses over real sockets.
import { testPlugin, type TestedPlugin } from '@majordomus/plugin';
import { describe, expect, it } from 'vitest';
import { scriptedDevice } from '../test/scripted-device.ts';
import { until } from '../test/until.ts';
import type { Message } from './message.ts';
import { velbus } from './plugin.ts';
import { threeModules } from './simulator/simulated-bus.ts';
import { SimulatorLine } from './simulator/simulator-line.ts';
import { SimulatorServer } from './simulator/simulator-server.ts';
import type { SwitchedRelay } from './relay.ts';
import type { ScannedModule } from './scan.ts';
import type { statusOf } from './status.ts';

type Status = ReturnType<typeof statusOf>;

/** Bounds for what is to be answered are long, for what is never answered short. */
const patient = { answerMs: 5000, settleMs: 400, scanLimitMs: 20_000 };
const hasty = { ...patient, answerMs: 500 };

const simulator = (): Promise<SimulatorServer> => SimulatorServer.listen(new SimulatorLine(threeModules()));
const start = (device: string, timing = patient): Promise<TestedPlugin> => testPlugin(velbus(timing), { configuration: { device, pace: 0 } });
const status = async (plugin: TestedPlugin): Promise<Status> => (await plugin.helper('status')) as unknown as Status;
const scan = async (plugin: TestedPlugin, from = 1, to = 8): Promise<readonly ScannedModule[]> => ((await plugin.helper('scan', { from, to })) as unknown as { modules: ScannedModule[] }).modules;
const relay = async (plugin: TestedPlugin, address: number, channel: number, state: 'on' | 'off', seconds?: number): Promise<SwitchedRelay> =>
  (await plugin.helper('relay', { address, channel, state, ...(seconds !== undefined && { seconds }) })) as unknown as SwitchedRelay;
/** How a relay is, as the plugin knows it. */
const known = async (plugin: TestedPlugin, address: number, channel: number): Promise<string | undefined> =>
  (await status(plugin)).modules.find((module) => module.address === address)?.relays.find((one) => one.channel === channel)?.state;
/** Lets the waits between two tries pass, until it is so. */
const untilRetried = (plugin: TestedPlugin, isSo: () => boolean | Promise<boolean>): Promise<void> =>
  until(async () => {
    await plugin.clock.advance(500);
    return await isSo();
  });

describe('velbus', () => {
  it('finds the modules of a bus, with their addresses, types and names', async () => {
    await using server = await simulator();
    await using plugin = await start(server.address);
    expect(plugin.state()).toEqual({ ready: true });
    expect(await scan(plugin, 1, 254)).toEqual([
      { address: 1, hexAddress: '0x01', type: '0x08', name: 'VMB4RY', relays: 4, buttons: 0 },
      { address: 2, hexAddress: '0x02', type: '0x02', name: 'VMB1RY', relays: 1, buttons: 0 },
      { address: 3, hexAddress: '0x03', type: '0x01', name: 'VMB8PB', relays: 0, buttons: 8 },
    ]);
    expect(await scan(plugin, 2, 2)).toMatchObject([{ name: 'VMB1RY' }]);
    await expect(plugin.helper('scan', { from: 3, to: 2 })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', message: expect.stringContaining('must not be above to') });
  });

  it('switches relays, whether they were so before or not, and says how they are', async () => {
    await using server = await simulator();
    await using plugin = await start(server.address);
    expect(await relay(plugin, 1, 2, 'on')).toEqual({ address: 1, channel: 2, module: 'VMB4RY', state: 'on', remainingSeconds: 0 });
    expect(server.line.bus.module(1)?.isOn(2)).toBe(true);
    expect(await relay(plugin, 1, 2, 'on')).toMatchObject({ state: 'on' });
    expect(await relay(plugin, 2, 1, 'on', 3600)).toEqual({ address: 2, channel: 1, module: 'VMB1RY', state: 'on', remainingSeconds: 3600 });
    await until(async () => (await known(plugin, 1, 4)) === 'off');
    expect((await status(plugin)).modules).toMatchObject([
      { name: 'VMB4RY', relays: [{ channel: 1, state: 'off' }, { channel: 2, state: 'on' }, { channel: 3, state: 'off' }, { channel: 4, state: 'off' }] },
      { name: 'VMB1RY', relays: [{ channel: 1, state: 'on', remainingSeconds: 3600 }] },
    ]);
    expect(await relay(plugin, 1, 2, 'off')).toMatchObject({ state: 'off' });
    expect(await relay(plugin, 2, 1, 'off')).toMatchObject({ state: 'off', remainingSeconds: 0 });
    expect(server.line.bus.modules.flatMap((module) => [1, 2, 3, 4].filter((channel) => module.isOn(channel)))).toEqual([]);
  });

  it('sees a timer run out', async () => {
    await using server = await simulator();
    await using plugin = await start(server.address);
    expect(await relay(plugin, 1, 1, 'on', 1)).toMatchObject({ state: 'on', remainingSeconds: 1 });
    await until(async () => (await known(plugin, 1, 1)) === 'off');
  });

  it('sees buttons and what they switch, and finds out by itself what speaks', async () => {
    await using server = await simulator();
    await using plugin = await start(server.address);
    // The first press tells of modules that nobody has asked yet.
    server.line.press(3, 2);
    await until(async () => (await status(plugin)).modules.length === 2);
    server.line.press(3, 2);
    server.line.press(3, 2);
    await until(async () => (await known(plugin, 1, 2)) === 'on' && (await status(plugin)).modules[1]?.buttons.length === 1);
    expect((await status(plugin)).modules[1]).toMatchObject({ name: 'VMB8PB', buttons: [{ channel: 2, state: 'released' }] });
    server.line.press(3, 2);
    await until(async () => (await known(plugin, 1, 2)) === 'off');
    expect(plugin.log()).toEqual(expect.arrayContaining(['INFO: button 2 at address 3 (0x03) is pressed', 'INFO: relay 2 at address 1 (0x01) is off']));
  });

  it('tells what it cannot switch, and why', async () => {
    await using server = await simulator();
    await using plugin = await start(server.address, hasty);
    const cases = [
      [{ address: 9, channel: 1, state: 'on' }, 'MODULE_NO_ANSWER', 'a module at address 9 (0x09) does not answer; the command scan gives the modules that do'],
      [{ address: 3, channel: 1, state: 'on' }, 'NOT_A_RELAY', 'the module at address 3 (0x03) is a VMB8PB, which has no relays that velbus knows'],
      [{ address: 2, channel: 2, state: 'on' }, 'CHANNEL_UNKNOWN', 'there is no relay 2 on the VMB1RY at address 2 (0x02): it has only relay 1'],
      [{ address: 1, channel: 5, state: 'on' }, 'CHANNEL_UNKNOWN', 'there is no relay 5 on the VMB4RY at address 1 (0x01): it has relays 1 to 4'],
      [{ address: 1, channel: 1, state: 'off', seconds: 5 }, 'PARAMETERS_INVALID', 'seconds: goes with the state on only'],
      [{ address: 255, channel: 0, state: 'up' }, 'PARAMETERS_INVALID', expect.stringMatching(/address: must be at most 254.*channel: must be at least 1.*state: must be one of "on", "off"/)],
    ] as const;
    for (const [parameters, code, message] of cases) await expect(plugin.helper('relay', parameters)).rejects.toMatchObject({ code, message });
  });

  it('has counted what went over the line', async () => {
    await using server = await simulator();
    await using plugin = await start(server.address);
    await scan(plugin);
    server.line.sendGarbage();
    await until(async () => (await status(plugin)).bus.garbageBytes > 0);
    const { connection, bus } = await status(plugin);
    expect(connection).toEqual({ protocol: 'tcp', device: server.address, state: 'connected', seconds: expect.any(Number) });
    // 8 addresses, and 5 relays of the modules that were found.
    expect(bus).toEqual({ interface: 'ready', connections: 1, framesSent: 13, framesReceived: 8, framesRejected: 1, garbageBytes: expect.any(Number), loadPercent: expect.any(Number) });
  });
});

describe('on a bad line', () => {
  it.each([
    ['that cuts everything into bytes', { fragment: true, garbleEvery: 0, dropEvery: 0 }],
    ['with garbage before every frame', { fragment: false, garbleEvery: 1, dropEvery: 0 }],
    ['with garbage in pieces', { fragment: true, garbleEvery: 2, dropEvery: 0 }],
  ])('%s nothing is lost', async (_how, faults) => {
    await using server = await simulator();
    server.line.faults = faults;
    await using plugin = await start(server.address);
    expect(await scan(plugin)).toHaveLength(3);
    for (const state of ['on', 'off', 'on'] as const) expect(await relay(plugin, 1, 3, state)).toMatchObject({ state });
  });

  it.each(['module-type-request', 'switch-relay'] as const)('a module that did not hear the first %s is told again', async (lost) => {
    const bus = threeModules();
    let losses = 1;
    await using device = await scriptedDevice((message) => (message.kind === lost && losses-- > 0 ? [] : bus.hear(message, 0)));
    await using plugin = await start(device.address, { ...patient, answerMs: 400 });
    expect(await relay(plugin, 2, 1, 'on')).toMatchObject({ state: 'on' });
    expect(bus.module(2)?.isOn(1)).toBe(true);
  });

  it('a module that is silent in the end does not hold anybody', async () => {
    await using server = await simulator();
    await using plugin = await start(server.address, hasty);
    expect(await scan(plugin)).toHaveLength(3);
    server.line.muted = true;
    await expect(relay(plugin, 1, 1, 'on')).rejects.toMatchObject({ code: 'MODULE_NO_ANSWER', message: expect.stringMatching(/^the VMB4RY at address 1 \(0x01\) does not answer/) });
    expect(await scan(plugin)).toEqual([]);
    expect((await status(plugin)).modules).toEqual([]);
  });

  it('a relay that says that it is as before is told as that', async () => {
    const module: Message = { kind: 'module-type', address: 1, type: 0x08, details: [] };
    await using device = await scriptedDevice((message): readonly Message[] => {
      if (message.kind === 'module-type-request') return [module];
      return message.kind === 'relay-status-request' ? [{ kind: 'relay-status', address: 1, channel: 1, setting: 0, status: 0, led: 0, remainingSeconds: 0 }] : [];
    });
    await using plugin = await start(device.address, hasty);
    await expect(relay(plugin, 1, 1, 'on')).rejects.toMatchObject({ code: 'RELAY_UNCHANGED', message: expect.stringMatching(/^relay 1 of the VMB4RY at address 1 \(0x01\) says that it is still off; it may be inhibited/) });
  });

  it('an interface that says that its buffer is full is given nothing until it has room', async () => {
    const bus = threeModules();
    await using device = await scriptedDevice((message) => bus.hear(message, 0));
    await using plugin = await start(device.address);
    device.send({ kind: 'buffer-full' });
    await until(async () => (await status(plugin)).bus.interface === 'buffer-full');
    const before = device.heard.length;
    const switched = relay(plugin, 1, 1, 'on');
    // In the time of these answers it would have been sent and heard.
    for (let count = 0; count < 20; count++) await status(plugin);
    expect(device.heard.length).toBe(before);
    device.send({ kind: 'buffer-ready' });
    expect(await switched).toMatchObject({ state: 'on' });
  });

  it('a short frame after garbage that begins a long one is not waited for, once the line is silent', async () => {
    await using device = await scriptedDevice(() => []);
    await using plugin = await start(device.address);
    device.sendBytes(0x0f, 0xf8, 0x01, 0x08);
    device.send({ kind: 'buffer-full' });
    await until(async () => (await status(plugin)).bus.interface === 'buffer-full');
    expect((await status(plugin)).bus).toMatchObject({ framesReceived: 1, garbageBytes: 4 });
  });

  it('a scan does not wait for ever for an interface that takes nothing', async () => {
    await using device = await scriptedDevice(() => []);
    await using plugin = await start(device.address, { ...patient, scanLimitMs: 200 });
    device.send({ kind: 'buffer-full' });
    await until(async () => (await status(plugin)).bus.interface === 'buffer-full');
    await expect(scan(plugin)).rejects.toMatchObject({ code: 'BUS_BUSY', message: expect.stringMatching(/^the scan came only to address 1 within 0\.2 s: the interface takes no more frames \(buffer-full\)/) });
  });

  it('a bus that is off is told as the reason', async () => {
    await using server = await simulator();
    await using plugin = await start(server.address, hasty);
    server.line.muted = true;
    server.line.send({ kind: 'bus-off' });
    await until(async () => (await status(plugin)).bus.interface === 'bus-off');
    await expect(relay(plugin, 1, 1, 'on')).rejects.toMatchObject({ code: 'MODULE_NO_ANSWER', message: expect.stringContaining('the interface says bus-off') });
  });
});

describe('a device that is not there', () => {
  it('makes the plugin not ready, with the reason, until it is', async () => {
    const gone = await simulator();
    await gone.close();
    await using plugin = await start(gone.address);
    const reason = `nothing listens at ${gone.address}; is the gateway started?`;
    expect(plugin.state()).toEqual({ ready: false, reason });
    await expect(relay(plugin, 1, 1, 'on')).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE', message: `${reason}; nothing was sent` });
    expect((await status(plugin)).connection).toEqual({ protocol: 'tcp', device: gone.address, state: 'unreachable', reason });
    await using back = await SimulatorServer.listen(new SimulatorLine(threeModules()), { port: gone.port });
    await untilRetried(plugin, () => plugin.state().ready);
    expect(await scan(plugin)).toHaveLength(3);
    expect(back.line.streams).toBe(1);
  });

  it('and was there is connected again, and its relays are asked anew', async () => {
    await using server = await simulator();
    await using plugin = await start(server.address);
    await relay(plugin, 1, 1, 'on');
    const { port } = server;
    await server.close();
    await until(() => !plugin.state().ready);
    await using again = await SimulatorServer.listen(new SimulatorLine(threeModules()), { port });
    await untilRetried(plugin, () => plugin.state().ready);
    await until(async () => (await known(plugin, 1, 1)) === 'off');
    expect((await status(plugin)).bus.connections).toBe(2);
    expect(again.line.streams).toBe(1);
  });

  it('any more in the middle of a command ends it with a code, and the next one works', async () => {
    const bus = threeModules();
    let cut = true;
    await using device = await scriptedDevice((message) => (message.kind === 'switch-relay' && cut ? 'hang up' : bus.hear(message, 0)));
    await using plugin = await start(device.address);
    await expect(relay(plugin, 1, 1, 'on')).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: `the connection was lost in the middle of the command: ${device.address} closed the connection; what was asked may be done or not`,
    });
    cut = false;
    await untilRetried(plugin, async () => (await status(plugin)).connection.state === 'connected');
    expect(await relay(plugin, 1, 1, 'on')).toMatchObject({ state: 'on' });
  });

  it('by its name is told so', async () => {
    await using plugin = await start('no-such-host.invalid:27015');
    expect(plugin.state()).toEqual({ ready: false, reason: expect.stringMatching(/^no-such-host\.invalid:27015: (no host has this name|.*ENOTFOUND)/) });
  });

  it('as a serial device is told so', async () => {
    for (const [device, reason] of [
      ['/dev/no-such-tty', 'there is no /dev/no-such-tty; is the interface plugged in?'],
      ['/dev/null', '/dev/null is no serial device'],
    ]) {
      await using plugin = await testPlugin(velbus(hasty), { configuration: { protocol: 'serial', device: device ?? '' } });
      expect(plugin.state()).toEqual({ ready: false, reason });
    }
  });
});

describe('the configuration', () => {
  it('without a device is asked for', async () => {
    await using server = await simulator();
    await using plugin = await testPlugin(velbus(patient));
    expect(plugin.state()).toEqual({ ready: false, reason: expect.stringContaining('device is not set; set it: domus config set velbus device 127.0.0.1:27015') });
    await plugin.configure({ device: server.address });
    await until(() => plugin.state().ready);
  });

  it('with a device that cannot be one is told so, and is right as soon as the device is', async () => {
    await using server = await simulator();
    await using plugin = await start('/dev/ttyACM0');
    const reason = 'device must be HOST:PORT for the protocol tcp, not "/dev/ttyACM0"; set it: domus config set velbus protocol serial';
    expect(plugin.state()).toEqual({ ready: false, reason });
    await expect(plugin.helper('status')).rejects.toMatchObject({ code: 'DEVICE_INVALID', message: reason });
    await plugin.configure({ device: server.address, pace: 0 });
    await plugin.clock.advance(2000);
    await until(() => plugin.state().ready);
    expect(await scan(plugin)).toHaveLength(3);
  });

  it('with a device that cannot be one is right with the next command, too', async () => {
    await using server = await simulator();
    await using plugin = await start('/dev/ttyACM0');
    await plugin.configure({ device: server.address, pace: 0 });
    await plugin.helper('status');
    await until(() => plugin.state().ready);
  });

  it('of a device that is not there is read again before each try, so that the right one counts', async () => {
    const gone = await simulator();
    await gone.close();
    await using server = await simulator();
    await using plugin = await start(gone.address);
    expect(plugin.state()).toMatchObject({ ready: false, reason: expect.stringContaining(gone.address) });
    await plugin.configure({ device: '192.168.1.5' });
    await plugin.clock.advance(500);
    expect(plugin.state()).toMatchObject({ ready: false, reason: expect.stringContaining('not "192.168.1.5"') });
    await plugin.configure({ device: server.address, pace: 0 });
    await plugin.clock.advance(2000);
    await until(() => plugin.state().ready);
    expect(server.line.streams).toBe(1);
  });

  it('of another device moves the connection there', async () => {
    await using one = await simulator();
    await using other = await simulator();
    await using plugin = await start(one.address);
    await plugin.configure({ device: other.address, pace: 0 });
    await plugin.helper('status');
    await until(() => one.line.streams === 0 && other.line.streams === 1);
    expect(plugin.state()).toEqual({ ready: true });
  });
});

it('a stop leaves no connection', async () => {
  await using server = await simulator();
  const plugin = await start(server.address);
  expect(server.line.streams).toBe(1);
  await plugin.stop();
  await until(() => server.line.streams === 0);
});
