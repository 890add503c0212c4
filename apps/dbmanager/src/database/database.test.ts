import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigurationItems, JsonValue } from '@majordomus/contracts';
import { temporaryFolder, type TemporaryFolder } from '../../test/temporary-folder.ts';
import type { Operation } from '../actions.ts';
import { openConnection } from '../file/connection.ts';
import { ConfigurationDatabase } from './database.ts';
import type { Outcome } from './outcome.ts';

const owner = { host: 'igor', plugin: 'velbus' } as const;
const items: ConfigurationItems = {
  protocol: { type: 'string', description: 'how to speak', default: 'tcp', options: ['tcp', 'serial'] },
  port: { type: 'integer', description: 'where', default: 6000, min: 1, max: 65535 },
  device: { type: 'string', description: 'the serial device', example: '/dev/ttyUSB0' },
  limits: { type: 'list', description: 'what is watched', example: ['a'] },
};

let folder: TemporaryFolder;
let connection: Database;
let database: ConfigurationDatabase;

beforeEach(() => {
  folder = temporaryFolder();
  connection = openConnection(join(folder.path, 'x.sqlite'));
  database = new ConfigurationDatabase(connection);
});
afterEach(() => {
  connection.close();
  folder[Symbol.dispose]();
});

const set = (key: string, value: JsonValue): Operation => ({ action: 'config.set', data: { ...owner, key, value } });
const setAll = (data: Record<string, JsonValue>): Operation => ({ action: 'config.set', data: { ...owner, data } });
const get = (key?: string): Operation => ({ action: 'config.get', data: key === undefined ? owner : { ...owner, key } });
const setSchema = (version = '1.0.0', of = items): Operation => ({ action: 'schema.set', data: { plugin: 'velbus', version, items: of } });

function one(operation: Operation): Outcome {
  const [outcome] = database.run([operation]).outcomes;
  return outcome ?? expect.unreachable();
}

const done = (result: unknown): unknown => ({ done: true, result });
const refused = (code: string, reason: unknown = expect.any(String), details: unknown = {}): unknown => ({ done: false, refusal: { code, reason, details } });

it('one step sets and forgets, all or nothing', () => {
  database.run([setSchema(), setAll({ port: 1, device: '/dev/a' })]);
  const both = (data: Record<string, JsonValue>): Operation => ({ action: 'config.set', data: { ...owner, data, forget: ['device', 'absent'] } });
  expect(one(both({ port: 0 }))).toEqual(refused('CONFIG_INVALID', expect.any(String), { fields: { port: 'must be at least 1, not 0' } }));
  expect(one(get('device'))).toEqual(done({ ...owner, key: 'device', value: '/dev/a' }));
  expect(one(both({ port: 2 }))).toEqual(done(owner));
  expect(one(get())).toEqual(done({ ...owner, data: { protocol: 'tcp', port: 2 }, defaults: ['protocol'] }));
  database.run([set('device', '/dev/a')]);
  expect(one({ action: 'config.set', data: { ...owner, data: {}, forget: ['device'] } })).toEqual(done(owner));
  expect(one(get('device'))).toEqual(refused('CONFIG_NOT_FOUND'));
});

