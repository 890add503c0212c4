// A plugin in another language: plugins/sysload, which speaks plain MDP from Python with nothing of ours, lives in a house
// like any other (docs/extending.md, "A plugin in any language").
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  configDelete, configSet, configurationProblems, helperDo, helperHelp, helperList, pluginInstall, pluginStart, stopPlugin,
  type ConfigurationItems, type JsonValue, type Manifest,
} from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domusScript, startProgram } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { isRunning, killHard } from './processes.ts';
import { RawPeer, type Part } from './raw-peer.ts';
import { until, untilTrue } from './waiting.ts';

const python = '/usr/bin/python3';
const source = fileURLToPath(new URL('../../plugins/sysload', import.meta.url));
const template = fileURLToPath(new URL('../../libs/plugin/templates/python', import.meta.url));
const hasZmq = spawnSync(python, ['-c', 'import zmq']).status === 0;
/** A stopped plugin is replaced when it has been silent for ten seconds. */
const slowMs = 40_000;
const busTimeoutMs = 30_000;

const manifest = JSON.parse(readFileSync(join(source, 'plugin.json'), 'utf8')) as Manifest;

interface Variant extends Partial<Manifest> {
  /** Where it reads instead of in /proc. */
  readonly proc?: string;
}

/** A copy of the plugin under another name; gives its folder. */
function writeVariant(home: Home, name: string, { proc, ...change }: Variant = {}): string {
  const folder = join(home.newFolder('sources'), name);
  cpSync(source, folder, { recursive: true });
  writeFileSync(join(folder, 'plugin.json'), JSON.stringify({ ...manifest, ...change, name }));
  if (proc !== undefined) writeFileSync(join(folder, 'main.py'), readFileSync(join(source, 'main.py'), 'utf8').replace("Path('/proc')", `Path(${JSON.stringify(proc)})`));
  return folder;
}

