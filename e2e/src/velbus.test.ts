// The plugin velbus in a house, with the simulator that comes with it as a program of its own.
import { helperDo } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domusScript, runDomus, startProgram, type Started } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { until, untilTrue } from './waiting.ts';

const pluginFolder = domusScript.replace(/domus$/, 'plugins/velbus');

class Simulator implements AsyncDisposable {
  readonly #started: Started;
  /** HOST:PORT. */
  readonly address: string;

  /** Runs it as a person does. Port * for any. */
  static async start(port = '*', ...flags: readonly string[]): Promise<Simulator> {
    const started = startProgram(domusScript, ['run', 'velbus-simulator', '--listen', `tcp://127.0.0.1:${port}`, ...flags]);
    const address = await until('the simulator says where it listens', () => /^velbus-simulator listens on (\S+),/m.exec(started.stdout())?.[1], { describe: () => started.stderr() });
    return new Simulator(started, address);
  }

  private constructor(started: Started, address: string) {
    this.#started = started;
    this.address = address;
  }

  get port(): string {
    return this.address.split(':')[1] ?? '';
  }

  /** What is typed at it, and answered. */
  async type(line: string, answer: string): Promise<void> {
    const before = this.#started.stdout().length;
    this.#started.child.stdin?.write(`${line}\n`);
    await untilTrue(`the simulator answers ${answer}`, () => this.#started.stdout().slice(before).includes(answer), { describe: () => this.#started.stdout().slice(before) });
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.#started.child.kill(signal);
    return (await this.#started.ended).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
  }
}

describe('velbus in a house', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const call = async (command: string, parameters: Readonly<Record<string, string | number>> = {}): Promise<unknown> =>
    (await house.client.call(helperDo, { command, parameters }, { service: house.service('velbus') })).result;

  it('is installed, configured, ready, scanned, switched, missed, and found again', async () => {
    await using simulator = await Simulator.start();
    const installed = await home.run('plugin', 'install', pluginFolder);
    expect(installed).toMatchObject({ code: 0, stderr: expect.stringMatching(/velbus is not-ready .*device is not set; set it: \.\/domus config set velbus device 127\.0\.0\.1:27015/) });
    await home.tell('config', 'set', 'velbus', 'device', simulator.address);
    await house.untilPlugin('velbus', ({ state }) => state === 'running');

    expect(await call('scan', { to: 8 })).toMatchObject({ modules: [{ address: 1, name: 'VMB4RY' }, { address: 2, name: 'VMB1RY' }, { address: 3, name: 'VMB8PB' }] });
    expect(await call('relay', { address: 1, channel: 2, state: 'on' })).toMatchObject({ module: 'VMB4RY', state: 'on' });
    await expect(call('relay', { address: 3, channel: 2, state: 'on' })).rejects.toMatchObject({ code: 'NOT_A_RELAY' });

    // Garbage and lost pieces on the line harm nothing.
    await simulator.type('garble 1', 'garble 1');
    await simulator.type('fragment on', 'fragment on');
    await simulator.type('garbage', 'garbage sent');
    expect(await call('relay', { address: 1, channel: 2, state: 'off' })).toMatchObject({ state: 'off' });
    await simulator.type('press 3 5', 'relay 1 at 0x02 is on');
    await until('the button is seen', async () => {
      const { modules } = (await call('status')) as { readonly modules: readonly { readonly relays: readonly { readonly state: string }[] }[] };
      return modules[1]?.relays[0]?.state === 'on' ? true : undefined;
    });

    const { pid } = await house.plugin('velbus');
    await simulator.kill('SIGKILL');
    const reason = `nothing listens at ${simulator.address}; is the gateway started?`;
    await house.untilPlugin('velbus', (status) => status.state === 'not-ready' && status.reason === reason);
    expect(await home.tell('status')).toMatch(/^velbus .* not-ready .*; is the gateway started\?$/m);
    const order = JSON.stringify({ command: 'relay', parameters: { address: 1, channel: 1, state: 'on' } });
    expect(await home.run('call', house.service('velbus'), 'helper.do', order)).toMatchObject({ code: 1, stderr: `DEVICE_UNREACHABLE: ${reason}; nothing was sent\n` });
    await using _back = await Simulator.start(simulator.port);
    expect(await house.untilPlugin('velbus', ({ state }) => state === 'running')).toMatchObject({ pid, restarts: 0, reason: '' });
    expect(await call('relay', { address: 1, channel: 1, state: 'on' })).toMatchObject({ state: 'on' });
  });
});

describe('domus run velbus-simulator', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('ends by %s in order', async (signal) => {
    await using simulator = await Simulator.start();
    expect(await simulator.kill(signal)).toBe(0);
  });

  it('shows its flags when one is wrong', async () => {
    for (const [flags, reason] of [
      [['--lisen', 'x'], /^velbus-simulator: Unknown option '--lisen'\nUsage: domus run velbus-simulator/],
      [['--listen', '127.0.0.1:5'], /^velbus-simulator: --listen must be like tcp:\/\/127\.0\.0\.1:40480 or tcp:\/\/127\.0\.0\.1:\*, not 127\.0\.0\.1:5\n$/],
      [['--garble', 'often'], /^velbus-simulator: --garble must be a number, not often\n$/],
    ] as const) {
      expect(await runDomus(['run', 'velbus-simulator', ...flags])).toMatchObject({ code: 78, stdout: '', stderr: expect.stringMatching(reason) });
    }
  });

  it('says in one line that its port is taken', async () => {
    await using simulator = await Simulator.start();
    expect(await runDomus(['run', 'velbus-simulator', '--listen', `tcp://${simulator.address}`])).toMatchObject({ code: 78, stderr: expect.stringMatching(/^velbus-simulator: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/) });
  });
});
