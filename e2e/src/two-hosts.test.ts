// A house of two hosts: igor, the primary one, and attic, which has joined it over a line that can be cut
// (docs/operating.md, "Two hosts").
import { once } from 'node:events';
import { createServer } from 'node:net';
import { configGet, helperDo, partList } from '@majordomus/contracts';
import { Broker, Handlers, Worker } from '@majordomus/mq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDomus, type Ran, type Started } from './domus.ts';
import { Home } from './home.ts';
import { startUp, type House, type HouseStatus } from './house.ts';
import { Line } from './line.ts';
import { killHard } from './processes.ts';
import { command, writeKitPlugin } from './test-plugins.ts';
import { untilTrue } from './waiting.ts';

interface WholeStatus extends HouseStatus {
  readonly join?: string;
  readonly others: readonly (HouseStatus | { readonly host: string; readonly problem: string })[];
}

/** The last line that a command said. */
function lastLine({ stderr }: Ran): string {
  return stderr.trimEnd().split('\n').at(-1) ?? '';
}

/** Where nothing listens. */
async function closedEndpoint(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return `tcp://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

/** What a start that is refused says. */
async function refusal(home: Home, ...args: readonly string[]): Promise<string> {
  const ran = await home.run('up', ...args);
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(home.leftovers()).toEqual([]);
  return lastLine(ran);
}

describe('a house of two hosts', () => {
  const igorHome = new Home();
  const atticHome = new Home();
  let igor: House;
  let attic: House;
  let line: Line;
  beforeAll(async () => {
    igor = await igorHome.up({ args: ['--host', 'igor'] });
    line = await Line.to(igor.endpoint);
    attic = await atticHome.up({ args: ['--host', 'attic'], join: line.endpoint, plugins: true });
  });
  afterAll(async () => {
    await atticHome[Symbol.asyncDispose]();
    await line?.[Symbol.asyncDispose]();
    await igorHome[Symbol.asyncDispose]();
  });

  const statusAt = async (home: Home, ...args: readonly string[]): Promise<WholeStatus> => JSON.parse(await home.tell('status', '--json', ...args)) as WholeStatus;
  const services = async (): Promise<readonly string[]> => (await igor.client.manage('mmi.services')).split(', ');
  const pidOfDiskfree = async (): Promise<number | null> => (await statusAt(igorHome, '--host', 'attic')).plugins.find(({ name }) => name === 'diskfree')?.pid ?? null;

  describe('that are both there', () => {
    it('runs on the joined host only what every host has, and its own first plugin', async () => {
      expect((await attic.parts()).map(({ name, state }) => [name, state])).toEqual([['packagemanager', 'running'], ['manager', 'running']]);
      expect(await attic.plugin('diskfree')).toMatchObject({ id: 'attic.diskfree', state: 'running', autostart: true });
      expect((await services()).filter((name) => !name.startsWith('attic.'))).toEqual(['admin', 'dbmanager', 'dbmgr', 'house', 'igor.house', 'igor.manager', 'igor.packagemanager', 'manager', 'packagemanager']);
      expect(attic.output).toContain(`Broker   ${line.endpoint}\nJoined   the house of igor\n`);
    });

    it('is shown whole by status, this host first, and by --host alone', async () => {
      const atPrimary = await statusAt(igorHome);
      expect([atPrimary.host, atPrimary.join, atPrimary.others]).toMatchObject(['igor', undefined, [{ host: 'attic', join: line.endpoint, plugins: [{ id: 'attic.diskfree' }] }]]);
      const atJoined = await statusAt(atticHome);
      expect([atJoined.host, atJoined.join, atJoined.others]).toMatchObject(['attic', line.endpoint, [{ host: 'igor', parts: [{ name: 'broker' }, {}, {}, {}] }]]);
      expect(await statusAt(igorHome, '--host', 'attic')).toMatchObject({ host: 'attic', others: [] });
      const text = await igorHome.tell('status');
      expect(text).toMatch(/^igor: Majordomus [\s\S]*\n\nattic: Majordomus \S+, home \S+, joined tcp:\S+\nNAME .*\npackagemanager +running[\s\S]*\ndiskfree \S+ +running/);
    });

    it('is shown whole to a machine that is no host of it', async () => {
      await using home = new Home();
      const elsewhere = async (...args: readonly string[]): Promise<Ran> => await home.run('--broker', igor.endpoint, ...args);
      expect(await elsewhere('status')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^attic: [\s\S]*\n\nigor: /) as string, stderr: '' });
      expect(await elsewhere('plugin', 'list')).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nattic +diskfree /) as string, stderr: '' });
      expect(lastLine(await elsewhere('status', '--host', 'nowhere'))).toBe('HOST_UNKNOWN: the house has no host nowhere; there are attic and igor; see: ./domus status');
    });

    it('has the plugins of both in one list, told apart by their host', async () => {
      expect(await igorHome.tell('plugin', 'list')).toMatch(/^HOST +PLUGIN .*\nattic +diskfree +\S+ +yes +running/);
      expect(await atticHome.tell('plugin', 'list')).toMatch(/^HOST +PLUGIN .*\nattic +diskfree +\S+ +yes +running/);
      expect(JSON.parse(await igorHome.tell('plugin', 'list', '--json', '--host', 'igor'))).toEqual([]);
      expect(await igorHome.tell('plugin', 'list', '--host', 'attic')).toMatch(/^PLUGIN .*\ndiskfree +\S+ +yes +running/);
    });

    it('stops, starts, restarts and shows a plugin of the other host by host.name', async () => {
      expect(lastLine(await igorHome.run('plugin', 'stop', 'attic.diskfree'))).toBe('attic.diskfree is stopped');
      expect(await attic.plugin('diskfree')).toMatchObject({ state: 'stopped', autostart: false });
      expect(lastLine(await igorHome.run('plugin', 'start', 'attic.diskfree'))).toMatch(/^attic\.diskfree is running \(pid \d+\)$/);
      const before = await attic.pluginPid('diskfree');
      expect(lastLine(await igorHome.run('plugin', 'restart', 'attic.diskfree'))).toMatch(/^attic\.diskfree is running/);
      expect(await attic.pluginPid('diskfree')).not.toBe(before);
      expect(await igorHome.tell('plugin', 'log', 'attic.diskfree', '--lines', '1')).toMatch(/INFO: ready\n$/);
    });

    it('refuses for the other host in its words, and says where a plugin is that is not here', async () => {
      expect(lastLine(await igorHome.run('plugin', 'restart', 'diskfree'))).toBe('PLUGIN_NOT_FOUND: no plugin diskfree is installed on igor; there is attic.diskfree');
      expect(lastLine(await atticHome.run('plugin', 'uninstall', 'igor.diskfree'))).toBe('PACKAGE_NOT_FOUND: no plugin diskfree is installed on igor; there is attic.diskfree');
      expect(lastLine(await igorHome.run('plugin', 'start', 'attic.diskfre'))).toBe('PLUGIN_NOT_FOUND: no plugin diskfre is installed on attic; did you mean diskfree?');
      expect(lastLine(await igorHome.run('plugin', 'uninstall', 'attic.nothing'))).toMatch(/^PACKAGE_NOT_FOUND: no plugin nothing is installed on attic/);
    });

    it('means the joined host by the commands on its home, and keeps its configuration at the primary one', async () => {
      expect(lastLine(await atticHome.run('config', 'set', 'diskfree', 'limit', '60'))).toBe('diskfree on attic: limit is 60');
      expect(await igor.client.call(configGet, { host: 'attic', plugin: 'diskfree', key: 'limit' })).toMatchObject({ value: 60 });
      expect(await igorHome.tell('config', 'get', 'diskfree', 'limit', '--host', 'attic')).toBe('60\n');
      expect(lastLine(await atticHome.run('plugin', 'restart', 'diskfree'))).toMatch(/^attic\.diskfree is running/);
      expect(JSON.parse(await igorHome.tell('call', 'attic.diskfree', 'helper.do', '{"command": "check", "parameters": {"path": "/"}}'))).toMatchObject({ result: { limit: 60 } });
    });

    it('uninstalls and installs a plugin of the other host', async () => {
      expect(lastLine(await igorHome.run('plugin', 'uninstall', 'attic.diskfree'))).toBe('uninstalled attic.diskfree; its configuration is kept');
      expect(await attic.plugins()).toEqual([]);
      expect(lastLine(await igorHome.run('plugin', 'install', 'attic.diskfree'))).toMatch(/^attic\.diskfree is running/);
      const folder = writeKitPlugin(igorHome, 'greeter', { commands: { greet: command }, definition: "{ helpers: { greet: () => 'hello' } }" });
      expect(lastLine(await igorHome.run('plugin', 'install', folder, '--on', 'attic'))).toMatch(/^attic\.greeter is running/);
      expect(await igor.client.call(helperDo, { command: 'greet' }, { service: 'attic.greeter' })).toMatchObject({ result: 'hello' });
      expect((await attic.plugins()).map(({ id }) => id)).toEqual(['attic.diskfree', 'attic.greeter']);
      expect(await igor.plugins()).toEqual([]);
    });
  });

  describe('whose line is cut with a reset', () => {
    let pid: number | null;
    let greeterPid: number;
    beforeAll(async () => {
      pid = await pidOfDiskfree();
      greeterPid = await attic.pluginPid('greeter');
      line.cut();
      // A plugin may fail just then.
      killHard(greeterPid);
    });

    it('says on the joined host what is missing, and that its plugins go on', async () => {
      await untilTrue('its terminal says so', () => /WARN: manager is not ready: the broker at tcp:\S+ does not answer; the plugins go on/.test(attic.output), { describe: () => attic.output });
      expect(atticHome.leftovers().map((seen) => seen.pid)).toContain(pid);
      expect(lastLine(await atticHome.run('call', 'dbmanager', 'config.list', '--timeout', '0.5'))).toMatch(/^NOT_CONNECTED: the house at tcp:\S+, which attic has joined, does not answer; what runs here goes on, .*logs/);
    });

    it('says at the primary host that the other one does not answer', async () => {
      await untilTrue('it is forgotten', async () => !(await services()).some((name) => name.startsWith('attic.')));
      const { others } = await statusAt(igorHome);
      expect(others).toEqual([{ host: 'attic', problem: expect.stringMatching(/^it is not on the bus; see /) as string }]);
      expect(await igorHome.tell('status')).toMatch(/\nattic: does not answer: it is not on the bus; see that its "domus up" runs and that its line is up/);
      expect(await igorHome.run('plugin', 'list')).toMatchObject({ code: 0, stderr: expect.stringContaining('the plugins of attic are not known: it is not on the bus') as string });
    });

    it('says so to who means the other host or a plugin of it, at once', async () => {
      const away = /^HOST_AWAY: attic is a host of the house, and it is not on the bus; see that its "domus up" runs and that its line is up/;
      for (const args of [['plugin', 'start', 'attic.diskfree'], ['plugin', 'list', '--host', 'attic'], ['plugin', 'install', 'attic.diskfree']]) expect(lastLine(await igorHome.run(...args))).toMatch(away);
    });

    it('says so in doctor too, with what to do, and completion knows the host still', async () => {
      const { code, stdout } = await igorHome.run('doctor');
      expect(code).toBe(1);
      expect(stdout).toMatch(/^problem +hosts +attic has joined the house, and it is not on the bus → see that its "domus up" runs .*domus config delete house joined --host attic\)$/m);
      const { stdout: offered } = await runDomus(['complete', '--', 'config', 'delete', 'house', 'joined', '--host', ''], { env: { DOMUS_HOME: igorHome.folder, DOMUS_COMPLETION_MS: '15000' } });
      expect(offered).toBe('attic\nigor\n');
    });

    it('ends every call to the other host with a code, within its time', async () => {
      const call = igor.client.call(helperDo, { command: 'list' }, { service: 'attic.diskfree', timeoutMs: 1000 });
      await expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    });

    it('is whole by itself when the line is back, with the plugin that went on and the one that failed meanwhile', async () => {
      line.mend();
      await untilTrue('all services are back', async () => {
        const names = await services();
        return ['attic.diskfree', 'attic.house', 'attic.manager', 'attic.packagemanager'].every((name) => names.includes(name));
      }, { limitMs: 10_000 });
      await attic.untilWhole();
      expect(await pidOfDiskfree()).toBe(pid);
      expect(await attic.plugin('greeter')).toMatchObject({ restarts: 1, lastError: 'killed by SIGKILL' });
      expect((await igor.client.call(helperDo, { command: 'list' }, { service: 'attic.diskfree' })).command).toBe('list');
      await untilTrue('its terminal says so', () => /^manager +is running$/m.test(attic.output));
    });
  });

  it('finds its primary host again after that has restarted, with the plugin that went on', async () => {
    const pid = await pidOfDiskfree();
    expect((await igor.stop()).code).toBe(0);
    igor = await igorHome.up({ args: ['--host', 'igor'] });
    line.lead(igor.endpoint);
    await attic.untilWhole();
    expect(await pidOfDiskfree()).toBe(pid);
    expect(await igorHome.tell('config', 'get', 'diskfree', 'limit', '--host', 'attic')).toBe('60\n');
  });

  it('is whole after the broker was killed', async () => {
    const pid = await pidOfDiskfree();
    const killed = await igor.kill('broker');
    await igor.untilWhole({ without: [killed] });
    await attic.untilWhole();
    expect(await pidOfDiskfree()).toBe(pid);
  });

  it('takes a joined host back at once that was killed with -9', async () => {
    killHard(attic.up.pid);
    if (attic.up.child.exitCode === null && attic.up.child.signalCode === null) await once(attic.up.child, 'exit');
    await atticHome.assertNothingLeft(2000);
    attic = await atticHome.up({ args: ['--host', 'attic'], join: line.endpoint, plugins: true });
    await attic.untilWhole();
    expect(await attic.plugin('diskfree')).toMatchObject({ state: 'running' });
  });

  it('lets no second host have a name that is taken', async () => {
    await using home = new Home();
    expect(await refusal(home, '--join', igor.endpoint, '--host', 'attic')).toBe(`HOST_TAKEN: the name attic is taken: a house runs under this name already, with the home ${atticHome.folder}; give this host another one with --host`);
    expect(await refusal(home, '--join', igor.endpoint, '--host', 'igor')).toBe(`HOST_TAKEN: the name igor is taken: it is the primary host of the house at ${igor.endpoint}; give this host another one with --host`);
  });

  it('tells in its status of a second host that has come to a name, as after a cut', async () => {
    const handlers = new Handlers().on(partList, () => ({ host: 'attic', home: '/home/other', version: '0.1.0', parts: [] }));
    await using worker = new Worker({ endpoint: igor.endpoint, service: 'attic.house', handlers }).start();
    await worker.registered();
    expect(await igorHome.run('status')).toMatchObject({ code: 0, stderr: '2 hosts are called attic, and this is what one of them says: stop the others, and start them with another --host\n' });
  });

  it('lets the joined host stop in a short time while the line is cut', async () => {
    line.cut();
    const { code, stopMs } = await attic.stop();
    expect(code).toBe(0);
    expect(stopMs).toBeLessThan(5000);
    line.mend();
  });

  it('tells a home that starts under another name that its configuration is under the other', async () => {
    await using _attic = await atticHome.up({ args: ['--host', 'loft'], join: line.endpoint });
    expect(_attic.output).toContain('this home was last started as host attic, and is loft now: what was configured for attic does not apply, and its plugins do not start by themselves; "--host attic" brings it back');
  });
});

describe.concurrent('a host that is to join a house', () => {
  it('waits for the house for as long as it takes, and says so', async () => {
    await using igorHome = new Home();
    await using atticHome = new Home();
    await using bare = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    await using line = await Line.to(bare.endpoint);
    const starting = startUp(atticHome, { args: ['--host', 'attic'], join: line.endpoint });
    try {
      await untilTrue('it says so', () => /^waiting for the house at tcp:\S+: its broker answers, and nobody is "house" there; does "domus up" run there\?$/m.test(starting.stderr()), { describe: () => starting.stderr() });
      await using igor = await igorHome.up({ args: ['--host', 'igor'] });
      line.lead(igor.endpoint);
      line.cut();
      line.mend();
      await untilTrue('it is ready', () => starting.stdout().includes('is ready after'), { describe: () => starting.stderr() });
      expect(await igor.client.manage('mmi.service', 'attic.manager')).toBe('200');
      starting.child.kill('SIGTERM');
      expect(await starting.ended).toMatchObject({ code: 0 });
    } finally {
      starting.child.kill('SIGTERM');
      await starting.ended;
    }
  });

  it('says why an address gives no broker, and stops at once when told to', async () => {
    await using homes = new AsyncDisposableStack();
    await using line = await Line.to();
    const join = (endpoint: string): { readonly home: Home; readonly starting: Started } => {
      const home = homes.use(new Home());
      return { home, starting: startUp(home, { args: ['--host', 'attic'], join: endpoint }) };
    };
    const closed = await closedEndpoint();
    const all = [[join(closed), `waiting for the broker at ${closed}: nothing listens there; does "domus up" run there, and was it told to listen beyond its own machine (--bind)?`],
      [join('tcp://nowhere.invalid:40410'), /waiting for the broker at tcp:\/\/nowhere\.invalid:40410: (no machine of that name is known|the name of the machine cannot be looked up)/],
      [join(line.endpoint), `waiting for the broker at ${line.endpoint}: something listens there, and does not answer as a broker; is the address right`]] as const;
    try {
      for (const [{ starting }, told] of all) await untilTrue(`it says ${told}`, () => (typeof told === 'string' ? starting.stderr().includes(told) : told.test(starting.stderr())), { describe: () => starting.stderr() });
      expect(lastLine(await all[0][0].home.run('call', 'dbmanager', 'config.list', '--timeout', '0.5'))).toMatch(/^NOT_CONNECTED: the house at tcp:\S+, which attic has joined, does not answer/);
    } finally {
      for (const [{ starting }] of all) starting.child.kill('SIGTERM');
    }
    for (const [{ starting }] of all) expect(await starting.ended).toMatchObject({ code: 0 });
  });

  it('does not join a house of another version', async () => {
    await using home = new Home();
    await using broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    const handlers = new Handlers().on(partList, () => ({ host: 'igor', home: '/home/igor', version: '9.0.0', parts: [] }));
    await using worker = new Worker({ endpoint: broker.endpoint, service: 'house', handlers }).start();
    await worker.registered();
    expect(await refusal(home, '--join', broker.endpoint)).toMatch(/^VERSION_DIFFERS: the house at tcp:\S+ \(host igor\) runs Majordomus 9\.0\.0, and this is \d\S+; install the same version on both hosts$/);
  });

  it('is told which settings exclude each other, and which address cannot be joined', async () => {
    await using home = new Home();
    expect(await refusal(home, '--join', 'tcp://127.0.0.1:5', '--bind', 'tcp://127.0.0.1:*')).toMatch(/^SETTING_INVALID: join \(tcp:\S+\) and bind \(tcp:\S+\) exclude each other: a host that joins a house elsewhere has no broker of its own; take one of them away$/);
    expect(await refusal(home, '--join', 'tcp://*:40410')).toMatch(/^SETTING_INVALID: --join: "tcp:\/\/\*:40410" must be where the broker is reached, with its machine and its port/);
    expect(await refusal(home, '--broker', 'tcp://127.0.0.1:5')).toMatch(/^SETTING_INVALID: --broker does not say where a house starts: .*"--join tcp:\/\/127\.0\.0\.1:5"/);
  });
});