describe('values', () => {
  const everyType: Record<string, JsonValue> = {
    null: null,
    yes: true,
    no: false,
    zero: 0,
    fraction: -0.1,
    large: Number.MAX_SAFE_INTEGER,
    tiny: 5e-324,
    empty: '',
    text: 'naïve "quoted" \\ \n \u0000 \u{1F3E0} \uD800',
    list: [1, 'two', null, [[]], {}],
    object: { a: { b: [true] }, 'key with spaces': 1, '': 2 },
  };

  it.each(Object.entries(everyType))('of every JSON type come back as they were set: %s', (key, value) => {
    expect(one(set(key, value))).toEqual(done(owner));
    expect(one(get(key))).toEqual(done({ ...owner, key, value }));
  });

  it('are all given when no key is named, and belong to one host and one plugin', () => {
    one(setAll(everyType));
    one({ action: 'config.set', data: { host: 'other', plugin: 'velbus', key: 'theirs', value: 1 } });
    one({ action: 'config.set', data: { host: 'igor', plugin: 'other', key: 'theirs', value: 1 } });
    expect(one(get())).toEqual(done({ ...owner, data: everyType, defaults: [] }));
    expect(one({ action: 'config.get', data: { host: 'nobody', plugin: 'nothing' } })).toEqual(done({ host: 'nobody', plugin: 'nothing', data: {}, defaults: [] }));
  });

  it('are kept over closing and opening', () => {
    one(setAll(everyType));
    connection.close();
    connection = openConnection(join(folder.path, 'x.sqlite'));
    database = new ConfigurationDatabase(connection);
    expect(one(get())).toEqual(done({ ...owner, data: everyType, defaults: [] }));
  });

  it('are stamped with the time of their last change', () => {
    const turned = new ConfigurationDatabase(connection, { clock: { monotonicMs: () => 0, wallMs: () => 1_795_351_147_947.823 } });
    turned.run([set('port', 1)]);
    expect(connection.prepare('SELECT updated_ms FROM config').pluck().get()).toBe(1_795_351_147_947);
  });

  it('that are not set are not found, and the reason says whose and what to do', () => {
    expect(one(get('protocol'))).toEqual(refused('CONFIG_NOT_FOUND', 'velbus on igor has no value for protocol: it is not set, and no schema of velbus is known; set it with config.set'));
  });

  it.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty'])('named like something that every object has are values like others: %s', (key) => {
    one(setSchema('1.0.0', {}));
    expect(one(get(key))).toEqual(refused('CONFIG_NOT_FOUND'));
    expect(one(set(key, 1))).toEqual(refused('CONFIG_INVALID', expect.any(String), { fields: { [key]: 'is not known; nothing can be set' } }));
  });

  it('are forgotten one at a time or all of a plugin on a host', () => {
    one(setAll({ a: 1, b: 2, c: 3 }));
    one({ action: 'config.set', data: { host: 'other', plugin: 'velbus', key: 'a', value: 1 } });
    const forget = (key?: string): Outcome => one({ action: 'config.delete', data: key === undefined ? owner : { ...owner, key } });
    expect(forget('a')).toEqual(done({ ...owner, deleted: 1 }));
    expect(forget('a')).toEqual(done({ ...owner, deleted: 0 }));
    expect(forget()).toEqual(done({ ...owner, deleted: 2 }));
    expect(one({ action: 'config.list', data: {} })).toEqual(done({ configurations: [{ host: 'other', plugin: 'velbus', keys: 1 }] }));
  });

  it('are counted by host and plugin, in order', () => {
    for (const [host, plugin] of [['b', 'x'], ['a', 'y'], ['a', 'x']] as const) {
      one({ action: 'config.set', data: { host, plugin, data: { one: 1, two: 2 } } });
    }
    const keys = 2;
    expect(one({ action: 'config.list', data: {} })).toEqual(done({
      configurations: [{ host: 'a', plugin: 'x', keys }, { host: 'a', plugin: 'y', keys }, { host: 'b', plugin: 'x', keys }],
    }));
  });
});

