import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { componentName, hostName, hostService, parsePluginId, pluginId, pluginName, reservedNames } from './names.ts';

const tooLong = 'a'.repeat(64);

describe('the name of a host', () => {
  it.each(['igor', '3rd-floor', 'a', 'a'.repeat(63)])('may be %s', (name) => {
    expect(hostName.safeParse(name).success).toBe(true);
  });

  it.each(['', 'Igor', 'igor.lan', '-igor', 'my_house', 'igor ', 'igor\n', tooLong, 5, null])('may not be %j', (name) => {
    expect(hostName.safeParse(name).success).toBe(false);
  });
});

describe('the name of a plugin', () => {
  it.each(['diskfree', 'velbus-2', 'z', 'a'.repeat(63)])('may be %s', (name) => {
    expect(pluginName.safeParse(name).success).toBe(true);
  });

  it.each(['', 'Diskfree', '2fast', '-x', 'a.b', 'a_b', 'a/b', '..', 'disk\nfree', tooLong])('may not be %j', (name) => {
    expect(pluginName.safeParse(name).error?.issues[0]?.message).toMatch(/^must be a name: /);
  });

  it.each([...reservedNames])('may not be %s, which is reserved', (name) => {
    expect(pluginName.safeParse(name).success).toBe(false);
  });

  it('is reserved for what the house itself is made of, but its configuration has those names', () => {
    for (const name of ['dbmanager', 'manager', 'packagemanager', 'house', 'admin', 'dbmgr']) {
      expect(reservedNames).toContain(name);
      expect(componentName.safeParse(name).success).toBe(true);
    }
    expect(pluginName.safeParse('manager').error?.issues[0]?.message).toBe('must not be a reserved name');
  });
});

describe('a plugin as a person names it', () => {
  it.each([
    ['diskfree', { host: 'igor', name: 'diskfree' }],
    ['attic.diskfree', { host: 'attic', name: 'diskfree' }],
    ['3rd-floor.diskfree', { host: '3rd-floor', name: 'diskfree' }],
  ])('%s is %j on the host igor', (id, expected) => {
    expect(pluginId.safeParse(id).success).toBe(true);
    expect(parsePluginId(id, 'igor')).toEqual(expected);
  });

  it.each(['', '.diskfree', 'igor.', 'a.b.c', 'Igor.diskfree', 'igor.Diskfree', 'igor/diskfree', 'diskfree\n'])('is not %j', (id) => {
    expect(pluginId.safeParse(id).error?.issues[0]?.message).toBe('must be a plugin: its name, or host.name');
  });

  it('has the service name that it is split from', () => {
    const host = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/);
    fc.assert(fc.property(host, name, (onHost, plugin) => {
      const id = hostService(onHost, plugin);
      expect(pluginId.safeParse(id).success).toBe(true);
      expect(parsePluginId(id, 'elsewhere')).toEqual({ host: onHost, name: plugin });
    }));
  });
});
