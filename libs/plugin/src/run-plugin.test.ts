// A plugin over a real broker, in this process and in one of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as timePasses } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { busCodes, helperDo, helperHelp, helperList, stopPlugin } from '@majordomus/contracts';
import { epochVariable, exitCannotStart, exitSuperseded, readinessFd, readinessVariable, silentLog } from '@majordomus/runtime';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bus } from '../test/bus.ts';
import { configured, heating } from '../test/heating.ts';
import type { Plugin } from './define-plugin.ts';
import { servePlugin } from './run-plugin.ts';

const service = 'igor.heating';
let bus: Bus;

beforeEach(async () => {
  bus = await Bus.start();
});
afterEach(async () => {
  await bus[Symbol.asyncDispose]();
});

interface Served extends AsyncDisposable {
  /** The next thing that it says of itself: `ready`, or why it is not. */
  next(): Promise<string>;
  readonly ended: Promise<void>;
}

function serve(plugin: Plugin = heating(), epoch?: number): Served {
  const stopping = new AbortController();
  const said: string[] = [];
  let wake: (() => void) | undefined;
  const say = (what: string): void => {
    said.push(what);
    wake?.();
  };
  const ended = servePlugin(plugin, { host: 'igor', broker: bus.endpoint, configurationRetryMs: 10, epoch }, {
    log: silentLog,
    signal: stopping.signal,
    ready: () => say('ready'),
    notReady: say,
  });
  return {
    ended,
    async next() {
      while (said.length === 0) await new Promise<void>((resolve) => { wake = resolve; });
      return said.shift() ?? '';
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await ended;
    },
  };
}