/** The plugin as a process of our own, in place of a supervisor's: what it says on file descriptor 3, and its end. */
function startByHand(env: Readonly<Record<string, string>>, { supervised = true, args = [] as readonly string[] } = {}) {
  const { DOMUS_READY_FD: _fd, ...inherited } = process.env;
  const child = spawn(python, [...args, '-B', 'main.py'], {
    cwd: source,
    env: { ...inherited, ...(supervised && { DOMUS_READY_FD: '3' }), ...env },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const said: { readonly state: string; readonly reason?: string }[] = [];
  createInterface(child.stdio[3] as Readable).on('line', (line) => said.push(JSON.parse(line) as typeof said[number]));
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { printed += String(chunk); });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child, said, ended,
    printed: () => printed,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs the tests that a folder has in Python; -S is without what the distribution installed, zmq among it. */
function runOwnTests(folder: string): void {
  const { status, stderr } = spawnSync(python, ['-B', '-S', '-m', 'unittest'], { cwd: folder, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^Ran [1-9]\d* tests/m) });
}

it.skipIf(process.env['CI'] !== 'true' && !existsSync(python))('its own tests pass, and need no zmq', () => {
  runOwnTests(source);
});

it('has the same house as the template, file by file', () => {
  const files = (folder: string) => Object.fromEntries(globSync('*.py', { cwd: folder }).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
  expect(files(join(template, 'house'))).toEqual(files(join(source, 'house')));
});

describe.skipIf(process.env['CI'] !== 'true' && !hasZmq)('the plugin in Python (python3-zmq)', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const run = async (name: string, command: string, parameters: Record<string, JsonValue> = {}): Promise<JsonValue> =>
    (await house.client.call(helperDo, { command, parameters }, { service: house.service(name) })).result;
  /** Installs and starts it over the bus; gives its state and what it waits for. */
  const install = async (folder: string): Promise<string> => {
    const { job } = await house.client.call(pluginInstall, { source: folder, waitMs: busTimeoutMs }, { timeoutMs: busTimeoutMs });
    expect(job).toMatchObject({ state: 'done' });
    const { state, detail } = await house.client.call(pluginStart, { id: job.plugin ?? '' }, { timeoutMs: busTimeoutMs });
    if (!detail.endsWith('does not answer')) return detail === '' ? state : `${state}: ${detail}`;
    // On a busy machine its first question for its configuration may be answered too late; it asks again.
    const later = await house.untilPlugin(job.plugin ?? '', ({ reason }) => !reason.endsWith('does not answer'));
    return later.reason === '' ? later.state : `${later.state}: ${later.reason}`;
  };
  const configure = async (plugin: string, key: string, value: JsonValue): Promise<void> => {
    await house.client.call(configSet, { host: house.host, plugin, key, value });
  };

  describe.concurrent('that is installed from its folder', () => {
    it('is ready by its own word, does what it is asked and told, and goes without a trace', async () => {
      expect(await home.run('plugin', 'install', 'sysload')).toMatchObject({ code: 0, stderr: expect.stringMatching(/\.sysload is running \(pid \d+\)$/m) });
      const service = house.service('sysload');
      const { pid } = await house.plugin('sysload');
      expect((await house.client.call(helperList, {}, { service })).actions).toEqual(['read', 'check']);
      expect(await house.client.call(helperHelp, { command: 'check' }, { service })).toMatchObject({ help: manifest.commands['check']?.description, parameters: manifest.commands['check']?.parameters });
      expect(await run('sysload', 'read')).toEqual({ load: expect.any(Number), memory: expect.any(Number), uptime: expect.any(Number) });
      expect(await run('sysload', 'check', { what: 'memory' })).toMatchObject({ what: 'memory', limit: 90, ok: true });

      await home.tell('config', 'set', 'sysload', 'memory-limit', '1');
      expect(await run('sysload', 'check', { what: 'memory' })).toMatchObject({ limit: 1, ok: false });
      expect(await run('sysload', 'check', { what: 'memory', limit: 100 })).toMatchObject({ limit: 100, ok: true });
      expect(await home.run('config', 'set', 'sysload', 'memory-limit', 'much')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^CONFIG_INVALID: .*memory-limit/) });

      expect(await home.tell('plugin', 'log', 'sysload')).toMatch(/^\[[^\]]+\] INFO: ready$/m);
      expect(await house.plugin('sysload')).toMatchObject({ pid, restarts: 0, state: 'running' });
      await home.tell('plugin', 'stop', 'sysload');
      expect(await house.plugin('sysload')).toMatchObject({ state: 'stopped', lastError: '' });
      expect(await house.client.manage('mmi.service', service)).toBe('404');
      await home.tell('plugin', 'start', 'sysload');
      expect(await run('sysload', 'check', { what: 'memory' })).toMatchObject({ limit: 1 });
      const restarted = await house.pluginPid('sysload');
      await home.tell('plugin', 'uninstall', 'sysload');
      expect([pid, restarted].map((each) => isRunning(each ?? 0))).toEqual([false, false]);
      expect(existsSync(join(home.folder, 'packages', 'sysload'))).toBe(false);
    });

    it('refuses by the codes of the contracts, and outlives every request that is none', async () => {
      await install(writeVariant(home, 'asked'));
      const service = house.service('asked');
      const pid = await house.pluginPid('asked');
      for (const [command, parameters, code, reason] of [
        ['cheek', {}, 'COMMAND_UNKNOWN', /has no command "cheek" \(it has read, check\)/],
        ['check', {}, 'PARAMETERS_INVALID', /^what: is required$/],
        ['check', { what: 'disk' }, 'PARAMETERS_INVALID', /^what: must be one of "load", "memory"$/],
        ['check', { what: 'load', limit: true, more: 1 }, 'PARAMETERS_INVALID', /^limit: must be a number, not true; more: is not known$/],
        ['check', { what: 'load', limit: -1 }, 'PARAMETERS_INVALID', /^limit: must be at least 0, not -1$/],
      ] as const) {
        await expect(run('asked', command, parameters)).rejects.toMatchObject({ code, message: expect.stringMatching(reason) });
      }
      await using peer = new RawPeer(house.endpoint);
      const bodies: [body: readonly Part[], action: string, code: string][] = [
        [[''], 'mq.error', 'ACTION_UNKNOWN'],
        [[Buffer.from([0xff, 0xfe])], 'mq.error', 'ACTION_UNKNOWN'],
        [['no.such.action', '{}'], 'mq.error', 'ACTION_UNKNOWN'],
        [['helper.do'], 'helper.result', 'INVALID_DATA'],
        [['helper.do', '{"command": 1}'], 'helper.result', 'INVALID_DATA'],
        [['helper.do', '{"command": "read", "parameters": []}'], 'helper.result', 'INVALID_DATA'],
        [['helper.do', '{"command": "\\ud800"}'], 'helper.result', 'COMMAND_UNKNOWN'],
        [['helper.do', '{}', 'more'], 'helper.result', 'BAD_REQUEST'],
        [['helper.do', '[1]'], 'helper.result', 'BAD_REQUEST'],
        [['helper.do', 'null'], 'helper.result', 'BAD_REQUEST'],
        [['helper.do', '{"a": NaN}'], 'helper.result', 'BAD_REQUEST'],
        [['helper.do', `{"a": ${'9'.repeat(10_000)}}`], 'helper.result', 'BAD_REQUEST'],
        [['helper.do', '['.repeat(200_000)], 'helper.result', 'BAD_REQUEST'],
        [['helper.do', Buffer.from([0xc3, 0x28])], 'helper.result', 'BAD_REQUEST'],
        [['helper.help', '{"command": "read", "__proto__": {}}'], 'helper.help.result', ''],
        [['helper.list.get'], 'helper.list.result', ''],
      ];
      for (const [body, action, code] of bodies) {
        const [, , , answered, data = '{}'] = await peer.ask('', 'MDPC01', service, ...body);
        const reply = JSON.parse(data) as { readonly status: boolean; readonly code?: string; readonly reason: string };
        expect({ body, action: answered, ...reply }).toMatchObject({ body, action, status: code === '', ...(code !== '' && { code }) });
        expect(reply.reason === '').toBe(code === '');
      }
      // One that nobody waits for is in nobody's way.
      await peer.send('', 'MDPC01', service, 'helper.do', '{"command": "read"}');
      expect(await run('asked', 'read')).toMatchObject({ uptime: expect.any(Number) });
      expect(await house.plugin('asked')).toMatchObject({ pid, state: 'running', restarts: 0 });
    });

    it('is made by plugin create, passes its own tests at once, and is installed and started', async () => {
      const folder = join(home.newFolder('created'), 'cellar');
      await home.tell('plugin', 'create', 'cellar', '--python', '--folder', folder);
      runOwnTests(folder);
      expect(await install(folder)).toBe('running');
      expect(await run('cellar', 'memory')).toEqual({ used: expect.any(Number), tooMuch: expect.any(Boolean) });
      await configure('cellar', 'limit', 1);
      expect(await run('cellar', 'memory')).toMatchObject({ tooMuch: true });
    });

    it('answers many callers, one after the other', async () => {
      await install(writeVariant(home, 'busy'));
      const answers = await Promise.all(Array.from({ length: 200 }, (_, limit) => run('busy', 'check', { what: 'memory', limit })));
      expect(answers.map((answer) => (answer as { limit: number }).limit)).toEqual(Array.from({ length: 200 }, (_, limit) => limit));
    });

    it('is started again when it is killed', async () => {
      await install(writeVariant(home, 'victim'));
      const pid = await house.pluginPid('victim');
      killHard(pid);
      expect(await house.untilPlugin('victim', (plugin) => plugin.state === 'running' && plugin.pid !== pid)).toMatchObject({ restarts: 1, lastError: 'killed by SIGKILL' });
      expect(await run('victim', 'read')).toMatchObject({ uptime: expect.any(Number) });
    });

    it('is replaced when it does nothing any more', { timeout: slowMs }, async () => {
      await install(writeVariant(home, 'frozen'));
      const pid = await house.pluginPid('frozen');
      process.kill(pid, 'SIGSTOP');
      const back = await house.untilPlugin('frozen', (plugin) => plugin.state === 'running' && plugin.pid !== pid, slowMs);
      expect(back).toMatchObject({ restarts: 1, lastError: 'hung: silent for 10 s' });
      expect(isRunning(pid)).toBe(false);
    });

    it('ends in order when it is asked over the bus, and comes back as nobody wanted that', async () => {
      await install(writeVariant(home, 'obedient'));
      const pid = await house.pluginPid('obedient');
      expect(await house.client.call(stopPlugin, {}, { service: house.service('obedient') })).toEqual({});
      expect(await house.untilPlugin('obedient', (plugin) => plugin.state === 'running' && plugin.pid !== pid)).toMatchObject({ lastError: 'exit code 0' });
      process.kill(await house.pluginPid('obedient'), 'SIGTERM');
      expect(await house.untilPlugin('obedient', ({ restarts, state }) => state === 'running' && restarts === 2)).toMatchObject({ lastError: 'exit code 0' });
    });

    it('waits for a configuration that it needs, and says what to type', async () => {
      const configuration: ConfigurationItems = { ...manifest.configuration, 'load-limit': { type: 'number', description: 'The limit', example: 1.5, required: true, max: 8 } };
      expect(await install(writeVariant(home, 'needy', { configuration })))
        .toBe('not-ready: waits for its configuration: load-limit is not set; set it: domus config set needy load-limit 1.5');
      await expect(run('needy', 'read')).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: expect.stringMatching(/^needy cannot run read yet: load-limit is not set/) });
      await configure('needy', 'load-limit', 3);
      expect(await house.untilPlugin('needy', ({ state }) => state === 'running')).toMatchObject({ restarts: 0, reason: '' });
      expect(await run('needy', 'check', { what: 'load' })).toMatchObject({ limit: 3 });
    });

    it('waits for a configuration that fits', async () => {
      await configure('picky', 'load-limit', 'high');
      expect(await install(writeVariant(home, 'picky'))).toBe('not-ready: waits for its configuration: load-limit must be a number, not a string; set it: domus config set picky load-limit 2');
      await house.client.call(configDelete, { host: house.host, plugin: 'picky', key: 'load-limit' });
      await house.untilPlugin('picky', ({ state }) => state === 'running');
    });

    it('says what it cannot work without, and works when it is there', async () => {
      const proc = join(home.root, 'proc');
      expect(await install(writeVariant(home, 'blind', { proc }))).toBe(`not-ready: ${proc}/meminfo cannot be read; sysload works on Linux`);
      mkdirSync(proc);
      for (const name of ['meminfo', 'loadavg', 'uptime']) writeFileSync(join(proc, name), readFileSync(join('/proc', name)));
      expect(await house.untilPlugin('blind', ({ state }) => state === 'running')).toMatchObject({ restarts: 0 });
      expect(await home.tell('plugin', 'log', 'blind')).toMatch(/WARN: not ready: .*meminfo cannot be read/);
    });

    it('that lacks a function for a command says which, and is tried again', async () => {
      const commands = { ...manifest.commands, boil: { description: 'Boils water', parameters: {} } };
      expect(await install(writeVariant(home, 'lacking', { commands }))).toMatch(/^backoff: .*exit code 1/);
      expect(await home.tell('plugin', 'log', 'lacking')).toMatch(/^plugin\.json has the command boil, and there is no function for it$/m);
      await home.tell('plugin', 'stop', 'lacking');
    });

    it('without python3-zmq says so, and runs when it is installed', async () => {
      // -S: Python without what the distribution installed.
      expect(await install(writeVariant(home, 'bare', { exec: [python, '-S', '-B', 'main.py'] })))
        .toBe("not-ready: install python3-zmq: /usr/bin/python3 says No module named 'zmq'");
      const { pid } = await house.plugin('bare');
      const zmq = spawnSync(python, ['-c', 'import os, zmq; print(os.path.dirname(zmq.__file__))'], { encoding: 'utf8' }).stdout.trim();
      symlinkSync(zmq, join(home.folder, 'packages', 'bare', 'current', 'zmq'));
      expect(await house.untilPlugin('bare', ({ state }) => state === 'running')).toMatchObject({ pid, restarts: 0 });
      await run('bare', 'read');
    });
  });

  describe('started by hand', () => {
    const env = (host: string): Record<string, string> => ({ DOMUS_BROKER: house.endpoint, DOMUS_HOST: host });

    it('says on file descriptor 3 how it is, and ends when its standard input closes', async () => {
      await using plugin = startByHand(env('attic'));
      await untilTrue('it is alive', () => plugin.said.filter(({ state }) => state === 'alive').length > 1);
      expect(plugin.said.map(({ state }) => state).filter((state) => state !== 'alive')).toEqual(['starting', 'ready']);
      expect(await house.client.manage('mmi.service', 'attic.sysload')).toBe('200');
      plugin.child.stdin?.end();
      expect(await plugin.ended).toEqual([0, null]);
      expect(await house.client.manage('mmi.service', 'attic.sysload')).toBe('404');
    });

    it('needs no supervisor, and ends by Ctrl-C', async () => {
      await using plugin = startByHand(env('cellar'), { supervised: false });
      plugin.child.stdin?.end();
      await untilTrue('it is ready', () => plugin.printed().includes('"msg":"ready"'), { describe: plugin.printed });
      const { result } = await house.client.call(helperDo, { command: 'check', parameters: { what: 'load' } }, { service: 'cellar.sysload' });
      expect(result).toMatchObject({ limit: 2 });
      plugin.child.kill('SIGINT');
      expect(await plugin.ended).toEqual([0, null]);
      expect(plugin.printed().trimEnd().split('\n').map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['ready', 'stopping']);
    });

    it('is run by its folder, as every plugin is', async () => {
      const started = startProgram(domusScript, ['run', source, '--broker', house.endpoint, '--host', 'shed']);
      await untilTrue('it is ready', () => started.stdout().includes('"msg":"ready"'), { describe: started.stderr });
      await house.client.call(helperDo, { command: 'read' }, { service: 'shed.sysload' });
      started.child.kill('SIGTERM');
      expect(await started.ended).toMatchObject({ code: 0, stderr: '' });
    });

    it('says that no broker is there, and stops all the same', async () => {
      await using plugin = startByHand({ DOMUS_BROKER: 'ipc:///nowhere/broker', DOMUS_HOST: 'attic' });
      const { reason } = await until('it has said why', () => plugin.said.find(({ state }) => state === 'not-ready'));
      expect(reason).toBe('waits for its configuration: the broker at ipc:///nowhere/broker does not answer');
      // It is not taken for one that hangs, however short the limit for that is.
      expect(plugin.said.map(({ state }) => state).join(' ')).toMatch(/^starting( alive){3,} not-ready/);
      plugin.child.kill('SIGTERM');
      expect(await plugin.ended).toEqual([0, null]);
    });

    it('without python3-zmq ends with the reason', async () => {
      await using plugin = startByHand(env('attic'), { supervised: false, args: ['-S'] });
      expect(await plugin.ended).toEqual([1, null]);
      expect(plugin.printed()).toBe("install python3-zmq: /usr/bin/python3 says No module named 'zmq'\n");
    });
  });

  it('comes back by itself when the broker was killed', async () => {
    await install(source);
    const pid = await house.pluginPid('sysload');
    await house.kill('broker');
    await untilTrue('it answers again', async () => {
      const reply = await run('sysload', 'read').catch(() => undefined);
      return reply !== undefined;
    });
    expect(await house.plugin('sysload')).toMatchObject({ pid, state: 'running', restarts: 0 });
  });
});

