// A house stops in order however it is told to, within its bound, and leaves no process (docs/architecture.md, "Supervision").
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { domusScript, startProgram, type Started } from './domus.ts';
import { Home } from './home.ts';
import { startUp, type House } from './house.ts';
import { isRunning, killHard } from './processes.ts';
import { command, writeKitPlugin, writeShellPlugin } from './test-plugins.ts';
import { shortestMs, untilTrue } from './waiting.ts';

const stopLimitMs = 5000;
const killedLimitMs = 2000;
const atOnceLimitMs = 1000;

beforeAll(async () => {
  // Processes that never ran before write what Node compiled of them at their end, which is not what is measured here.
  await using home = new Home();
  await using _house = await home.up({ plugins: true });
});

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  it('stops a house with a plugin in order and leaves no process', async () => {
    await using home = new Home();
    await using house = await home.up({ plugins: true });
    const { code, stopMs, stderr } = await house.stop(signal);
    expect(home.leftovers()).toEqual([]);
    expect(code).toBe(0);
    expect(stopMs).toBeLessThan(stopLimitMs);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('the house is stopped');
    console.info(`${signal}: stopped after ${Math.round(stopMs)} ms`);
  });
});

it('Ctrl-C reaches the whole foreground group, and the house still stops in order', async () => {
  await using home = new Home();
  await using house = await home.up({ plugins: true, group: true });
  const startedMs = performance.now();
  process.kill(-house.up.pid, 'SIGINT');
  const { code, stderr } = await house.up.ended;
  expect(home.leftovers()).toEqual([]);
  expect({ code, stopMs: performance.now() - startedMs < stopLimitMs }).toEqual({ code: 0, stopMs: true });
  expect(stderr).toMatch(/stopping \(Ctrl-C\)/);
});

it.each([
  ['a script of pnpm', 'pnpm', 'start'],
  // npm writes its whole command line into its name, paths and addresses too.
  ['npx', 'npm exec domus up --home /srv/house', 'npx'],
])('a house that %s started stops when that is killed', async (_what, argv0, npm_lifecycle_event) => {
  await using home = new Home();
  const command = '"$0" up --home "$1" --bind "tcp://127.0.0.1:*" --no-plugins; exit';
  const launcher = startProgram('/bin/sh', ['-c', command, domusScript, home.folder], { argv0, env: { npm_lifecycle_event } });
  await outputHas(launcher, 'is ready after');
  killHard(launcher.pid);
  await home.assertNothingLeft(stopLimitMs);
});

it('a plugin that ignores everything is killed within the bound', async () => {
  await using home = new Home();
  await using house = await home.up();
  const pid = await startStubborn(house);
  const { code, stopMs } = await house.stop('SIGINT');
  expect(home.leftovers()).toEqual([]);
  expect({ pid, runs: isRunning(pid) }).toEqual({ pid, runs: false });
  expect(code).toBe(0);
  expect(stopMs).toBeLessThan(stopLimitMs);
});

it('a second Ctrl-C ends at once, also while a plugin refuses to stop', async () => {
  const endMs = await shortestMs(atOnceLimitMs, async () => {
    await using home = new Home();
    await using house = await home.up();
    await startStubborn(house);
    await house.client.close();
    const startedMs = performance.now();
    house.up.child.kill('SIGINT');
    // What comes within a moment of the first is the same press of the key; so it is pressed until it is another.
    await untilTrue('the second Ctrl-C counts', () => {
      house.up.child.kill('SIGINT');
      return house.up.child.exitCode !== null || house.up.child.signalCode !== null;
    });
    const { code, signal } = await house.up.ended;
    const tookMs = performance.now() - startedMs;
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    await home.assertNothingLeft(killedLimitMs);
    return tookMs;
  });
  expect(endMs).toBeLessThan(atOnceLimitMs);
});

it('what a plugin started and let go of is ended too', async () => {
  await using home = new Home();
  await using house = await home.up();
  const strayPid = await strayOf(house);
  await house.stop();
  expect({ strayPid, runs: isRunning(strayPid) }).toEqual({ strayPid, runs: false });
});

