// A plugin that runs goes over to a new version through the health gate: either that is as well as the former one was, or the former
// one is back with its configuration (docs/packages.md, "The health gate"). In a real house with short gates.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configGet, configHistory, pluginInstall, pluginRollback, schemaGet, type JsonValue } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout, startProgram, type Ran } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { writeKitPlugin, type KitPlugin } from './test-plugins.ts';
import { until, untilTrue } from './waiting.ts';

const limit = { type: 'integer', description: 'The limit', default: 5, max: 100 } as const;
/** Some ten plugins start at once here, which takes its time on a busy machine; what is to fail waits without work. */
const readyLimitMs = 12_000;
/** As `for (;;);` does, and leaves the processor to others. */
const blocked = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
const waits = "{ helpers: {}, start({ notReady }) { notReady('the bridge does not answer'); } }";

const home = new Home();
let house: House;
beforeAll(async () => {
  writeFileSync(join(home.newFolder('home'), 'majordomus.toml'), `[packagemanager]\nready-limit-ms = ${readyLimitMs}\ncalm-ms = 300\n[manager]\nhang-limit-ms = 60000\n`);
  house = await home.up();
});
afterAll(() => home[Symbol.asyncDispose]());

/** Installs a version by the command line. */
const install = (name: string, version: string, content: KitPlugin = {}, ...args: readonly string[]): Promise<Ran> =>
  home.run('plugin', 'install', writeKitPlugin(home, name, { configuration: { limit }, ...content, version }), ...args);
const schemaVersion = async (plugin: string): Promise<string> => (await house.client.call(schemaGet, { plugin })).version;
const values = async (plugin: string): Promise<Record<string, JsonValue>> => {
  const reply = await house.client.call(configGet, { host: house.host, plugin });
  return 'data' in reply ? reply.data : {};
};
/** What is installed, what runs, and what dbmanager has for it. */
const whole = async (name: string): Promise<object> => {
  const { version, state } = await house.plugin(name);
  return { version, state, schema: await schemaVersion(name), values: await values(name) };
};

describe.concurrent('a plugin that runs', () => {
  it('goes over to a new version that is well, and back and forth by rollback', async () => {
    await install('good', '1.0.0');
    await home.tell('config', 'set', 'good', 'limit', '7');
    const upgraded = await install('good', '1.1.0');
    expect(upgraded).toMatchObject({ code: 0, stderr: expect.stringMatching(/^installed good 1\.1\.0; it was 1\.0\.0\n\S+\.good is running/m) });
    expect(await whole('good')).toEqual({ version: '1.1.0', state: 'running', schema: '1.1.0', values: { limit: 7 } });

    await home.tell('config', 'set', 'good', 'limit', '8');
    expect(await home.run('plugin', 'rollback', 'good')).toMatchObject({ code: 0, stderr: expect.stringMatching(/went back: good 1\.1\.0 → 1\.0\.0\n\S+\.good is running/) });
    expect(await whole('good')).toEqual({ version: '1.0.0', state: 'running', schema: '1.0.0', values: { limit: 8 } });
    expect(await home.run('plugin', 'rollback', house.service('good'))).toMatchObject({ code: 0, stderr: expect.stringMatching(/went forward again: good 1\.0\.0 → 1\.1\.0/) });
    expect(await whole('good')).toEqual({ version: '1.1.0', state: 'running', schema: '1.1.0', values: { limit: 8 } });
  });

  it('is the former version again, with its configuration, when the new one crashes; its last words are shown and kept', async () => {
    await install('fatal', '1.0.0');
    await home.tell('config', 'set', 'fatal', 'limit', '7');
    const before = await whole('fatal');
    const { code, stderr } = await install('fatal', '2.0.0', {
      configuration: { limit: { ...limit, max: 1000 }, more: { type: 'string', description: 'More', default: '' } },
      definition: "{ helpers: {}, start() { console.error('the last words'); process.exit(3); } }",
    }, '--set', 'limit=700', '--set', 'more=much');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^NOT_HEALTHY: fatal 2\.0\.0 ended: .*exit code 3; 1\.0\.0 is back, with its configuration; what it printed is in \S+failed\.log\n(.*\n)* {2}.*the last words$/m);
    expect(await whole('fatal')).toEqual(before);
    expect(readFileSync(join(home.folder, 'packages/fatal/failed.log'), 'utf8')).toMatch(/fatal 2\.0\.0-\w+ ended: .*\n(.*\n)*.*the last words/);
    // What the new version was told stands in the history.
    const { changes } = await house.client.call(configHistory, { host: house.host, plugin: 'fatal', key: 'limit' });
    expect(changes.map((change) => change.new)).toEqual([7, 700, 7]);
    expect(await home.run('plugin', 'rollback', 'fatal')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NO_PREVIOUS: /) });
  });

  it('has each value of then that it takes when the new one crashes, and is told which it does not', async () => {
    const note = { type: 'string', description: 'A note', default: '' } as const;
    await install('narrow', '1.0.0', { configuration: { limit: { ...limit, max: 1000 }, note } });
    for (const [key, value] of [['limit', '500'], ['note', 'Ann']] as const) await home.tell('config', 'set', 'narrow', key, value);
    await home.tell('plugin', 'stop', 'narrow');
    await install('narrow', '1.1.0', { configuration: { limit, note } }, '--no-start');
    await home.run('plugin', 'start', 'narrow');
    const { code, stderr } = await install('narrow', '2.0.0', { configuration: { limit, note }, definition: '{ helpers: {}, start() { process.exit(3); } }' }, '--set', 'limit=50', '--set', 'note=Bob');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/1\.1\.0 is back, with its configuration, except what cannot be as it was and so stays as it is: limit: must be at most 100, not 500; what it printed/) });
    expect(await values('narrow')).toEqual({ limit: 50, note: 'Ann' });
  });

  it.each([
    ['is never ready', waits, /was not ready within 12 s: the bridge does not answer/],
    ['blocks its loop', `{ helpers: {}, start() { ${blocked}; } }`, /was not ready within 12 s: /],
  ])('is the former version again when the new one %s', async (what, definition, reason) => {
    const name = what.split(' ').at(-1) ?? '';
    await install(name, '1.0.0');
    const before = await whole(name);
    const { code, stderr } = await install(name, '1.1.0', { definition });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(reason) });
    expect(await whole(name)).toEqual(before);
  });

  it('needs a value that the new version requires, and takes it with the installation', async () => {
    await install('needy', '1.0.0');
    const pid = await house.pluginPid('needy');
    const configuration = { limit, token: { type: 'string', description: 'The token', example: 'abc', required: true } } as const;
    const { code, stderr } = await install('needy', '1.1.0', { configuration });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/CONFIG_NEEDED: needy 1\.1\.0 would not run .*token: is needed: The token; nothing was changed; .*--set token=VALUE/) });
    expect(await house.plugin('needy')).toMatchObject({ version: '1.0.0', pid });
    expect(await install('needy', '1.1.0', { configuration }, '--set', 'token=abc')).toMatchObject({ code: 0 });
    expect(await whole('needy')).toEqual({ version: '1.1.0', state: 'running', schema: '1.1.0', values: { limit: 5, token: 'abc' } });
  });

  it('may wait for its device if the former version did', async () => {
    await install('waiter', '1.0.0', { definition: waits });
    expect(await install('waiter', '1.1.0', { definition: waits })).toMatchObject({ code: 0, stderr: expect.stringMatching(/waiter is not-ready .*the bridge does not answer/) });
    expect(await house.plugin('waiter')).toMatchObject({ version: '1.1.0', state: 'not-ready' });
  });

  it('forgets its values with uninstall --purge, and keeps them without', async () => {
    await install('leaver', '1.0.0');
    await home.tell('config', 'set', 'leaver', 'limit', '7');
    expect(await home.run('plugin', 'uninstall', 'leaver')).toMatchObject({ code: 0, stderr: expect.stringMatching(/its configuration is kept/) });
    expect(await values('leaver')).toEqual({ limit: 7 });
    expect(Object.keys(await values('manager'))).not.toContain('autostart.leaver');
    expect(await home.run('plugin', 'uninstall', 'leaver', '--purge')).toMatchObject({ code: 0, stderr: expect.stringMatching(/its configuration is forgotten \(values: 1\)/) });
    expect(await values('leaver')).toEqual({ limit: 5 });
    expect(await home.run('plugin', 'uninstall', 'leaver', '--purge')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^PACKAGE_NOT_FOUND/) });
    await expect(house.client.call(pluginRollback, { id: 'leaver' }, { service: house.service('packagemanager') })).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' });
  });
});