describe('a plugin on the bus', () => {
  it('answers as <host>.<name> what every plugin answers, as soon as it says that it is ready', async () => {
    bus.startDbmanager();
    bus.set.set(service, configured);
    await using plugin = serve();
    expect(await plugin.next()).toBe('ready');
    expect(await bus.client.call(helperList, {}, { service })).toMatchObject({ actions: ['warm', 'off'] });
    expect(await bus.client.call(helperHelp, { command: 'warm' }, { service })).toMatchObject({
      command: 'warm',
      help: 'Warms a room',
      parameters: { room: { type: 'string', required: true }, degrees: { default: 21 } },
    });
    expect(await bus.client.call(helperDo, { command: 'warm', parameters: { room: 'hall' } }, { service })).toMatchObject({
      command: 'warm',
      parameters: { room: 'hall', degrees: 21 },
      result: { at: '/dev/ttyS1', room: 'hall', degrees: 21 },
    });
  });

  it('waits for dbmanager, then for what is not set, says so, and heals without a restart', async () => {
    await using plugin = serve();
    expect(await plugin.next()).toMatch(/^waits for its configuration: .*dbmanager/);
    bus.startDbmanager();
    expect(await plugin.next()).toBe('waits for its configuration: port is not set; set it: domus config set heating port /dev/ttyUSB0');
    await expect(bus.client.call(helperDo, { command: 'off' }, { service })).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: expect.stringContaining('port is not set') });
    expect(await bus.client.call(helperList, {}, { service })).toMatchObject({ actions: ['warm', 'off'] });
    bus.set.set(service, configured);
    expect(await plugin.next()).toBe('ready');
    expect(await bus.client.call(helperDo, { command: 'off' }, { service })).toMatchObject({ result: null });
  });

  it('refuses with a code and fields, and a command that throws does not end it', async () => {
    bus.startDbmanager();
    bus.set.set(service, configured);
    await using plugin = serve(heating({ warm: () => { throw new TypeError('the boiler is cold'); } }));
    expect(await plugin.next()).toBe('ready');
    const call = (command: string, parameters = {}): Promise<unknown> => bus.client.call(helperDo, { command, parameters }, { service });
    await expect(call('warm')).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', details: { fields: { room: 'is required' } } });
    await expect(call('warn')).rejects.toMatchObject({ code: 'COMMAND_UNKNOWN', details: { commands: ['warm', 'off'] } });
    await expect(bus.client.call(helperHelp, { command: 'warn' }, { service })).rejects.toMatchObject({ code: 'COMMAND_UNKNOWN' });
    await expect(call('warm', { room: 'hall' })).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: 'the boiler is cold' });
    await expect(call('off')).resolves.toMatchObject({ result: null });
  });

  it('answers any data with a result or a code', async () => {
    bus.startDbmanager();
    bus.set.set(service, configured);
    await using plugin = serve();
    expect(await plugin.next()).toBe('ready');
    const codes = new Set([...Object.keys(busCodes), ...Object.keys(helperDo.errors)]);
    const command = fc.oneof(fc.constantFrom('warm', 'off'), fc.jsonValue());
    const parameters = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom('room', 'degrees', 'minutes', 'constructor'), fc.jsonValue()));
    const data = fc.oneof(fc.record({ command, parameters }, { requiredKeys: [] }), fc.dictionary(fc.string(), fc.jsonValue()));
    await fc.assert(
      fc.asyncProperty(data, async (anything) => {
        const reply = await bus.client.request(service, { action: 'helper.do', data: anything });
        expect(reply.action).toBe('helper.result');
        if (reply.data['status'] !== true) expect(codes).toContain(reply.data['code']);
      }),
      { numRuns: 300 },
    );
    expect(await bus.client.call(helperDo, { command: 'off' }, { service })).toMatchObject({ result: null });
  });

  it('answers plugin.stop, finishes what it holds, and ends', async () => {
    bus.startDbmanager();
    bus.set.set(service, configured);
    const begun = Promise.withResolvers<void>();
    await using plugin = serve(heating({
      async warm({ signal }) {
        begun.resolve();
        await new Promise((resolve) => { signal.addEventListener('abort', resolve); });
        return 'cold again';
      },
    }));
    expect(await plugin.next()).toBe('ready');
    const call = bus.client.call(helperDo, { command: 'warm', parameters: { room: 'hall' } }, { service });
    await begun.promise;
    expect(await bus.client.call(stopPlugin, {}, { service })).toEqual({});
    await plugin.ended;
    expect(await call).toMatchObject({ result: 'cold again' });
    expect(await bus.client.manage('mmi.service', service)).toBe('404');
  });

  it('R15: of two instances the newer one has the service; the older one aborts what it does, lets go of its device, and ends', async () => {
    bus.startDbmanager();
    bus.set.set(service, configured);
    const did: string[] = [];
    const begun = Promise.withResolvers<void>();
    const old = serve({
      ...heating({
        async warm({ signal }) {
          begun.resolve();
          await new Promise((resolve) => { signal.addEventListener('abort', resolve); });
          did.push('aborted');
        },
      }),
      stop: () => void did.push('stopped'),
    }, 100);
    const ended = expect(old.ended).rejects.toMatchObject({ code: 'SUPERSEDED', message: 'another instance of igor.heating runs now; this one ends' });
    expect(await old.next()).toBe('ready');
    const held = bus.client.call(helperDo, { command: 'warm', parameters: { room: 'hall' } }, { service });
    await begun.promise;
    const lost = expect(held).rejects.toMatchObject({ code: 'WORKER_LOST' });
    await using young = serve(heating({ off: () => 'the newer one' }), 101);
    expect(await young.next()).toBe('ready');
    await lost;
    await ended;
    expect(did).toEqual(['aborted', 'stopped']);
    expect(await bus.client.call(helperDo, { command: 'off' }, { service })).toMatchObject({ result: 'the newer one' });
  });

  it('R15: a device that does not let go keeps the older instance for a second, not longer', async () => {
    bus.startDbmanager();
    bus.set.set(service, configured);
    const stopped = Promise.withResolvers<void>();
    const old = serve({ ...heating(), stop: () => { stopped.resolve(); return new Promise(() => {}); } }, 100);
    const ended = expect(old.ended).rejects.toMatchObject({ code: 'SUPERSEDED' });
    expect(await old.next()).toBe('ready');
    await using young = serve(heating(), 101);
    expect(await young.next()).toBe('ready');
    await stopped.promise;
    // By a timer of this process, which a busy machine makes as late as all others.
    const second = timePasses(1000).then(() => performance.now());
    await ended;
    expect(performance.now() - (await second)).toBeLessThan(500);
  });

  it('ends with what its start throws, and stops answering', async () => {
    bus.startDbmanager();
    bus.set.set(service, configured);
    const plugin = serve(heating({ start: () => { throw new TypeError('a bug'); } }));
    await expect(plugin.ended).rejects.toThrow('a bug');
    expect(await bus.client.manage('mmi.service', service)).toBe('404');
  });
});