describe('kill -9 of domus up', () => {
  it('leaves nothing within two seconds, and the next start works and has what was told before', async () => {
    await using home = new Home();
    {
      await using house = await home.up({ plugins: true });
      await home.tell('config', 'set', 'diskfree', 'limit', '33');
      await house.client.close();
      killHard(house.up.pid);
      await house.up.ended;
      await home.assertNothingLeft(killedLimitMs);
    }
    await using next = await home.up({ plugins: true });
    expect(await next.plugin('diskfree')).toMatchObject({ state: 'running' });
    expect(await home.tell('config', 'get', 'diskfree', 'limit')).toBe('33\n');
  });

  it.skipIf(!hasProgram('setpriv'))('leaves no plugin that ignores everything either (setpriv)', async () => {
    await using home = new Home();
    await using house = await home.up();
    await startStubborn(house);
    await house.client.close();
    killHard(house.up.pid);
    await house.up.ended;
    // What the plugin itself started is nobody's child now, and ends with the sleep that it is in.
    await home.assertNothingLeft(killedLimitMs);
  });

  it('has nothing left of a killed house after the next start, if its guard has not ended it before', async () => {
    await using home = new Home();
    let strayPid = 0;
    {
      await using house = await home.up();
      strayPid = await strayOf(house);
      expect(isRunning(strayPid)).toBe(true);
      await house.client.close();
      killHard(house.up.pid);
      await house.up.ended;
    }
    await using _next = await home.up();
    expect(isRunning(strayPid)).toBe(false);
  });
});

describe('Ctrl-C while the house starts', () => {
  it.each(['starting the broker', 'starting dbmanager', 'installing diskfree', 'starting diskfree'])('at "%s" ends it in order', async (step) => {
    await using home = new Home();
    const up = startUp(home, { plugins: true });
    await outputHas(up, step);
    const startedMs = performance.now();
    up.child.kill('SIGINT');
    const { code, stderr } = await up.ended;
    expect(home.leftovers()).toEqual([]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(performance.now() - startedMs).toBeLessThan(stopLimitMs);
    expect(stderr).not.toMatch(/\n\s+at /);
    await using _again = await home.up({ plugins: true });
  });
});

describe.skipIf(!hasProgram('script'))('in a real terminal (script)', () => {
  it('shows colours, and its progress in one line; the key Ctrl-C stops the house in order', async () => {
    await using home = new Home();
    const terminal = startInTerminal(home);
    await outputHas(terminal, 'is ready after');
    terminal.child.stdin?.write('\u0003');
    const { code, stdout } = await terminal.ended;
    expect(home.leftovers()).toEqual([]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/the house is stopped/);
    expect(stdout).toContain('\u001B[32mrunning\u001B[39m');
    expect(stdout).toContain('\r\u001B[2Kstarting dbmanager');
  });

  it('a terminal that closes stops it within the bound', async () => {
    await using home = new Home();
    const terminal = startInTerminal(home);
    await outputHas(terminal, 'is ready after');
    killHard(terminal.pid);
    await home.assertNothingLeft(stopLimitMs);
  });
});

/** Starts a plugin that nothing but SIGKILL ends; gives its pid. */
async function startStubborn(house: House): Promise<number> {
  const folder = writeShellPlugin(house.home, 'stubborn', "trap '' INT TERM HUP\nexec <&-\nwhile :; do sleep 1; done");
  await house.home.tell('plugin', 'install', '--no-start', folder);
  // It never says that it is ready.
  void house.client.request('manager', { action: 'plugin.start', data: { id: 'stubborn' } }).catch(() => {});
  await house.untilPlugin('stubborn', ({ pid }) => pid !== null);
  return await house.pluginPid('stubborn');
}

/** Has a plugin start a process that leaves the group that is killed, and is nobody's child; only its environment tells whose it is. */
async function strayOf(house: House): Promise<number> {
  const folder = writeKitPlugin(house.home, 'leaver', {
    before: "import { spawn } from 'node:child_process';",
    commands: { leave: command },
    definition: "{ helpers: { leave: () => spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }).pid } }",
  });
  await house.home.tell('plugin', 'install', folder);
  const { result } = JSON.parse(await house.home.tell('call', house.service('leaver'), 'helper.do', '{"command": "leave"}')) as { result: number };
  return result;
}

/** `domus up` in a terminal of its own, by script(1), which passes on what is written to its standard input. */
function startInTerminal(home: Home): Started {
  const command = `exec '${domusScript}' up --home '${home.folder}' --bind 'tcp://127.0.0.1:*' --no-plugins`;
  return startProgram('script', ['--quiet', '--return', '--command', command, '/dev/null'], { env: { TERM: 'xterm-256color' } });
}

async function outputHas(started: Started, text: string): Promise<void> {
  const seen = new Promise<void>((resolve) => {
    started.onOutput(() => {
      if ((started.stdout() + started.stderr()).includes(text)) resolve();
    });
  });
  await Promise.race([seen, started.ended]);
  expect(started.stdout() + started.stderr()).toContain(text);
}

function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