describe('a schema', () => {
  it('is given back as it was stored; the last one counts', () => {
    one(setSchema('1.0.0', {}));
    expect(one(setSchema('1.1.0'))).toEqual(done({ plugin: 'velbus' }));
    expect(one({ action: 'schema.get', data: { plugin: 'velbus' } })).toEqual(done({ plugin: 'velbus', version: '1.1.0', items }));
  });

  it('that is not known is not found, and the reason names the plugin', () => {
    expect(one({ action: 'schema.get', data: { plugin: 'velbus' } })).toEqual(refused('SCHEMA_NOT_FOUND', 'no schema of velbus is known; is the plugin installed?'));
  });

  it('gives its defaults for what is not set, and says so', () => {
    one(setSchema());
    one(set('port', 27015));
    expect(one(get('protocol'))).toEqual(done({ ...owner, key: 'protocol', value: 'tcp', default: true }));
    expect(one(get('port'))).toEqual(done({ ...owner, key: 'port', value: 27015 }));
    expect(one(get())).toEqual(done({ ...owner, data: { protocol: 'tcp', port: 27015 }, defaults: ['protocol'] }));
  });

  it('says why a key has no value', () => {
    one(setSchema());
    expect(one(get('device'))).toEqual(refused('CONFIG_NOT_FOUND', expect.stringContaining('its schema has no default')));
    expect(one(get('prot'))).toEqual(refused('CONFIG_NOT_FOUND', expect.stringContaining('its schema has no such key; known: protocol, port, device, limits')));
  });

  it('refuses unknown keys, wrong types and values out of range, each with its reason, and sets nothing of it', () => {
    one(setSchema());
    one(set('device', '/dev/old'));
    const outcome = one(setAll({ device: '/dev/new', port: 70000, protocol: 'udp', limits: 'all', speed: 1 }));
    const fields = {
      port: 'must be at most 65535, not 70000',
      protocol: 'must be one of "tcp", "serial"',
      limits: 'must be a list of strings, not a string',
      speed: 'is not known; known: protocol, port, device, limits',
    };
    expect(outcome).toEqual(refused('CONFIG_INVALID', expect.stringMatching(/^velbus on igor: port: must be at most 65535, not 70000; .*; nothing was changed$/), { fields }));
    expect(one(get())).toEqual(done({ ...owner, data: { protocol: 'tcp', port: 6000, device: '/dev/old' }, defaults: ['protocol', 'port'] }));
  });

  it('of a new version keeps stored values, those too that it would refuse, until they are set again', () => {
    one(setSchema());
    one(setAll({ port: 6001, device: '/dev/ttyUSB1' }));
    one(setSchema('2.0.0', { port: { type: 'string', description: 'where', default: 'auto' } }));
    expect(one(get('port'))).toEqual(done({ ...owner, key: 'port', value: 6001 }));
    expect(one(get())).toEqual(done({ ...owner, data: { port: 6001, device: '/dev/ttyUSB1' }, defaults: [] }));
    expect(one(set('port', 6001))).toEqual(refused('CONFIG_INVALID', expect.any(String), { fields: { port: 'must be a string, not 6001' } }));
  });
});

