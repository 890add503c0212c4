// The command line as a person and a script meet it: its output, its exit codes, its help.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrokerStatus } from '@majordomus/mq';
import { domusScript, runDomus, startProgram, type Ran } from './domus.ts';
import { Home } from './home.ts';
import { partNames, type House } from './house.ts';

/** ESC, with which every colour code begins. */
const escape = '\u001B';

describe('domus', () => {
  const home = new Home();
  let house: House;
  let diskfree: string;
  beforeAll(async () => {
    house = await home.up({ plugins: true });
    diskfree = house.service('diskfree');
  });
  afterAll(() => home[Symbol.asyncDispose]());

  // The broker looks for a service that is not there for a while: together they take no longer.
  describe.concurrent('call', () => {
    it('prints the data of the reply as JSON, and its exit code is 0', async () => {
      const { code, stdout, stderr } = await home.run('call', diskfree, 'helper.list');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toEqual({ status: true, reason: '', actions: ['list', 'check'] });
    });

    it('takes data', async () => {
      const reply = JSON.parse(await home.tell('call', diskfree, 'helper.do', '{"command": "check", "parameters": {"path": "/", "limit": 100}}')) as object;
      expect(reply).toMatchObject({ result: { path: '/', mountPoint: '/', limit: 100, ok: true } });
    });

    it.each<[string, (service: string) => string[], RegExp]>([
      ['a service with a near name', () => ['dbmanger', 'config.list'], /^SERVICE_UNKNOWN: no worker offers dbmanger; did you mean dbmanager\?$/],
      ['a plugin without its host', () => ['diskfree', 'helper.list'], /^SERVICE_UNKNOWN: no worker offers diskfree; did you mean \S+\.diskfree\?$/],
      ['an action that there is not', (service) => [service, 'helper.lst'], /^ACTION_UNKNOWN: there is no action helper\.lst here; .*helper\.list/],
      ['a command that there is not', (service) => [service, 'helper.do', '{"command": "lst"}'], /^COMMAND_UNKNOWN: .*did you mean list\?/],
      ['data that does not fit', () => ['dbmanager', 'config.get', '{"host": "igor"}'], /^INVALID_DATA: plugin: /],
      ['data that is no JSON', () => ['dbmanager', 'config.get', '{host: igor}'], /^BAD_REQUEST: the data is not JSON .*; write it as/],
      ['data that is no object', () => ['dbmanager', 'config.get', '["igor"]'], /^BAD_REQUEST: the data is not a JSON object; write it as/],
      ['a service that there is not, within its time', () => ['velbus', 'helper.list', '--timeout', '3'], /^DEADLINE_EXCEEDED: .*\bvelbus\b.* within \d+ ms/],
    ])('says CODE: reason to %s, on standard error with exit code 1', async (_what, args, expected) => {
      const { code, stdout, stderr } = await home.run('call', ...args(diskfree));
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr.trimEnd()).toMatch(expected);
    });

    it('says of a service that there is not, after the broker looked for it, that there is none', async () => {
      expect(await home.run('call', 'velbus', 'helper.list')).toMatchObject({ code: 1, stdout: '', stderr: 'SERVICE_UNKNOWN: no worker offers velbus; is it started, and is its name right?\n' });
    });

    it.each(['x', '0', '-1', '4000'])('refuses a time-out of %s', async (timeout) => {
      expect(await home.run('call', '--timeout', timeout, 'dbmanager', 'config.list')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/--timeout.* It must be a number of seconds/) });
    });
  });

  it.concurrent.each([
    ['status', '--host', 'nowhere'], ['logs', '--host', 'nowhere'], ['plugin', 'list', '--host', 'nowhere'], ['plugin', 'start', 'diskfree', '--host', 'nowhere'],
    ['plugin', 'stop', 'nowhere.diskfree'], ['plugin', 'log', 'nowhere.diskfree'], ['plugin', 'install', 'diskfree', '--on', 'nowhere'],
  ])('%s %s %s says which hosts there are', async (...args) => {
    expect(await home.run(...args)).toMatchObject({ code: 1, stdout: '', stderr: `HOST_UNKNOWN: the house has no host nowhere; its only one is ${house.host}; see: ./domus status\n` });
  });

  describe.concurrent('services', () => {
    it('lists every service with its workers, what waits and what was served', async () => {
      const listing = await home.tell('services');
      expect(listing).toMatch(/^SERVICE +WORKERS +WAITING +SERVED$/m);
      for (const name of ['dbmanager', 'manager', diskfree]) expect(listing).toMatch(new RegExp(`^${name.replace('.', '\\.')} +1 +0 +\\d+$`, 'm'));
    });

    it('is the broker’s own status as JSON', async () => {
      const status = JSON.parse(await home.tell('services', '--json')) as BrokerStatus;
      expect(status).toMatchObject({ protocol: 'MDP/0.1', dropped: { malformed: 0 } });
      expect(status.services.find(({ name }) => name === diskfree)).toMatchObject({ workers: 1, waiting: 0 });
    });
  });

  describe.concurrent('status', () => {
    it('shows every part and plugin with its state, since when, pid and restarts', async () => {
      const listing = await home.tell('status');
      expect(listing).toMatch(/^NAME +STATE +SINCE +PID +RESTARTS +REASON$/m);
      for (const name of [...partNames, 'diskfree 0.1.0']) expect(listing).toMatch(new RegExp(`^${name} +running +\\d+ (s|min) +\\d+ +0$`, 'm'));
    });

    it('is found by DOMUS_HOME, by --broker, and by neither of them', async () => {
      for (const ran of await Promise.all([
        runDomus(['status'], { env: { DOMUS_HOME: home.folder } }),
        runDomus(['status', '--broker', house.endpoint]),
        runDomus(['status'], { env: { DOMUS_BROKER: house.endpoint } }),
      ])) expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining(home.folder) });
    });

    it('says that no house runs where none does', async () => {
      await using empty = new Home();
      // A port on which nobody listens: it is the one of a house that has stopped.
      const elsewhere = await empty.up();
      const { endpoint } = elsewhere;
      await elsewhere[Symbol.asyncDispose]();
      const { code, stdout, stderr } = await empty.run('status', '--broker', endpoint);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toBe(`NOT_CONNECTED: no broker answers at ${endpoint}; is the house running (./domus up), and is the address right (--broker)?\n`);
    });
  });

  it.concurrent.each(['services', 'status', 'config list', 'config get diskfree', 'plugin list', 'plugin log diskfree -n 1'])('%s --json is JSON and nothing else', async (command) => {
    const { code, stdout, stderr } = await home.run(...command.split(' '), '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(expect.anything());
  });

  it('that is piped into a program that reads one line ends well', async () => {
    const { stdout, stderr } = await startProgram('/bin/sh', ['-c', '{ "$0" services --json --broker "$1"; echo "exit code $?" >&2; } | head -n 1', domusScript, house.endpoint]).ended;
    expect({ stdout, stderr }).toEqual({ stdout: '{\n', stderr: 'exit code 0\n' });
  });

  describe.concurrent('colours', () => {
    const listings = [['status'], ['plugin', 'list'], ['services'], ['config', 'get', 'diskfree']] as const;

    it('are not in what is piped', async () => {
      for (const ran of await Promise.all(listings.map((args) => home.run(...args)))) expect(ran.stdout + ran.stderr).not.toContain(escape);
      expect(house.output).not.toContain(escape);
    });

    it('are there with FORCE_COLOR=1, and the columns are as wide as before', async () => {
      for (const args of listings) {
        const { stdout } = await home.runWith({ env: { FORCE_COLOR: '1' } }, ...args);
        expect(stdout).toContain(`${escape}[`);
        const [, ...plain] = stdout.replaceAll(/\u001B\[\d+m/g, '').split('\n');
        const [, ...piped] = (await home.tell(...args)).split('\n');
        expect(plain.map((line) => line.length).slice(0, 1)).toEqual(piped.map((line) => line.length).slice(0, 1));
      }
    });

    it('are not there with NO_COLOR', async () => {
      expect((await home.runWith({ env: { NO_COLOR: '1' } }, 'status')).stdout).not.toContain(escape);
    });
  });
});

