// What an author's test can see and do: the plugin as in a house, time that passes when told, and no wait.
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { configured, heating } from '../test/heating.ts';
import { testPlugin } from './test-plugin.ts';

const notSet = 'waits for its configuration: port is not set; set it: domus config set heating port /dev/ttyUSB0';

afterEach(() => {
  vi.useRealTimers();
});

describe('a plugin in a test', () => {
  it('answers over the bus as in a house', async () => {
    await using plugin = await testPlugin(heating(), { configuration: configured });
    expect(await plugin.call('helper.list')).toEqual({ status: true, reason: '', actions: ['warm', 'off'] });
    expect(await plugin.call('helper.do', { command: 'off' })).toMatchObject({ command: 'off', result: null });
    await expect(plugin.call('helper.help', { command: 'on' })).rejects.toMatchObject({ code: 'COMMAND_UNKNOWN', details: { commands: ['warm', 'off'] } });
    await expect(plugin.call('no.such')).rejects.toMatchObject({ code: 'ACTION_UNKNOWN' });
  });

  it('waits for its configuration as in a house, and takes what is set while it runs', async () => {
    await using plugin = await testPlugin(heating());
    expect(plugin.state()).toEqual({ ready: false, reason: notSet });
    await plugin.configure({ port: 3 });
    expect(plugin.state()).toMatchObject({ ready: false, reason: expect.stringContaining('port must be a string, not 3') });
    await plugin.configure({ port: '/dev/ttyS1' });
    expect(plugin.state()).toEqual({ ready: true });
    await plugin.configure({ port: '/dev/ttyS2' });
    expect(await plugin.helper('warm', { room: 'hall' })).toMatchObject({ at: '/dev/ttyS2' });
  });

  it('lets what start began see the configuration of now, checked and with its defaults, and the last that fitted otherwise', async () => {
    const seen: unknown[] = [];
    await using plugin = await testPlugin(heating({
      start({ every, readConfiguration }) {
        every(1000, async () => {
          const { port, target } = await readConfiguration();
          seen.push([port, target]);
        });
      },
    }), { configuration: { port: '/dev/ttyS1', target: 19 } });
    await plugin.configure({ port: '/dev/ttyS2' });
    await plugin.clock.advance(1000);
    await plugin.configure({ port: 3 });
    await plugin.clock.advance(1000);
    await plugin.configure({ port: '/dev/ttyS3' });
    await plugin.clock.advance(1000);
    expect(seen).toEqual([['/dev/ttyS1', 19], ['/dev/ttyS2', 20.5], ['/dev/ttyS2', 20.5], ['/dev/ttyS3', 20.5]]);
  });

  it('shows its log as a house does, without the times', async () => {
    await using plugin = await testPlugin(heating({
      start: ({ log }) => log.debug({ boiler: 3 }, 'found'),
      off: () => { throw new TypeError('the boiler is cold'); },
    }), { configuration: configured });
    await expect(plugin.helper('off')).rejects.toThrow('the boiler is cold');
    expect(plugin.log().slice(0, 2)).toEqual(['DEBUG: found {"boiler":3}', 'INFO: ready']);
    expect(plugin.log()[2]).toMatch(/^ERROR: the command failed .*\n {4}TypeError: the boiler is cold/);
  });

  it('ends when plugin.stop is asked for, and stop may be said again', async () => {
    const stops: string[] = [];
    await using plugin = await testPlugin(heating({ stop: () => void stops.push('stop') }), { configuration: configured });
    await plugin.call('plugin.stop');
    await plugin.stop();
    await plugin.stop();
    expect(stops).toEqual(['stop']);
    await expect(plugin.helper('off')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  it('fails with what its start throws', async () => {
    await expect(testPlugin(heating({ start: () => { throw new TypeError('a bug'); } }), { configuration: configured })).rejects.toThrow('a bug');
  });
});

describe('the clock of a plugin in a test', () => {
  it('turns what a command waits for, and the date', async () => {
    await using plugin = await testPlugin(heating({
      async off({ clock, signal }) {
        await clock.delay(86_400_000, signal);
        return new Date(clock.wallMs()).toISOString();
      },
    }), { configuration: configured });
    const off = plugin.helper('off');
    await plugin.clock.advance(86_400_000);
    expect(await off).toBe('2026-01-02T00:00:00.000Z');
  });

  it('waits for work that reads a file, and not for work that waits for the clock or for ever', async () => {
    const seen: string[] = [];
    await using plugin = await testPlugin(heating({
      start({ every, clock, signal }) {
        every(1000, async () => {
          await readFile(import.meta.filename);
          seen.push(`read at ${clock.monotonicMs()}`);
        });
        every(10_000, async () => {
          await clock.delay(1500, signal);
          seen.push(`waited at ${clock.monotonicMs()}`);
        });
        every(10_000, async () => { await new Promise((resolve) => { signal.addEventListener('abort', resolve); }); });
      },
    }), { configuration: configured });
    expect(seen).toEqual(['read at 0']);
    await plugin.clock.advance(2000);
    expect(seen).toEqual(['read at 0', 'read at 1000', 'waited at 1500', 'read at 2000']);
  });

  it('ends a delay by its signal', async () => {
    await using plugin = await testPlugin(heating({ start: ({ every, clock, signal }) => every(1000, () => clock.delay(500, signal)) }), { configuration: configured });
    await plugin.stop();
    expect(plugin.log().filter((line) => line.startsWith('ERROR'))).toEqual([]);
  });

  it('goes with the fake timers of a test runner, for what the author waits for in other ways', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    let ticks = 0;
    await using plugin = await testPlugin(heating({
      start({ signal }) {
        const timer = setInterval(() => { ticks += 1; }, 1000);
        signal.addEventListener('abort', () => clearInterval(timer));
      },
    }), { configuration: configured });
    vi.advanceTimersByTime(60_000);
    expect(ticks).toBe(60);
    expect(await plugin.helper('off')).toBeNull();
  });

  it('says it when they fake what the bus needs, instead of waiting for ever', async () => {
    vi.useFakeTimers();
    await expect(testPlugin(heating(), { configuration: configured })).rejects.toMatchObject({ code: 'TIMERS_FAKED' });
    vi.useRealTimers();
    await using plugin = await testPlugin(heating(), { configuration: configured });
    vi.useFakeTimers();
    for (const use of [() => plugin.helper('off'), () => plugin.clock.advance(1)]) await expect(use()).rejects.toMatchObject({ code: 'TIMERS_FAKED' });
    // Also where the test's runner gives the timers back after the plugin was stopped.
    await plugin.stop();
  });
});