describe('a batch', () => {
  it('is done in order, and its reads see its writes', () => {
    const { outcomes } = database.run([get('port'), set('port', 1), get('port'), set('port', 2), get('port')]);
    expect(outcomes).toEqual([refused('CONFIG_NOT_FOUND'), done(owner), done({ ...owner, key: 'port', value: 1 }), done(owner), done({ ...owner, key: 'port', value: 2 })]);
  });

  it('checks a write against a schema that stands before it in the batch', () => {
    const { outcomes } = database.run([set('port', 'any'), setSchema(), set('port', 'any')]);
    expect(outcomes).toEqual([done(owner), done({ plugin: 'velbus' }), refused('CONFIG_INVALID', expect.any(String), expect.anything())]);
  });

  it('commits once if it writes, and not at all if it only reads or is refused', () => {
    database.run([setSchema()]);
    expect(database.run([set('port', 1), set('port', 2), get()]).committed).toBe(true);
    expect(database.run([get(), get('port'), { action: 'config.list', data: {} }]).committed).toBe(false);
    expect(database.run([set('port', 'wrong'), get()]).committed).toBe(false);
  });

  it('whose operation fails half-way undoes that one alone', () => {
    connection.exec("CREATE TRIGGER fail BEFORE INSERT ON config WHEN new.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no such luck'); END");
    const { outcomes, committed } = database.run([set('a', 1), setAll({ b: 2, bad: 3, c: 4 }), set('d', 5)]);
    expect(outcomes).toEqual([done(owner), refused('STORAGE_ERROR', expect.stringContaining('config.set of velbus on igor failed, and nothing was changed: no such luck')), done(owner)]);
    expect(committed).toBe(true);
    expect(one(get())).toEqual(done({ ...owner, data: { a: 1, d: 5 }, defaults: [] }));
  });

  it('whose commit fails refuses every write, reads again, and leaves the old', () => {
    database.run([set('a', 'old')]);
    // A deferred reference is checked at COMMIT: the one way to let a real COMMIT fail on demand.
    connection.exec(`
      CREATE TABLE there (id INTEGER PRIMARY KEY);
      CREATE TABLE here (id INTEGER REFERENCES there DEFERRABLE INITIALLY DEFERRED);
      CREATE TRIGGER fail AFTER INSERT ON config WHEN new.key = 'bad' BEGIN INSERT INTO here VALUES (1); END;
    `);
    const { outcomes, committed } = database.run([set('a', 'new'), get('a'), set('bad', 1), set('c', 1), get('none')]);
    const failure = refused('STORAGE_ERROR', expect.stringContaining('SQLITE_CONSTRAINT_FOREIGNKEY'));
    expect(outcomes).toEqual([failure, done({ ...owner, key: 'a', value: 'old' }), failure, failure, refused('CONFIG_NOT_FOUND')]);
    expect(committed).toBe(false);
    expect(one(get())).toEqual(done({ ...owner, data: { a: 'old' }, defaults: [] }));
    expect(one(set('c', 2))).toEqual(done(owner));
  });

  it('that SQLite ends by itself refuses every write, and the next one is whole', () => {
    database.run([set('a', 'old')]);
    connection.exec("CREATE TRIGGER fail BEFORE INSERT ON config WHEN new.key = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'the disk is gone'); END");
    const { outcomes } = database.run([set('a', 'new'), set('bad', 1), set('c', 1), get('a')]);
    const failure = refused('STORAGE_ERROR', expect.stringContaining('the disk is gone'));
    expect(outcomes).toEqual([failure, failure, failure, done({ ...owner, key: 'a', value: 'old' })]);
    expect(one(set('c', 2))).toEqual(done(owner));
    expect(one(get())).toEqual(done({ ...owner, data: { a: 'old', c: 2 }, defaults: [] }));
  });

  it('on a full disk refuses the writes, harms nothing, and goes on reading', () => {
    database.run([set('a', 'old')]);
    connection.pragma(`max_page_count = ${Number(connection.pragma('page_count', { simple: true }))}`);
    const big = 'x'.repeat(100_000);
    expect(one(set('a', big))).toEqual(refused('STORAGE_FULL', expect.stringMatching(/there is no room on the disk of the house: database or disk is full \(SQLITE_FULL\); free some, and do it again$/)));
    expect(one(get('a'))).toEqual(done({ ...owner, key: 'a', value: 'old' }));
    connection.pragma('max_page_count = 1000000');
    expect(one(set('a', big))).toEqual(done(owner));
    expect(one(get('a'))).toEqual(done({ ...owner, key: 'a', value: big }));
  });
});

it('what the manager is told is checked without a schema, also what is put back', () => {
  const manager = { host: 'igor', plugin: 'manager' } as const;
  const limit = (value: JsonValue): Operation => ({ action: 'config.set', data: { ...manager, key: 'memory-limit-mb.lamp', value } });
  const fields = { 'memory-limit-mb.lamp': 'must be a whole number of MiB, 16 at least, or 0 for no limit' };
  // As an older version let it be set.
  connection.exec(`
    INSERT INTO config (host, plugin, key, value, updated_ms) VALUES ('igor', 'manager', 'memory-limit-mb.lamp', '"lots"', 0);
    INSERT INTO config_history (host, plugin, key, new, at_ms) VALUES ('igor', 'manager', 'memory-limit-mb.lamp', '"lots"', 0);`);
  expect(one(limit(300))).toEqual(done(manager));
  expect(one(limit('lots'))).toEqual(refused('CONFIG_INVALID', `manager on igor: memory-limit-mb.lamp: ${fields['memory-limit-mb.lamp']}; nothing was changed`, { fields }));
  expect(one({ action: 'config.revert', data: { ...manager, to: 1 } })).toEqual(refused('CONFIG_INVALID', expect.any(String), { fields }));
  expect(one({ action: 'config.get', data: manager })).toMatchObject({ result: { data: { 'memory-limit-mb.lamp': 300 } } });
});
