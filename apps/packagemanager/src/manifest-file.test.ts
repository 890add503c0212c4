import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionFailure, type FieldProblems } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goodManifest, temporaryFolder } from '../test/packages.ts';
import { manifestInvalid, parseManifest, readManifest } from './manifest-file.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

/** The fields that a manifest is refused for; nothing else may be thrown. */
function refusedFields(content: Uint8Array): FieldProblems {
  try {
    parseManifest(content);
  } catch (error) {
    expect(error).toBeInstanceOf(ActionFailure);
    const { code, message, details } = error as ActionFailure;
    expect(code).toBe('MANIFEST_INVALID');
    expect(message).not.toBe('');
    return details['fields'] as FieldProblems;
  }
  return {};
}

const item = { type: 'integer', description: 'a number', default: 1 };

describe('plugin.json', () => {
  it('is read with the defaults of what it leaves out', () => {
    const { name, version, engine, main, description } = goodManifest;
    expect(parseManifest(bytes({ name, version, engine, main, description }))).toEqual({
      name, version, engine, main, description, configuration: {}, commands: {}, sensors: {}, permissions: [],
    });
  });

  it('may begin with a byte order mark, as some editors write it', () => {
    expect(parseManifest(bytes(`\uFEFF${JSON.stringify(goodManifest)}`)).name).toBe('lamp');
  });

  it.each<[field: string, change: Record<string, unknown>]>([
    ['name', { name: undefined }],
    ['name', { name: 7 }],
    ['name', { name: 'Lamp' }],
    ['name', { name: '../lamp' }],
    ['name', { name: 'lamp/one' }],
    ['name', { name: 'manager' }],
    ['name', { name: 'node_modules' }],
    ['version', { version: undefined }],
    ['version', { version: '1.0' }],
    ['version', { version: '1.0.0/../..' }],
    ['version', { version: `1.0.0-${'a'.repeat(200)}` }],
    ['version', { version: '99999999999999999999.0.0' }],
    ['description', { description: undefined }],
    ['description', { description: '' }],
    ['engine', { engine: undefined }],
    ['engine', { engine: 'new' }],
    ['engine', { engine: `>=0.1.0 ${'|| >=0.1.0 '.repeat(100)}` }],
    ['main', { main: undefined }],
    ['main', { main: '/bin/sh' }],
    ['main', { main: '../main.ts' }],
    ['main', { exec: ['sh'] }],
    ['exec', { main: undefined, exec: [] }],
    ['exec.1', { main: undefined, exec: ['sh', 5] }],
    ['configuration.limit.type', { configuration: { limit: { ...item, type: 'float' } } }],
    ['configuration.limit', { configuration: { limit: { type: 'integer', description: 'a number' } } }],
    ['configuration.limit.default', { configuration: { limit: { ...item, max: 0 } } }],
    ['configuration.limit.unit', { configuration: { limit: { ...item, unit: 'm' } } }],
    ['configuration.a b', { configuration: { 'a b': item } }],
    ['configuration', { configuration: [] }],
    ['commands.on.description', { commands: { on: {} } }],
    ['commands.on.parameters.level.type', { commands: { on: { description: 'on', parameters: { level: { ...item, type: 1 } } } } }],
    ['commands.On', { commands: { On: { description: 'on' } } }],
    ['sensors.power.type', { sensors: { power: { description: 'power', type: 'watt' } } }],
    ['sensors.power.unit', { sensors: { power: { description: 'power', type: 'number', unit: '' } } }],
    ['permissions', { permissions: 'all' }],
    ['permissions.0', { permissions: [''] }],
    ['$schema', { $schema: 1 }],
    ['license', { license: 'MIT' }],
    ['__proto__', JSON.parse('{"__proto__": 1}') as Record<string, unknown>],
  ])('with a wrong %s is refused for that field alone: %j', (field, change) => {
    expect(Object.keys(refusedFields(bytes({ ...goodManifest, ...change })))).toEqual([field]);
  });

  it('says where it stops being JSON', () => {
    expect(refusedFields(bytes('{\n  "name": "lamp",\n  "version" "1.0.0"\n}'))).toEqual({ 'plugin.json': 'is not JSON, line 3, column 13' });
  });

  it.each<[what: string, content: Uint8Array, reason: RegExp]>([
    ['an empty file', bytes(''), /is empty/],
    ['a list', bytes('[]'), /must be of type object/],
    ['a word', bytes('"lamp"'), /must be of type object/],
    ['bytes that are no text', Uint8Array.of(0x7b, 0xff, 0x7d), /not UTF-8/],
    ['a megabyte', bytes(JSON.stringify({ ...goodManifest, description: 'a'.repeat(1024 * 1024) })), /larger than 256 KiB/],
    ['what is nested a hundred thousand levels deep', bytes(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), /nested more than 32/],
  ])('that is %s is refused as a whole', (_what, content, reason) => {
    expect(refusedFields(content)).toEqual({ 'plugin.json': expect.stringMatching(reason) as string });
  });

  it('that is wrong in a thousand fields is refused with a bounded answer', () => {
    const wrong = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1]));
    expect(Object.keys(refusedFields(bytes({ ...goodManifest, ...wrong })))).toHaveLength(50);
    expect(manifestInvalid(Object.fromEntries(Object.keys(wrong).map((key) => [key, 'is not known']))).message).toMatch(/^plugin\.json is refused: field0: .*; and 995 more; correct it/);
  });

  it('whatever it holds, is a manifest or is refused with a reason for some field', () => {
    const key = fc.oneof(fc.constantFrom(...Object.keys(goodManifest), 'exec', 'commands', 'sensors', 'permissions', '__proto__', 'constructor'), fc.string());
    const mutated = fc.dictionary(key, fc.jsonValue()).map((change) => bytes({ ...goodManifest, ...change }));
    const anything = fc.oneof(mutated, fc.jsonValue().map(bytes), fc.json().map(bytes), fc.string().map(bytes), fc.uint8Array());
    fc.assert(fc.property(anything, (content) => {
      let accepted;
      try {
        accepted = parseManifest(content);
      } catch {
        const fields = refusedFields(content);
        expect(Object.keys(fields).length).toBeGreaterThan(0);
        for (const reason of Object.values(fields)) expect(reason).not.toBe('');
        return;
      }
      expect(accepted.name).toMatch(/^[a-z][a-z0-9-]{0,62}$/);
    }), { numRuns: 1000 });
  });

  it('that is not there is refused, saying where it belongs', async () => {
    await using folder = await temporaryFolder();
    await expect(readManifest(folder.path)).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      details: { fields: { 'plugin.json': 'is missing; a plugin has one at the top of its folder' } },
    });
  });

  it('is read within its bound, however large the file is', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'plugin.json'), Buffer.alloc(20 * 1024 * 1024, ' '));
    await expect(readManifest(folder.path)).rejects.toMatchObject({ details: { fields: { 'plugin.json': 'is larger than 256 KiB' } } });
  });
});