describe('a gate', () => {
  it('ends whole when packagemanager is killed in the gate: the job is followed to the same end', async () => {
    await install('survivor', '1.0.0');
    await home.tell('config', 'set', 'survivor', 'limit', '7');
    const before = await whole('survivor');
    const source = writeKitPlugin(home, 'survivor', { configuration: { limit }, version: '2.0.0', definition: waits });
    const installing = startProgram(checkout.program, ['--home', home.folder, 'plugin', 'install', source, '--set', 'limit=9']);
    await untilTrue('the gate is told', () => installing.stderr().includes('waits for 2.0.0 to be ready'));
    await house.kill('packagemanager');
    const { code, stderr } = await installing.ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/NOT_HEALTHY: survivor 2\.0\.0 was not ready within 12 s/) });
    expect(await whole('survivor')).toEqual(before);
    expect(readdirSync(join(home.folder, 'packages/survivor')).filter((name) => !/^1\.0\.0-\w+(\.json)?$/.test(name)).sort()).toEqual(['current', 'failed.log']);
  });

  it('ends whole when its manager is killed in the gate', async () => {
    await install('patient', '1.0.0', { before: "if (manifest.version === '1.1.0') await delay(1500);" });
    const { job } = await house.client.call(pluginInstall, { source: writeKitPlugin(home, 'patient', { version: '1.1.0', before: 'await delay(1500);' }), waitMs: 0 }, { service: house.service('packagemanager') });
    await house.untilPlugin('patient', ({ version }) => version === '1.1.0');
    await house.kill('manager');
    await until('the change has ended', async () => {
      const status = await house.plugin('patient').catch(() => undefined);
      return status?.state === 'running' && !readdirSync(join(home.folder, 'packages/patient')).includes('change.json') ? true : undefined;
    }, { limitMs: 30_000 });
    expect(job.id).not.toBe('');
    // Killed early in the gate the new version had its time; else the former one is back. Either is whole.
    const { version } = await house.plugin('patient');
    expect(await schemaVersion('patient')).toBe(version);
  });

});
