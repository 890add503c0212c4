import { describe, expect, it } from 'vitest';
import type { Contract, JsonObject } from './contract.ts';
import { configDelete, configGet, configHistory, configList, configRevert, configSet, dbmanagerServices, maskedSecret, schemaGet, schemaSet } from './dbmanager.ts';

/** What a handler gets of a request's data, or the problems of each field. */
function read(contract: Contract, data: JsonObject): unknown {
  const read = contract.input.safeParse(contract.accept?.(data) ?? data);
  return read.success ? read.data : read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the contracts of dbmanager', () => {
  it('have the names that the documentation gives them', () => {
    expect(dbmanagerServices).toEqual(['dbmanager', 'dbmgr', 'admin']);
    expect([configGet, configSet, configDelete, configList, configHistory, configRevert, schemaSet, schemaGet].map(({ action, reply }) => [action, reply])).toEqual([
      ['config.get', 'config.result'],
      ['config.set', 'config.result'],
      ['config.delete', 'config.result'],
      ['config.list', 'config.result'],
      ['config.history', 'config.history.result'],
      ['config.revert', 'config.result'],
      ['schema.set', 'schema.result'],
      ['schema.get', 'schema.result'],
    ]);
  });

  it('take the documentation’s own example', () => {
    const data = { host: 'igor', plugin: 'velbus', key: 'protocol' };
    expect(read(configGet, data)).toEqual(data);
  });

  it.each([configGet, configDelete])('take Domogik’s fields: name for plugin, a type that says nothing, * for all keys ($action)', (contract) => {
    expect(read(contract, { type: 'plugin', name: 'velbus', host: 'igor', key: 'protocol' })).toEqual({ host: 'igor', plugin: 'velbus', key: 'protocol' });
    expect(read(contract, { type: 'plugin', name: 'velbus', host: 'igor', key: '*' })).toEqual({ host: 'igor', plugin: 'velbus' });
    expect(read(contract, { type: 'plugin', name: 'velbus', host: 'igor' })).toEqual({ host: 'igor', plugin: 'velbus' });
  });

  it('take Domogik’s config.set with several values', () => {
    const data = { port: 6000, options: { a: [null, true] } };
    expect(read(configSet, { type: 'plugin', name: 'velbus', host: 'igor', data })).toEqual({ host: 'igor', plugin: 'velbus', data });
  });

  it('prefer plugin where both names are given, and leave the data that they were given alone', () => {
    const data = Object.freeze({ name: 'old', plugin: 'velbus', host: 'igor', key: '*' });
    expect(read(configGet, data)).toEqual({ host: 'igor', plugin: 'velbus' });
    expect(data).toEqual({ name: 'old', plugin: 'velbus', host: 'igor', key: '*' });
  });

  it('set one value or several, of any JSON type', () => {
    const owner = { host: 'igor', plugin: 'velbus' };
    for (const value of [null, true, 0, -1.5, '', 'text', [1, ['two']], { a: { b: null } }]) {
      expect(read(configSet, { ...owner, key: 'a', value })).toEqual({ ...owner, key: 'a', value });
      expect(read(configSet, { ...owner, data: { a: value, b: value } })).toEqual({ ...owner, data: { a: value, b: value } });
    }
  });

  it.each([
    ['neither a value nor data', {}],
    ['a key without a value', { key: 'a' }],
    ['a value without a key', { value: 1 }],
    ['data that holds nothing', { data: {} }],
    ['data that is no object', { data: [1] }],
    ['a key that is none', { key: '../a', value: 1 }],
    ['a key in data that is none', { data: { '': 1 } }],
    ['the star, which names no one key', { key: '*', value: 1 }],
  ])('refuse to set %s', (_what, rest) => {
    expect(read(configSet, { host: 'igor', plugin: 'velbus', ...rest })).toEqual([expect.stringContaining(': ')]);
  });

  it.each([
    ['no host', { plugin: 'velbus' }, 'host'],
    ['no plugin', { host: 'igor' }, 'plugin'],
    ['a host that is no name', { host: 'Igor.local', plugin: 'velbus' }, 'host'],
    ['a plugin that is no name', { host: 'igor', plugin: 'vel bus' }, 'plugin'],
    ['a name that is no text', { host: 'igor', name: 7 }, 'plugin'],
  ])('refuse to get with %s, and name the field', (_what, data, field) => {
    expect(read(configGet, data)).toEqual([expect.stringMatching(new RegExp(`^${field}: `))]);
  });

  it('say on whose behalf, in one line', () => {
    const write = { host: 'igor', plugin: 'velbus', key: 'a', value: 1 };
    for (const by of ['ann@igor', 'igor.velbus', 'Zoë, by the back door', 'x'.repeat(200)]) expect(read(configSet, { ...write, by })).toEqual({ ...write, by });
    for (const by of ['', 'two\nlines', 'a\u001b[31m', 'x'.repeat(201), 7]) {
      for (const contract of [configSet, configDelete, configRevert, configGet]) expect(read(contract, { ...write, to: 0, by })).not.toMatchObject({ by });
    }
  });

  it('have a text for a secret that is not shown which no keyboard types by itself', () => {
    expect(maskedSecret).toMatch(/[^\u0000-\u00ff]/);
  });

  it('refuse a change to go back to that is no number of one', () => {
    const owner = { host: 'igor', plugin: 'velbus' };
    expect(read(configRevert, { ...owner, to: 0 })).toEqual({ ...owner, to: 0 });
    for (const to of [undefined, -1, 1.5, '3']) expect(read(configRevert, { ...owner, to })).toEqual([expect.stringMatching(/^to: /)]);
    expect(read(configHistory, owner)).toEqual({ ...owner, limit: 100 });
  });

  it('refuse a schema whose default does not fit its own type', () => {
    const items = { port: { type: 'integer', description: 'where', default: 'any' } };
    expect(read(schemaSet, { plugin: 'velbus', version: '1.0.0', items })).toEqual(['items.port.default: must be a whole number, not a string']);
  });

  it('promise one value, or all of them with the keys that are defaults', () => {
    const owner = { host: 'igor', plugin: 'velbus' };
    for (const result of [
      { ...owner, key: 'port', value: null },
      { ...owner, key: 'port', value: 6000, default: true },
      { ...owner, data: { port: 6000 }, defaults: ['port'] },
    ]) expect(configGet.output.parse({ status: true, reason: '', ...result })).toEqual(result);
    expect(configGet.output.safeParse({ ...owner, key: 'port', value: 1, default: false }).success).toBe(false);
    expect(configGet.output.safeParse(owner).success).toBe(false);
  });
});
