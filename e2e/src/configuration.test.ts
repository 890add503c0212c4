// What plugins are told is kept over everything, and checked against their schemas (docs/architecture.md, "Durability").
import { configGet, configSet } from '@majordomus/contracts';
import type { PeerError } from '@majordomus/mq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import type { House } from './house.ts';

describe('the configuration', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up({ plugins: true });
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it('is set and read on the command line', async () => {
    expect(await home.run('config', 'set', 'diskfree', 'limit', '75')).toMatchObject({ code: 0, stdout: '', stderr: `diskfree on ${house.host}: limit is 75\n` });
    await home.tell('config', 'set', 'velbus', 'protocol', 'usb');
    expect(await home.tell('config', 'get', 'velbus', 'protocol')).toBe('usb\n');
    expect(await home.tell('config', 'get', 'velbus', 'protocol', '--json')).toBe('"usb"\n');
    expect(JSON.parse(await home.tell('config', 'get', 'velbus', '--json'))).toEqual({ protocol: 'usb' });
  });

  it('is set for a plugin that is not installed yet, with a note and the name that may have been meant', async () => {
    const unknown = await home.run('config', 'set', 'onewire', 'port', 'usb');
    expect(unknown).toMatchObject({ code: 0, stdout: '', stderr: `onewire on ${house.host}: port is usb\nno plugin onewire is installed, so nothing checks the value until it is\n` });
    const mistyped = await home.run('config', 'set', 'diskfre', 'limit', '75');
    expect(mistyped.stderr).toContain('; did you mean diskfree? Then take it back with: ./domus config delete diskfre limit\n');
    await home.tell('config', 'delete', 'diskfre', 'limit');
    await home.tell('config', 'delete', 'onewire');
  });

  it('reads a value by the type that the schema gives, else as JSON, else as text', async () => {
    await home.tell('config', 'set', 'diskfree', 'limit', '77');
    expect(await home.tell('config', 'get', 'diskfree', 'limit', '--json')).toBe('77\n');
    await home.tell('config', 'set', 'velbus', 'ports', '[1, 2]');
    expect(JSON.parse(await home.tell('config', 'get', 'velbus', 'ports', '--json'))).toEqual([1, 2]);
    await home.tell('config', 'set', 'velbus', 'note', 'two words');
    expect(await home.tell('config', 'get', 'velbus', 'note', '--json')).toBe('"two words"\n');
  });

  it('shows defaults as what they are, and what is set again after a delete as default', async () => {
    await home.tell('config', 'set', 'diskfree', 'limit', '12');
    expect(await home.tell('config', 'get', 'diskfree')).toMatch(/^limit +12 +set$/m);
    expect(await home.run('config', 'delete', 'diskfree', 'limit')).toMatchObject({ code: 0, stderr: `forgot 1 value of diskfree on ${house.host}\n` });
    expect(await home.tell('config', 'get', 'diskfree')).toMatch(/^limit +90 +default$/m);
    expect(await home.run('config', 'delete', 'diskfree', 'limit')).toMatchObject({ code: 0, stderr: `nothing was set for diskfree on ${house.host}\n` });
    expect(await home.run('config', 'delete', 'diskfree', 'limt')).toMatchObject({ code: 0, stderr: `nothing was set for diskfree on ${house.host}; did you mean limit?\n` });
  });

  it('lists every host and plugin that has any', async () => {
    await home.tell('config', 'set', 'onewire', 'port', '/dev/ttyUSB0');
    expect(await home.tell('config', 'list')).toMatch(new RegExp(`^${house.host} +onewire +1$`, 'm'));
    expect(JSON.parse(await home.tell('config', 'list', '--json'))).toContainEqual({ host: house.host, plugin: 'onewire', keys: 1 });
    await home.tell('config', 'delete', 'onewire');
    expect(await home.tell('config', 'list')).not.toMatch(/onewire/);
  });

  it('shows what the house keeps for itself only if it is asked for all', async () => {
    expect(await home.tell('config', 'list')).not.toMatch(/ (house|manager) /);
    expect(await home.tell('config', 'list', '--all')).toMatch(new RegExp(`^${house.host} +house +1$[\\s\\S]*^${house.host} +manager +1$`, 'm'));
  });

  it('keeps what the house has noted, and the settings of parts out', async () => {
    expect(await home.run('config', 'delete', 'house')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^BAD_REQUEST: house is no plugin: .*\(furnished\).*config delete house furnished/) });
    expect(await home.tell('config', 'list', '--all')).toMatch(new RegExp(`^${house.host} +house +1$`, 'm'));
    expect(await home.run('config', 'set', 'dbmanager', 'history-days', '5')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^CONFIG_INVALID: .*history-days.*majordomus\.toml/) });
  });

  it('is that of another host with --host', async () => {
    const { stderr } = await home.run('config', 'set', 'velbus', 'protocol', 'tcp', '--host', 'gustave');
    expect(stderr).toContain(`the house has no host gustave; its only one is ${house.host}; see: ./domus status; the value waits for it\n`);
    expect(await home.tell('--host', 'gustave', 'config', 'get', 'velbus', 'protocol')).toBe('tcp\n');
    expect(await home.tell('config', 'get', 'velbus', 'protocol')).toBe('usb\n');
  });

  it.each([
    ['a wrong type', ['set', 'diskfree', 'limit', 'many'], /^CONFIG_INVALID: diskfree on \S+: limit: must be a whole number, not a string; nothing was changed$/],
    ['a value out of its range', ['set', 'diskfree', 'limit', '300'], /^CONFIG_INVALID: .*limit: must be at most 100, not 300/],
    ['an unknown key', ['set', 'diskfree', 'limmit', '3'], /^CONFIG_INVALID: .*limmit: is not known; known: limit/],
    ['a key that is not set', ['get', 'velbus', 'nothing'], /^CONFIG_NOT_FOUND: velbus on \S+ has no value for nothing/],
    ['a key that the schema has not', ['get', 'diskfree', 'nothing'], /^CONFIG_NOT_FOUND: .*known: limit/],
    ['a name that is none', ['get', 'Disk free'], /^INVALID_DATA: plugin: must be a name/],
  ])('refuses %s with a code and a reason, and exit code 1', async (_what, args, expected) => {
    const { code, stdout, stderr } = await home.run('config', ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd()).toMatch(expected);
  });

  it('refuses several values as one, with the reason of each field', async () => {
    const set = house.client.call(configSet, { host: house.host, plugin: 'diskfree', data: { limit: 300, other: 1 } });
    const refused = await set.catch((error: unknown) => error as PeerError);
    expect(refused).toMatchObject({ code: 'CONFIG_INVALID', details: { fields: { limit: 'must be at most 100, not 300', other: 'is not known; known: limit' } } });
    expect(await house.client.call(configGet, { host: house.host, plugin: 'diskfree', key: 'limit' })).toMatchObject({ value: 90, default: true });
  });

  it('is read in the words of Domogik, at its own service names too', async () => {
    for (const service of ['dbmgr', 'admin']) {
      const reply = await house.client.request(service, { action: 'config.get', data: { type: 'plugin', name: 'velbus', host: house.host, key: 'protocol' } });
      expect(reply).toMatchObject({ action: 'config.result', data: { status: true, reason: '', value: 'usb' } });
    }
  });

  it('has what was acknowledged after a kill -9 of dbmanager in the same moment', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const pid = await house.partPid('dbmanager');
      await house.client.call(configSet, { host: house.host, plugin: 'velbus', data: { round, text: `written in round ${round}` } });
      process.kill(pid, 'SIGKILL');
      const { data } = await house.client.call(configGet, { host: house.host, plugin: 'velbus' }) as { data: object };
      expect(data).toMatchObject({ round, text: `written in round ${round}` });
    }
    await house.untilWhole();
  });
});

it('what was set is there after a restart of the house, of every type', async () => {
  await using home = new Home();
  const data = { text: 'Grüße', number: -1.5, yes: true, nothing: null, list: ['a', 'b'], object: { deep: [{ er: 1 }] } };
  {
    await using first = await home.up();
    await first.client.call(configSet, { host: 'igor', plugin: 'velbus', data });
  }
  await using second = await home.up();
  expect(await second.client.call(configGet, { host: 'igor', plugin: 'velbus' })).toMatchObject({ data });
});
