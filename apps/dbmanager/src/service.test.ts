import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  configDelete, configGet, configHistory, configList, configRevert, configSet, dbmanagerServices, maskedSecret, schemaGet, schemaSet,
} from '@majordomus/contracts';
import { Broker, Client } from '@majordomus/mq';
import { createLog, homePaths, silentLog } from '@majordomus/runtime';
import { temporaryFolder, type TemporaryFolder } from '../test/temporary-folder.ts';
import { readSettings } from './config.ts';
import { start } from './service.ts';

const owner = { host: 'igor', plugin: 'velbus' };

let folder: TemporaryFolder;
let broker: Broker;
let client: Client;

beforeEach(async () => {
  folder = temporaryFolder();
  broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
  client = new Client({ endpoint: broker.endpoint });
});
afterEach(async () => {
  await client.close();
  await broker.close();
  folder[Symbol.dispose]();
});

/** A running dbmanager; `stop` ends it and waits. */
async function running(log = silentLog): Promise<{ stop: () => Promise<void> }> {
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  const settings = readSettings(['--home', folder.path, '--broker', broker.endpoint], {});
  const ended = start(settings, { signal: stopping.signal, log, ready: () => ready.resolve(), notReady: () => undefined });
  await Promise.race([ready.promise, ended]);
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

describe('dbmanager on the bus', () => {
  it('answers every action', async () => {
    const dbmanager = await running();
    const items = { protocol: { type: 'string', description: 'how to speak', default: 'tcp' } } as const;
    expect(await client.call(schemaSet, { plugin: 'velbus', version: '1.0.0', items })).toEqual({ plugin: 'velbus' });
    expect(await client.call(schemaGet, { plugin: 'velbus' })).toEqual({ plugin: 'velbus', version: '1.0.0', items });
    expect(await client.call(configGet, { ...owner, key: 'protocol' })).toEqual({ ...owner, key: 'protocol', value: 'tcp', default: true });
    expect(await client.call(configSet, { ...owner, data: { protocol: 'serial' } })).toEqual(owner);
    expect(await client.call(configGet, owner)).toEqual({ ...owner, data: { protocol: 'serial' }, defaults: [] });
    expect(await client.call(configList, {})).toEqual({ configurations: [{ ...owner, keys: 1 }] });
    expect(await client.call(configDelete, { ...owner, key: 'protocol' })).toEqual({ ...owner, deleted: 1 });
    await dbmanager.stop();
  });

  it.each(dbmanagerServices)('answers as %s, and takes Domogik’s own fields', async (service) => {
    const dbmanager = await running();
    const domogik = { type: 'plugin', name: 'velbus', host: 'igor' };
    const set = await client.request(service, { action: 'config.set', data: { ...domogik, data: { protocol: 'serial' } } });
    expect(set).toEqual({ action: 'config.result', data: { status: true, reason: '', ...owner } });
    const one = await client.request(service, { action: 'config.get', data: { ...domogik, key: 'protocol' } });
    expect(one).toEqual({ action: 'config.result', data: { status: true, reason: '', ...owner, key: 'protocol', value: 'serial' } });
    const all = await client.request(service, { action: 'config.get', data: { ...domogik, key: '*' } });
    expect(all).toEqual({ action: 'config.result', data: { status: true, reason: '', ...owner, data: { protocol: 'serial' }, defaults: [] } });
    await dbmanager.stop();
  });

  it('refuses with a code, a reason and the fields', async () => {
    const dbmanager = await running();
    await client.call(schemaSet, { plugin: 'velbus', version: '1.0.0', items: { port: { type: 'integer', description: 'where', example: 1 } } });
    await expect(client.call(configSet, { ...owner, key: 'port', value: 'any' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'velbus on igor: port: must be a whole number, not a string; nothing was changed',
      details: { fields: { port: 'must be a whole number, not a string' } },
    });
    await expect(client.call(configGet, { ...owner, key: 'port' })).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
    await expect(client.call(schemaGet, { plugin: 'mqtt' })).rejects.toMatchObject({ code: 'SCHEMA_NOT_FOUND' });
    await dbmanager.stop();
  });

  it('keeps what was changed and on whose behalf, and goes back', async () => {
    const dbmanager = await running();
    await client.call(configSet, { ...owner, data: { protocol: 'tcp' }, by: 'ann@igor' });
    await client.call(configSet, { ...owner, data: { protocol: 'serial' } });
    const { latest, changes } = await client.call(configHistory, { ...owner, key: 'protocol' });
    expect(latest).toBe(2);
    expect(changes).toEqual([
      { change: 2, key: 'protocol', old: 'tcp', new: 'serial', atMs: expect.any(Number) },
      { change: 1, key: 'protocol', new: 'tcp', atMs: expect.any(Number), by: 'ann@igor' },
    ]);
    expect(await client.call(configRevert, { ...owner, to: 1, by: 'ann@igor' })).toEqual({ ...owner, changed: ['protocol'] });
    expect(await client.call(configGet, { ...owner, key: 'protocol' })).toMatchObject({ value: 'tcp' });
    await dbmanager.stop();
  });

  it('gives secrets in clear only to who asks for them, in Domogik’s form too, and logs who did and never what', async () => {
    const lines: string[] = [];
    const dbmanager = await running(createLog('dbmanager', 'trace', true, (line) => lines.push(line)));
    const items = { password: { type: 'string', description: 'what it is let in by', example: 'abcdef', secret: true, min: 5 } } as const;
    await client.call(schemaSet, { plugin: 'velbus', version: '1.0.0', items });
    await client.call(configSet, { ...owner, key: 'password', value: 'hunter2' });
    await expect(client.call(configSet, { ...owner, key: 'password', value: 'hunt' })).rejects.toMatchObject({ details: { fields: { password: 'length must be at least 5' } } });
    expect(await client.call(configGet, { ...owner, key: 'password' })).toEqual({ ...owner, key: 'password', value: maskedSecret, masked: ['password'] });
    const domogik = await client.request('dbmgr', { action: 'config.get', data: { type: 'plugin', name: 'velbus', host: 'igor', key: '*' } });
    expect(domogik.data).toMatchObject({ data: { password: maskedSecret } });
    expect(lines.join()).not.toContain('in clear');
    expect(await client.call(configGet, { ...owner, reveal: true, by: 'igor.velbus' })).toMatchObject({ data: { password: 'hunter2' } });
    await client.call(configHistory, { ...owner, reveal: true });
    expect(lines.filter((line) => line.includes('in clear'))).toEqual([
      expect.stringMatching(/config\.get gave secrets in clear.*"host":"igor","plugin":"velbus","keys":\["password"\],"by":"igor\.velbus"/),
      expect.stringMatching(/config\.history gave secrets in clear.*"by":"unknown"/),
    ]);
    expect(lines.join()).not.toContain('hunt');
    await dbmanager.stop();
  });

  it('answers 256 callers at once, and keeps what it acknowledged over a restart', async () => {
    const first = await running();
    await Promise.all(Array.from({ length: 256 }, (_, index) => client.call(configSet, { ...owner, key: `key${index}`, value: index })));
    await first.stop();
    const second = await running();
    const { data } = (await client.call(configGet, owner)) as { data: Record<string, number> };
    expect(data).toEqual(Object.fromEntries(Array.from({ length: 256 }, (_, index) => [`key${index}`, index])));
    await second.stop();
  });

  it('refuses to run twice on one home', async () => {
    const first = await running();
    await expect(running()).rejects.toMatchObject({ name: 'StartError', code: 'HOME_IN_USE' });
    await first.stop();
    await (await running()).stop();
  });

  it('does not start on a database of another program, leaves it as it is, and gives its lock back', async () => {
    const { database } = homePaths(folder.path);
    mkdirSync(dirname(database));
    const other = new Sqlite(database);
    other.exec('CREATE TABLE theirs (x)');
    other.close();
    const before = readFileSync(database);
    await expect(running()).rejects.toMatchObject({ name: 'StartError', code: 'CANNOT_START' });
    await expect(running()).rejects.toMatchObject({ name: 'StartError', code: 'CANNOT_START' });
    expect(readFileSync(database).equals(before)).toBe(true);
  });

  it('ends at once, and in order, when it is stopped before it found a broker', async () => {
    const endpoint = broker.endpoint;
    await broker.close();
    const stopping = new AbortController();
    let said = false;
    const ended = start(readSettings(['--home', folder.path, '--broker', endpoint], {}), { signal: stopping.signal, log: silentLog, ready: () => (said = true), notReady: () => undefined });
    stopping.abort();
    await ended;
    expect(said).toBe(false);
  });
});
