// A person starts a house for the first time, and again (README, "A short tour").
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domusScript, startProgram, type Ran } from './domus.ts';
import { Home } from './home.ts';
import { partNames, type House } from './house.ts';

/** Far above what it takes, for a machine that is busy with other tests; the measured time is printed. */
const busyStartLimitMs = 10_000;

describe('the first start in a new home', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up({ plugins: true });
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it('shows what it is doing while it installs and starts', () => {
    const steps = house.up.stderr().split('\n').filter((line) => line.endsWith('…'));
    expect(steps).toEqual(['starting the broker…', 'starting dbmanager, packagemanager, manager…', 'installing diskfree…', 'starting diskfree…', 'waiting for the plugins…']);
  });

  it('prints every part and diskfree, running, and says where the home is', () => {
    for (const name of [...partNames, 'diskfree 0.1.0']) expect(house.up.stdout()).toMatch(new RegExp(`^${name} +running `, 'm'));
    expect(house.up.stdout()).toMatch(new RegExp(`^Home +${home.folder}$`, 'm'));
  });

  it('welcomes the person, and says where to read on', () => {
    expect(house.up.stdout()).toMatch(/^Welcome\. This is your house:\n\nNAME /);
    expect(house.up.stdout()).toMatch(/^README\.md shows more of it, docs\/ how it is run, extended and built\.$/m);
  });

  it('says ready last, well within its bound', () => {
    expect(house.up.stdout().trimEnd().split('\n').at(-1)).toMatch(/^Majordomus \S+ is ready after \d+\.\d s\. Ctrl-C stops it\.$/);
    expect(house.readyMs).toBeLessThan(busyStartLimitMs);
    console.info(`first start, diskfree installed: ready after ${Math.round(house.readyMs)} ms`);
  });

  it('prints three commands, each of which works as it is printed', async () => {
    const commands = printedCommands(house);
    expect(commands).toHaveLength(3);
    const ran = await Promise.all(commands.map(typed));
    for (const { code, stderr } of ran) expect({ code, stderr }).toMatchObject({ code: 0 });
    const [status, call, set] = ran;
    expect(status?.stdout).toMatch(/^diskfree \S+ +running /m);
    const { result } = JSON.parse(call?.stdout ?? '') as { result: { mountPoint: string; size: number }[] };
    expect(result.find(({ mountPoint }) => mountPoint === '/')?.size).toBeGreaterThan(0);
    expect(set?.stderr).toMatch(/limit is 80/);
  });
});

it('finds everything as it was at the second start, and installs nothing again', async () => {
  await using home = new Home();
  {
    await using first = await home.up({ plugins: true });
    await home.tell('config', 'set', 'diskfree', 'limit', '42');
    expect(await first.plugin('diskfree')).toMatchObject({ state: 'running', autostart: true });
  }
  await using second = await home.up({ plugins: true });
  console.info(`second start: ready after ${Math.round(second.readyMs)} ms`);
  expect(second.readyMs).toBeLessThan(busyStartLimitMs);
  expect(second.output).not.toMatch(/installing/);
  expect(second.up.stdout()).toMatch(/^diskfree \S+ +running /m);
  expect(second.up.stdout()).not.toMatch(/Welcome|to try/);
  expect(await home.tell('config', 'get', 'diskfree', 'limit')).toBe('42\n');
});

it('does not bring back a diskfree that a person uninstalled, and keeps what it was told', async () => {
  await using home = new Home();
  {
    await using _first = await home.up({ plugins: true });
    await home.tell('config', 'set', 'diskfree', 'limit', '42');
    await home.tell('plugin', 'uninstall', 'diskfree');
  }
  await using second = await home.up({ plugins: true });
  expect(second.output).not.toMatch(/installing/);
  expect(await second.plugins()).toEqual([]);
  expect(await home.tell('config', 'get', 'diskfree', 'limit')).toBe('42\n');
});

it('installs no plugin with --no-plugins, and does so at a later start without it', async () => {
  await using home = new Home();
  {
    await using first = await home.up({ plugins: false });
    expect(await first.plugins()).toEqual([]);
  }
  await using second = await home.up({ plugins: true });
  expect(await second.plugin('diskfree')).toMatchObject({ state: 'running' });
});

it('starts no plugin with --no-plugins, and starts those that should run at the next start without it', async () => {
  await using home = new Home();
  {
    await using _first = await home.up({ plugins: true });
  }
  {
    await using quiet = await home.up({ plugins: false });
    expect(await quiet.plugin('diskfree')).toMatchObject({ state: 'stopped', pid: null, autostart: true });
  }
  await using again = await home.up({ plugins: true });
  expect(await again.plugin('diskfree')).toMatchObject({ state: 'running', autostart: true });
});

it('names the home in what it says to try only if it was typed', async () => {
  await using home = new Home();
  await using house = await home.up({ env: { DOMUS_HOME: home.folder } });
  expect(printedCommands(house)).toEqual(['./domus status', './domus services', './domus plugin install diskfree']);
  expect(await home.tell('status')).toContain(home.folder);
});

describe('a house with --host igor', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up({ plugins: true, args: ['--host', 'igor'] });
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it('names its services so', async () => {
    const services = (await house.client.manage('mmi.services')).split(', ');
    expect(services).toEqual(expect.arrayContaining(['igor.diskfree', 'igor.house', 'igor.manager', 'igor.packagemanager', 'manager', 'dbmanager']));
    expect(services.filter((name) => name.includes('.') && !name.startsWith('igor.'))).toEqual([]);
  });

  it('prints commands that work as they are printed', async () => {
    const ran = await Promise.all(printedCommands(house).map(typed));
    for (const { code, stderr } of ran) expect({ code, stderr }).toMatchObject({ code: 0 });
  });

  it('is found under its name by commands on its home that name no host', async () => {
    expect(await home.tell('status')).toMatch(/^igor: /);
    await home.tell('config', 'set', 'diskfree', 'limit', '70');
    expect(JSON.parse(await home.tell('config', 'list', '--json'))).toContainEqual({ host: 'igor', plugin: 'diskfree', keys: 1 });
  });
});

/** The commands that the house says to try. */
function printedCommands(house: House): string[] {
  return house.up.stdout().split('\n').flatMap((line) => /^ {2}\S.* {3}(\.\/domus .+)$/.exec(line)?.[1] ?? []);
}

/** Typed into a shell in the folder of the checkout. */
async function typed(command: string): Promise<Ran> {
  return await startProgram('/bin/sh', ['-c', command], { cwd: domusScript.replace(/domus$/, '') }).ended;
}