it.skipIf(process.env['CI'] !== 'true' && !existsSync(python))('it takes the same values as the house', () => {
  const types = ['string', 'integer', 'number', 'boolean', 'list', 'object'] as const;
  const limits = [{}, { min: 2 }, { max: 2 }, { min: 1, max: 3 }, { options: ['a', 2, ['a', 'b']] }];
  const items: ConfigurationItems = Object.fromEntries(types.flatMap((type) => limits.map((limit, index) => [`${type}-${index}`, { type, description: 'An item', example: 1, ...limit }])));
  const values: readonly JsonValue[] = [null, true, false, 0, 1, 2, 3.5, -1, 1e300, '', 'a', 'abcd', [], ['a', 'b'], ['a', 1], [[]], {}, { a: 1 }];
  const cases = values.map((value) => Object.fromEntries([...Object.keys(items), 'unknown'].map((key) => [key, value])));
  const script = 'import json, sys; sys.path.insert(0, "."); from house.values import problems; items, cases = json.load(sys.stdin); print(json.dumps([problems(items, values) for values in cases]))';
  const { stdout, stderr } = spawnSync(python, ['-B', '-c', script], { cwd: source, input: JSON.stringify([items, cases]), encoding: 'utf8' });
  expect(stderr).toBe('');
  const found = (JSON.parse(stdout) as Record<string, string>[]).map((problems) => Object.keys(problems));
  expect(found).toEqual(cases.map((value) => Object.keys(configurationProblems(items, value))));
});