describe('a plugin as a process', () => {
  let home: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'majordomus-plugin-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(home, { recursive: true, force: true });
  });

  function startWith(env: Readonly<Record<string, string>>, ...flags: string[]): { readonly child: ChildProcess; readonly ended: Promise<number | null>; readonly said: AsyncIterator<string>; readonly printed: string[] } {
    const child = spawn(process.execPath, [fileURLToPath(new URL('../test/heating-main.ts', import.meta.url)), '--home', home, ...flags], {
      env: { ...process.env, [readinessVariable]: String(readinessFd), ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const printed: string[] = [];
    child.stderr?.setEncoding('utf8').on('data', (text: string) => printed.push(text));
    const ended = new Promise<number | null>((resolve) => { child.once('close', resolve); });
    return { child, ended, said: createInterface({ input: child.stdio[readinessFd] as Readable })[Symbol.asyncIterator](), printed };
  }

  const start = (...flags: string[]): ReturnType<typeof startWith> => startWith({}, ...flags);

  /** Reads its readiness up to the first line that says something of it. */
  async function readiness(said: AsyncIterator<string>): Promise<unknown> {
    for (;;) {
      const { value, done } = await said.next();
      if (done === true) return undefined;
      const message = JSON.parse(value) as { state: string };
      if (message.state !== 'starting' && message.state !== 'alive') return message;
    }
  }

  it.each(['SIGTERM', 'plugin.stop'])('says that it is ready on its pipe, answers, and ends in order on %s', async (how) => {
    bus.startDbmanager();
    bus.set.set(service, configured);
    const { child, ended, said } = start('--broker', bus.endpoint, '--host', 'igor');
    expect(await readiness(said)).toEqual({ state: 'ready' });
    expect(await bus.client.call(helperDo, { command: 'off' }, { service })).toMatchObject({ result: null });
    if (how === 'SIGTERM') child.kill('SIGTERM');
    else await bus.client.call(stopPlugin, {}, { service });
    expect(await ended).toBe(0);
    expect(await bus.client.manage('mmi.service', service)).toBe('404');
  });

  it('R15: takes its epoch from DOMUS_EPOCH, and ends with an exit code of its own when it is superseded', async () => {
    bus.startDbmanager();
    bus.set.set(service, configured);
    const flags = ['--broker', bus.endpoint, '--host', 'igor'];
    const old = startWith({ [epochVariable]: '100' }, ...flags);
    expect(await readiness(old.said)).toEqual({ state: 'ready' });
    // READY is on its way when the plugin says that it is ready.
    await vi.waitFor(async () => expect(await bus.client.manage('mmi.epoch', service)).toBe('100'), { timeout: 10_000 });
    const young = startWith({ [epochVariable]: '101' }, ...flags);
    expect(await readiness(young.said)).toEqual({ state: 'ready' });
    expect(await old.ended).toBe(exitSuperseded);
    young.child.kill('SIGTERM');
    expect(await young.ended).toBe(0);
    expect(await startWith({ [epochVariable]: 'new' }, ...flags).ended).toBe(exitCannotStart);
  });

  it('refuses a wrong setting in one line', async () => {
    const { ended, printed } = start('--broker', 'nowhere');
    expect(await ended).toBe(exitCannotStart);
    expect(printed.join('')).toMatch(/^heating: SETTING_INVALID: --broker: .*\n$/);
  });
});
