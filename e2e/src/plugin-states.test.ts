// Plugins that do not simply run: each is shown as what it is, with the reason, and can be stopped (docs/architecture.md,
// "Supervision").
import { helperDo, pluginStatusGet, type ProcessState } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ran } from './domus.ts';
import { Home } from './home.ts';
import type { House, HouseStatus } from './house.ts';
import { isRunning, killHard } from './processes.ts';
import { command, writeKitPlugin, writeShellPlugin } from './test-plugins.ts';
import { until } from './waiting.ts';

/** A silent program is given its bound, and a failing one its tries. */
const slowMs = 40_000;

describe.concurrent('a plugin', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const log = async (name: string): Promise<string> => await home.tell('plugin', 'log', name);
  /** The line of a plugin in a listing for people. */
  const line = (listing: string, name: string): string => listing.split('\n').find((text) => text.startsWith(`${name} `)) ?? '';
  const install = async (folder: string): Promise<Ran> => await home.run('plugin', 'install', folder);

  it('that crashes is tried again, and shown as failed with the reason and its last words when it goes on', { timeout: slowMs }, async () => {
    const folder = writeKitPlugin(home, 'crasher', { definition: "{ helpers: {}, start() { console.error('the last words'); process.exit(3); } }" });
    const { code, stderr } = await install(folder);
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(stderr).toMatch(/crasher is backoff: .*exit code 3/);
    expect(stderr).toMatch(/^see: \.\/domus plugin log \S+\.crasher$/m);
    const failed = await house.untilPlugin('crasher', ({ state }) => state === 'failed', slowMs);
    expect(failed).toMatchObject({ pid: null, reason: expect.stringMatching(/exit code 3; it ended too often and is tried again every 60 s/), lastError: 'exit code 3' });
    expect(failed.restarts).toBeGreaterThanOrEqual(4);
    for (const listing of [await home.tell('status'), await home.tell('plugin', 'list')]) {
      expect(line(listing, 'crasher')).toMatch(/ failed .*exit code 3/);
    }
    expect((await log('crasher')).split('the last words')).toHaveLength(6);
    const { log: lines } = await house.client.call(pluginStatusGet, { id: 'crasher' }, { service: house.service('manager') });
    expect(lines.join('\n')).toContain('the last words');
    expect(await home.run('plugin', 'stop', 'crasher')).toMatchObject({ code: 0, stderr: expect.stringMatching(/crasher is stopped/) });
  });

  it('whose start throws says so in its log, and is tried again', async () => {
    await install(writeKitPlugin(home, 'thrower', { definition: "{ helpers: {}, start() { throw new Error('no such bus'); } }" }));
    expect(await log('thrower')).toMatch(/no such bus/);
    await house.untilPlugin('thrower', ({ restarts }) => restarts > 0);
    await home.tell('plugin', 'stop', 'thrower');
    expect(await house.plugin('thrower')).toMatchObject({ state: 'stopped', pid: null });
  });

  it('that waits for its device is not ready with its reason, answers, and is running when it is there', async () => {
    const { code, stderr } = await install(writeKitPlugin(home, 'waiter', {
      commands: { arrive: command },
      before: 'let arrived;',
      definition: `{
        start({ ready, notReady }) { arrived = ready; notReady('the bridge at 192.0.2.7 does not answer'); },
        helpers: { arrive: () => { arrived(); return 'here'; } },
      }`,
    }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/waiter is not-ready \(pid \d+\): the bridge at 192\.0\.2\.7 does not answer/) });
    expect(line(await home.tell('status'), 'waiter')).toMatch(/ not-ready .*the bridge at 192\.0\.2\.7 does not answer$/);
    const before = await house.plugin('waiter');
    await house.client.call(helperDo, { command: 'arrive' }, { service: house.service('waiter') });
    expect(await house.untilPlugin('waiter', ({ state }) => state === 'running')).toMatchObject({ pid: before.pid, reason: '', restarts: 0 });
  });

  it('whose configuration is missing says the command to type, and runs after it was typed', async () => {
    const { stderr } = await install(writeKitPlugin(home, 'needy', {
      configuration: { port: { type: 'string', description: 'The port', example: '/dev/ttyUSB0', required: true } },
    }));
    expect(stderr).toMatch(/needy is not-ready .*port is not set; set it: \.\/domus config set needy port \/dev\/ttyUSB0$/m);
    await home.tell('config', 'set', 'needy', 'port', '/dev/ttyUSB1');
    await house.untilPlugin('needy', ({ state }) => state === 'running');
  });

  it('whose configuration was set to a wrong type before it came says so, and waits', async () => {
    await home.tell('config', 'set', 'picky', 'port', '[1, 2]');
    const { code, stderr } = await install(writeKitPlugin(home, 'picky', {
      configuration: { port: { type: 'string', description: 'The port', default: '/dev/ttyUSB0' } },
    }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/picky is not-ready .*port must be a string, not a list; set it: \.\/domus config set picky port \/dev\/ttyUSB0$/m) });
    await home.tell('config', 'delete', 'picky', 'port');
    await house.untilPlugin('picky', ({ state }) => state === 'running');
  });

  it('in another language that says nothing and offers nothing is not ready, with the reason, and is stopped', { timeout: slowMs }, async () => {
    const folder = writeShellPlugin(home, 'silent', 'echo "the script runs in $(pwd)"\nwhile :; do sleep 1; done');
    const { code, stderr } = await install(folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/silent is not-ready \(pid \d+\): has not said that it is ready/) });
    const { reason, pid, restarts } = await house.plugin('silent');
    expect({ reason, restarts }).toEqual({ reason: 'has not said that it is ready', restarts: 0 });
    expect(await log('silent')).toMatch(/^the script runs in .*packages\/silent\//m);
    await home.tell('plugin', 'stop', 'silent');
    expect(isRunning(pid ?? 0)).toBe(false);
    expect(await house.plugin('silent')).toMatchObject({ state: 'stopped' });
  });

  it('in another language is told where the house is', async () => {
    await home.tell('plugin', 'install', '--no-start', writeShellPlugin(home, 'told', 'echo "$DOMUS_BROKER $DOMUS_HOST $DOMUS_HOME"\nwhile :; do sleep 1; done'));
    void house.client.request('manager', { action: 'plugin.start', data: { id: 'told' } }).catch(() => {});
    await until('it has spoken', async () => ((await log('told')).includes(`${house.endpoint} ${house.host} ${home.folder}`) ? true : undefined));
    await home.tell('plugin', 'stop', 'told');
  });

  it('that is killed comes back under another pid, and tells how it ended', async () => {
    await home.tell('plugin', 'install', writeKitPlugin(home, 'victim'));
    const pid = await house.pluginPid('victim');
    killHard(pid);
    const back = await house.untilPlugin('victim', (plugin) => plugin.state === 'running' && plugin.pid !== pid);
    expect(back).toMatchObject({ restarts: 1, reason: '', lastError: 'killed by SIGKILL' });
    expect(line(await home.tell('status'), 'victim')).toMatch(/last error: killed by SIGKILL$/);
  });

  it('prints what would move the cursor or hide a line, and it is shown as text', async () => {
    await home.tell('plugin', 'install', writeKitPlugin(home, 'painter', { definition: "{ helpers: {}, start() { console.log('\\u001b[2Jcleared\\u0007'); } }" }));
    const shown = await log('painter');
    expect(shown).toContain('cleared');
    expect(shown).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/);
  });

  it('is in every listing with its state as JSON', async () => {
    await home.tell('plugin', 'install', writeKitPlugin(home, 'listed'));
    const known: readonly ProcessState[] = ['stopped', 'starting', 'running', 'not-ready', 'stopping', 'backoff', 'failed'];
    const status = JSON.parse(await home.tell('status', '--json')) as HouseStatus;
    expect(status).toMatchObject({ host: house.host, home: home.folder, pluginsProblem: null });
    expect(status.plugins.find(({ name }) => name === 'listed')).toMatchObject({ state: 'running', version: '1.0.0' });
    for (const { state } of [...status.parts, ...status.plugins]) expect(known).toContain(state);
  });
});
