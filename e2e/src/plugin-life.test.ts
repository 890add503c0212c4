// A plugin from its installation to its end, on the command line, and over restarts of the house.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { helperDo, helperHelp, helperList } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domusScript, startProgram } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { isRunning, killHard } from './processes.ts';
import { command, writeKitPlugin, type KitPlugin } from './test-plugins.ts';
import { untilTrue } from './waiting.ts';

const greeter: KitPlugin = {
  configuration: { greeting: { type: 'string', description: 'How it greets', default: 'Hello' } },
  commands: {
    greet: { description: 'Greets somebody', parameters: { name: { type: 'string', description: 'Whom', example: 'Igor', required: true } } },
    fail: { description: 'Fails' },
    say: { description: 'Writes to the log', parameters: { text: { type: 'string', description: 'What', example: 'word', required: true } } },
  },
  definition: `{
    helpers: {
      greet: ({ parameters, configuration }) => configuration.greeting + ', ' + parameters.name,
      fail: () => { throw new Error('the lamp is broken'); },
      say: ({ parameters, log }) => { log.info(parameters.text); return null; },
    },
  }`,
};

describe('a plugin', () => {
  const home = new Home();
  let house: House;
  let service: string;
  beforeAll(async () => {
    house = await home.up();
    service = house.service('greeter');
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const greet = async (name: string): Promise<unknown> => (await house.client.call(helperDo, { command: 'greet', parameters: { name } }, { service })).result;

  it('is installed from a folder and started', async () => {
    const { code, stdout, stderr } = await home.run('plugin', 'install', writeKitPlugin(home, 'greeter', greeter));
    expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^installed greeter 1\.0\.0$/m);
    expect(stderr).toMatch(new RegExp(`^${house.host}\\.greeter is running \\(pid \\d+\\)$`, 'm'));
    expect(await house.plugin('greeter')).toMatchObject({ state: 'running', version: '1.0.0', autostart: true });
  });

  it('is installed from a path as it is typed, relative to where one stands', async () => {
    const root = domusScript.replace(/domus$/, '');
    const { code, stderr } = await home.runWith({ cwd: root }, 'plugin', 'install', './plugins/diskfree', '--no-start');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await house.plugin('diskfree')).toMatchObject({ state: 'stopped', autostart: false, pid: null });
  });

  it('tells its commands and what they take', async () => {
    expect((await house.client.call(helperList, {}, { service })).actions).toEqual(['greet', 'fail', 'say']);
    expect(await house.client.call(helperHelp, { command: 'greet' }, { service })).toMatchObject({ help: 'Greets somebody', parameters: { name: { type: 'string', required: true } } });
  });

  it('runs a command on the command line', async () => {
    const reply = JSON.parse(await home.tell('call', service, 'helper.do', '{"command": "greet", "parameters": {"name": "Igor"}}')) as object;
    expect(reply).toEqual({ status: true, reason: '', command: 'greet', parameters: { name: 'Igor' }, result: 'Hello, Igor' });
  });

  it.each([
    ['greet', {}, 'PARAMETERS_INVALID', /name: is required/],
    ['greet', { name: 3 }, 'PARAMETERS_INVALID', /name: must be a string, not 3/],
    ['greet', { name: 'Igor', nmae: 'x' }, 'PARAMETERS_INVALID', /nmae: is not known/],
    ['great', {}, 'COMMAND_UNKNOWN', /did you mean greet\?/],
    ['fail', {}, 'COMMAND_FAILED', /the lamp is broken/],
  ])('refuses %s with %j by %s', async (name, parameters, code, reason) => {
    const ran = await home.run('call', service, 'helper.do', JSON.stringify({ command: name, parameters }));
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(`^${code}: `));
    expect(ran.stderr).toMatch(reason);
  });

  it('has new configuration after a restart', async () => {
    await home.tell('config', 'set', 'greeter', 'greeting', 'Good evening');
    const pid = await house.pluginPid('greeter');
    expect(await home.run('plugin', 'restart', 'greeter')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(/greeter is running/) });
    expect(await house.pluginPid('greeter')).not.toBe(pid);
    expect(isRunning(pid)).toBe(false);
    expect(await greet('Igor')).toBe('Good evening, Igor');
  });

  it('is stopped, and is off the bus then', async () => {
    const pid = await house.pluginPid('greeter');
    expect(await home.run('plugin', 'stop', 'greeter')).toMatchObject({ code: 0, stderr: expect.stringMatching(/greeter is stopped/) });
    expect(isRunning(pid)).toBe(false);
    expect(await house.plugin('greeter')).toMatchObject({ state: 'stopped', autostart: false, pid: null, restarts: 0, lastError: '' });
    expect(await house.client.manage('mmi.service', service)).toBe('404');
  });

  it('is started by host.name too, and twice is once', async () => {
    await home.tell('plugin', 'start', service);
    const pid = await house.pluginPid('greeter');
    await home.tell('plugin', 'start', 'greeter');
    expect(await house.pluginPid('greeter')).toBe(pid);
  });

  it('is asked of the host that its id names', async () => {
    const { code, stderr } = await home.run('plugin', 'start', 'gustave.greeter');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^HOST_UNKNOWN: the house has no host gustave; its only one is /) });
  });

  it('has a log that is printed and followed', async () => {
    const say = async (text: string): Promise<void> => {
      await house.client.call(helperDo, { command: 'say', parameters: { text } }, { service });
    };
    await say('the first word');
    expect(await home.tell('plugin', 'log', 'greeter')).toMatch(/INFO: the first word$/m);
    expect((await home.tell('plugin', 'log', 'greeter', '-n', '1')).split('\n')).toHaveLength(2);
    const following = startProgram(domusScript, ['--home', home.folder, 'plugin', 'log', 'greeter', '-f']);
    try {
      await untilTrue('what was said is shown', () => following.stdout().includes('the first word'));
      await say('the second word');
      await untilTrue('what is said is shown', () => following.stdout().includes('the second word'));
      expect(following.stdout().split('the first word')).toHaveLength(2);
    } finally {
      following.child.kill('SIGINT');
      await following.ended;
    }
  });

  it('goes over to a changed version when it is installed again', async () => {
    const folder = writeKitPlugin(home, 'greeter', { ...greeter, version: '1.1.0', definition: (greeter.definition ?? '').replace("+ ', ' +", "+ ' to you, ' +") });
    expect((await home.run('plugin', 'install', folder)).stderr).toMatch(/^installed greeter 1\.1\.0; it was 1\.0\.0$/m);
    expect(await house.plugin('greeter')).toMatchObject({ state: 'running', version: '1.1.0' });
    expect(await greet('Igor')).toBe('Good evening to you, Igor');
  });

  it('goes over to changed files under the same version too', async () => {
    const folder = writeKitPlugin(home, 'greeter', { ...greeter, version: '1.1.0', definition: (greeter.definition ?? '').replace("+ ', ' +", "+ ' once more, ' +") });
    await home.tell('plugin', 'install', folder);
    expect(await greet('Igor')).toBe('Good evening once more, Igor');
  });

  it('keeps the installed version when the next one is refused', async () => {
    const folder = writeKitPlugin(home, 'greeter', { ...greeter, version: '1.2.0', engine: '>=7' });
    expect(await home.run('plugin', 'install', folder)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ENGINE_MISMATCH: .*works with Majordomus >=7/m) });
    expect(await house.plugin('greeter')).toMatchObject({ state: 'running', version: '1.1.0' });
    expect(await greet('Igor')).toBe('Good evening once more, Igor');
  });

  it('is uninstalled: stopped, its package gone, its configuration kept', async () => {
    const pid = await house.pluginPid('greeter');
    expect(await home.run('plugin', 'uninstall', 'greeter')).toMatchObject({ code: 0, stderr: 'uninstalled greeter; its configuration is kept\n' });
    expect(isRunning(pid)).toBe(false);
    expect((await house.plugins()).map(({ name }) => name)).toEqual(['diskfree']);
    expect(existsSync(join(home.folder, 'packages', 'greeter'))).toBe(false);
    expect(await home.tell('config', 'get', 'greeter', 'greeting')).toBe('Good evening\n');
  });

  it.each(['start', 'stop', 'restart', 'status', 'log', 'upgrade', 'rollback', 'uninstall'])('that was never installed is not there to %s', async (verb) => {
    const { code, stdout, stderr } = await home.run('plugin', verb, 'nobody');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^(PLUGIN|PACKAGE)_NOT_FOUND: no plugin nobody is installed on \S+; see what is: \.\/domus plugin list$/m);
  });

  it.each([
    ['no folder', () => join(home.root, 'nowhere'), /^SOURCE_NOT_FOUND: there is no file or folder .*nowhere/m],
    ['a folder without a manifest', () => home.newFolder('empty'), /^MANIFEST_INVALID: plugin\.json is missing in /m],
  ])('is not installed from %s', async (_what, folder, expected) => {
    const { code, stderr } = await home.run('plugin', 'install', folder());
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(expected) });
  });
});