describe.concurrent('the help', () => {
  it.each([
    'up', 'run', 'call', 'services', 'status', 'logs', 'doctor', 'completion',
    'config', 'config get', 'config set', 'config edit', 'config delete', 'config list',
    'plugin', 'plugin list', 'plugin start', 'plugin stop', 'plugin restart', 'plugin install', 'plugin uninstall', 'plugin log',
  ])('of domus %s has examples of it', async (command) => {
    const { code, stdout, stderr } = await runDomus([...command.split(' '), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: domus ${command}`, 'm'));
    expect(stdout).toMatch(new RegExp(`^Examples:\n( {2}domus .+\n)* {2}domus ${command}( |$)`, 'm'));
  });

  it('of domus has examples, and names every command', async () => {
    const { stdout } = await runDomus(['--help']);
    expect(stdout).toMatch(/^Examples:\n( {2}domus .+\n)+/m);
    for (const name of ['up', 'run', 'call', 'services', 'status', 'config', 'plugin', 'logs', 'doctor', 'completion']) expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
  });

  it('of one part is that of run', async () => {
    expect(await runDomus(['run', 'broker', '--help'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: domus run/) });
  });
});

describe.concurrent('what is mistyped', () => {
  const refused = ({ code, stdout, stderr }: Ran): string => {
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).not.toMatch(/\n\s+at /);
    return stderr;
  };

  it.each([
    [['stauts'], 'status'], [['upp'], 'up'], [['servces'], 'services'], [['conifg', 'list'], 'config'],
    [['config', 'gte'], 'get'], [['plugin', 'strat', 'diskfree'], 'start'], [['plugin', 'unistall', 'diskfree'], 'uninstall'],
    [['up', '--no-plugin'], '--no-plugins'], [['status', '--jsn'], '--json'],
  ])('domus %j: did you mean %s?', async (args, meant) => {
    expect(refused(await runDomus(args))).toMatch(new RegExp(`Did you mean ${meant}\\?`));
  });

  it('domus up --port: what has the port is said', async () => {
    expect(refused(await runDomus(['up', '--port', '4000']))).toMatch(/--bind tcp:\/\/127\.0\.0\.1:4000/);
  });

  it.each(['stop', 'down'])('domus %s: how a house is stopped is said', async (word) => {
    await using home = new Home();
    expect(refused(await home.run(word))).toMatch(/^COMMAND_UNKNOWN: .*Ctrl-C.*systemctl stop majordomus.*no house runs on /);
    expect((await runDomus(['--help'])).stdout).not.toMatch(new RegExp(`^  ${word}\\b`, 'm'));
  });

  it.each([[['call']], [['call', 'dbmanager']], [['config', 'get']], [['config', 'set', 'diskfree', 'limit']], [['plugin', 'install']]])('domus %j says what is missing', async (args) => {
    expect(refused(await runDomus(args))).toMatch(/^error: missing required argument/);
  });

  it.each([[['stauts'], 'domus'], [['config', 'gte'], 'domus config'], [['config', 'set'], 'domus config set'], [['plugin', 'log', 'x', '-n', 'y'], 'domus plugin log']])('domus %j names the help of %s', async (args, command) => {
    expect(refused(await runDomus(args)).trimEnd().split('\n').at(-1)).toBe(`(see ${command} --help)`);
  });

  it.each([['-n', 'x'], ['-n', '-1'], ['-n', '5000']])('domus plugin log %s %s says what it must be', async (...args) => {
    expect(refused(await runDomus(['plugin', 'log', 'diskfree', ...args]))).toMatch(/It must be a whole number from 0 to 1000/);
  });
});
