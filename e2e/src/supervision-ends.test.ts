// How plugins end that do not end well: hung, out of memory, crashed. Each is one failure, told in words, and comes back
// (docs/architecture.md, "Supervision").
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configSet, helperDo, pluginRestart, pluginStart, pluginStatusGet, type OutputOf, type PluginStatus } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { command, writeKitPlugin, writePlugin } from './test-plugins.ts';
import { until, untilTrue } from './waiting.ts';

const slowMs = 60_000;
const hangLimitMs = 3000;
const defaultLimitMb = 450;

describe.concurrent('a plugin', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    writeFileSync(join(home.newFolder('home'), 'majordomus.toml'), `[manager]\nhang-limit-ms = ${hangLimitMs}\nmemory-limit-mb = ${defaultLimitMb}\n`);
    house = await home.up();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const install = async (name: string, plugin: Parameters<typeof writeKitPlugin>[2]): Promise<PluginStatus> => {
    await home.tell('plugin', 'install', writeKitPlugin(home, name, plugin));
    return await house.plugin(name);
  };
  /** Tells it to do what it does not outlive. */
  const ask = (name: string, what: string): void => {
    void house.client.call(helperDo, { command: what }, { service: house.service(name), timeoutMs: slowMs }).catch(() => {});
  };
  const replaced = async (name: string, { pid }: PluginStatus): Promise<PluginStatus> =>
    await house.untilPlugin(name, (status) => status.state === 'running' && status.pid !== pid, slowMs);
  const detailed = async (name: string): Promise<OutputOf<typeof pluginStatusGet>> => await house.client.call(pluginStatusGet, { id: name }, { service: house.service('manager') });

  it('whose event loop is blocked is found by its silence, and replaced', { timeout: slowMs }, async () => {
    const before = await install('blocked', { commands: { block: command }, definition: '{ helpers: { block: () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); } } }' });
    ask('blocked', 'block');
    expect(await replaced('blocked', before)).toMatchObject({ restarts: 1, lastError: 'hung: silent for 3 s' });
  });

  it('that is stopped by a signal is found by its silence, and replaced', { timeout: slowMs }, async () => {
    const before = await install('frozen', {});
    process.kill(before.pid ?? 0, 'SIGSTOP');
    expect(await replaced('frozen', before)).toMatchObject({ restarts: 1, lastError: 'hung: silent for 3 s' });
  });

  it('that waits for its device is not restarted, however long that is', { timeout: slowMs }, async () => {
    const before = await install('waiting', { definition: "{ helpers: {}, start({ notReady }) { notReady('bridge unreachable'); } }" });
    expect(before).toMatchObject({ state: 'not-ready', reason: 'bridge unreachable' });
    await untilTrue('it has waited for longer than any limit', () => Date.now() - before.sinceMs > 2 * hangLimitMs);
    expect(await house.plugin('waiting')).toMatchObject({ state: 'not-ready', reason: 'bridge unreachable', pid: before.pid, restarts: 0, lastError: '', sinceMs: before.sinceMs });
  });

  it('that takes too much memory in buffers, which no limit of the heap sees, is killed and replaced', { timeout: slowMs }, async () => {
    const before = await install('hoarder', {
      memoryMb: 200,
      commands: { hoard: command },
      before: 'const hoard = [];',
      definition: '{ helpers: { hoard: () => { setInterval(() => hoard.push(Buffer.alloc(16 * 2 ** 20, 1)), 100); } } }',
    });
    expect(before).toMatchObject({ memoryLimitMb: 200 });
    ask('hoarder', 'hoard');
    const after = await replaced('hoarder', before);
    expect(after).toMatchObject({ restarts: 1, memoryLimitMb: 200, lastError: expect.stringMatching(/^used \d+ MiB, and its limit is 200 MiB$/) as string });
    const { memoryMb } = await house.untilPlugin('hoarder', (status) => status.memoryMb !== null);
    expect(memoryMb).toBeGreaterThan(20);
    expect(memoryMb).toBeLessThan(200);
  });

  it('whose children take too much memory is killed with them and replaced', { timeout: slowMs }, async () => {
    const hog = 'const hoard = []; setInterval(() => hoard.push(Buffer.alloc(32 * 2 ** 20, 1)), 100)';
    const before = await install('parent', {
      memoryMb: 250,
      commands: { breed: command },
      before: "import { spawn } from 'node:child_process';",
      definition: `{ helpers: { breed: () => { spawn(process.execPath, ['-e', ${JSON.stringify(hog)}], { detached: true, stdio: 'ignore' }); } } }`,
    });
    ask('parent', 'breed');
    expect(await replaced('parent', before)).toMatchObject({ restarts: 1, lastError: expect.stringMatching(/^used \d+ MiB, and its limit is 250 MiB$/) as string });
    await untilTrue('its child is gone', () => home.leftovers().every(({ command: line }) => !line.includes('hoard.push')));
  });

  it('that fills its heap is told to have run out of it, with its last words', { timeout: slowMs }, async () => {
    const leak = "console.log('it leaks'); const leak = []; for (;;) leak.push(new Array(1000).fill(leak.length).map((one) => ({ one })));";
    await home.tell('plugin', 'install', '--no-start', writePlugin(home, 'leaker', { main: 'main.mjs', memoryMb: 200 }, { 'main.mjs': leak }));
    // It says nothing, so that nobody takes it for hung while V8 collects harder and harder before it gives up.
    void house.client.call(pluginStart, { id: 'leaker' }, { service: house.service('manager'), timeoutMs: slowMs }).catch(() => {});
    const { lastError } = await house.untilPlugin('leaker', (status) => status.lastError !== '', slowMs);
    expect(lastError).toBe('ran out of memory (V8 heap limit): crashed with SIGABRT');
    expect((await detailed('leaker')).lastWords.join('\n')).toMatch(/heap out of memory/);
    await home.tell('plugin', 'stop', 'leaker');
  });

  it('has the limit of all unless its manifest has one, and a person may give it another, from its next start on', { timeout: slowMs }, async () => {
    const limit = async (value: number): Promise<void> => void (await house.client.call(configSet, { host: house.host, plugin: 'manager', key: 'memory-limit-mb.limited', value }));
    const restart = async (): Promise<PluginStatus> => {
      await house.client.call(pluginRestart, { id: 'limited' }, { service: house.service('manager') });
      return await house.plugin('limited');
    };
    expect(await install('limited', {})).toMatchObject({ memoryLimitMb: defaultLimitMb });
    await limit(333);
    expect(await house.plugin('limited')).toMatchObject({ memoryLimitMb: defaultLimitMb });
    expect(await restart()).toMatchObject({ memoryLimitMb: 333 });
    await house.untilPlugin('limited', ({ memoryMb }) => memoryMb !== null);
    expect(await home.tell('plugin', 'status', 'limited')).toMatch(/^Memory +\d+ MiB, and its limit is 333 MiB$/m);
    await limit(0);
    expect(await restart()).toMatchObject({ memoryLimitMb: null });
  });

  it('that crashes has the last words of that run in its status, also when it runs again', { timeout: slowMs }, async () => {
    const before = await install('speaker', { commands: { crash: command }, definition: "{ helpers: { crash: () => { console.error('farewell'); process.exit(7); } }, start() { console.log('welcome'); } }" });
    ask('speaker', 'crash');
    await replaced('speaker', before);
    const { plugin, log, lastWords } = await until('it has printed again', async () => {
      const found = await detailed('speaker');
      return found.log.at(-1)?.includes('farewell') === true ? undefined : found;
    });
    expect(plugin).toMatchObject({ state: 'running', lastError: 'exit code 7' });
    expect(lastWords.at(-1)).toBe('farewell');
    expect(log.join('\n')).toContain('welcome');
    const shown = await home.tell('plugin', 'status', 'speaker');
    expect(shown).toMatch(/^Last error +exit code 7$/m);
    expect(shown).toMatch(/The last words before that error:\n(.*\n)*  farewell\n$/);
  });
});