it('a plugin that ends when its package is gone has failed, is not tried again, and can be installed again', async () => {
  await using home = new Home();
  await using house = await home.up();
  const folder = writeKitPlugin(home, 'ghost');
  await home.tell('plugin', 'install', folder);
  const pid = await house.pluginPid('ghost');
  // What is left when an uninstallation meets a start: it runs, and its package is gone.
  rmSync(join(home.folder, 'packages', 'ghost'), { recursive: true });
  expect(await house.plugins()).toMatchObject([{ name: 'ghost', state: 'running' }]);
  killHard(pid);
  await untilTrue('it is not tried again', async () => (await house.plugins())[0]?.reason.startsWith('no plugin ghost is installed') === true);
  for (const listing of [await home.tell('status'), await home.tell('plugin', 'list')]) expect(listing).toMatch(/^ghost .* failed .* no plugin ghost is installed/m);
  await home.tell('plugin', 'install', folder);
  expect(await house.plugin('ghost')).toMatchObject({ state: 'running', version: '1.0.0' });
});

it('what runs starts again with the house, and what was stopped stays so', async () => {
  await using home = new Home();
  {
    await using _first = await home.up({ plugins: true });
    await Promise.all(['walker', 'sleeper'].map((name) => home.tell('plugin', 'install', writeKitPlugin(home, name, { commands: { ask: command }, definition: "{ helpers: { ask: () => 'yes' } }" }))));
    await home.tell('plugin', 'stop', 'sleeper');
  }
  await using second = await home.up({ plugins: true });
  expect(second.up.stdout()).toMatch(/^walker 1\.0\.0 +running /m);
  expect(second.up.stdout()).toMatch(/^sleeper 1\.0\.0 +stopped /m);
  expect(await second.plugin('walker')).toMatchObject({ state: 'running', autostart: true });
  expect(await second.plugin('sleeper')).toMatchObject({ state: 'stopped', autostart: false, pid: null });
});
