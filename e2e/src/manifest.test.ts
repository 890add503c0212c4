// plugin.json with each of its fields wrong: MANIFEST_INVALID each time, with the field and what is wrong with it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pluginInstall } from '@majordomus/contracts';
import type { PeerError } from '@majordomus/mq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { writeKitPlugin, writePlugin } from './test-plugins.ts';

const text = { type: 'string', description: 'A text', default: '' };

describe('a manifest', () => {
  const home = new Home();
  let house: House;
  let pids: Record<string, number | null>;
  beforeAll(async () => {
    house = await home.up();
    pids = await house.pids();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  /** The fields that an installation is refused for. */
  const refusedFields = async (source: string): Promise<Record<string, string>> => {
    const refused = await house.client.call(pluginInstall, { source }, { service: house.service('packagemanager') }).catch((error: unknown) => error as PeerError);
    expect(refused).toMatchObject({ code: 'MANIFEST_INVALID', message: expect.stringMatching(/^plugin\.json /) });
    const { fields } = (refused as PeerError).details as { fields: Record<string, string> };
    for (const reason of Object.values(fields)) expect(reason).not.toBe('');
    return fields;
  };

  it.each<[string, Record<string, unknown>]>([
    ['name', { name: undefined }],
    ['name', { name: 'Upper' }],
    ['name', { name: 'manager' }],
    ['name', { name: '../escape' }],
    ['version', { version: undefined }],
    ['version', { version: 'one' }],
    ['version', { version: '99999999999999999999.0.0' }],
    ['description', { description: '' }],
    ['engine', { engine: undefined }],
    ['engine', { engine: 'any day' }],
    ['main', { main: undefined }],
    ['main', { main: '/etc/passwd' }],
    ['main', { main: '../main.mjs' }],
    ['main', { main: 'missing.mjs' }],
    ['main', { main: 'main.mjs', exec: ['./run.sh'] }],
    ['exec', { main: undefined, exec: [] }],
    ['exec', { main: undefined, exec: './run.sh' }],
    ['exec.0', { main: undefined, exec: ['./missing.sh'] }],
    ['exec.0', { main: undefined, exec: ['../run.sh'] }],
    ['exec.0', { main: undefined, exec: ['./main.mjs'] }],
    ['exec.1', { main: undefined, exec: ['true', ''] }],
    ['configuration', { configuration: [] }],
    ['configuration.two words', { configuration: { 'two words': text } }],
    ['configuration.limit.type', { configuration: { limit: { ...text, type: 'text' } } }],
    ['configuration.limit.default', { configuration: { limit: { ...text, type: 'integer', default: 'many' } } }],
    ['configuration.limit', { configuration: { limit: { type: 'string', description: 'Neither default nor example' } } }],
    ['configuration.limit.maximum', { configuration: { limit: { ...text, maximum: 3 } } }],
    ['commands', { commands: ['list'] }],
    ['commands.Shout', { commands: { Shout: { description: 'Shouts' } } }],
    ['commands.say.description', { commands: { say: {} } }],
    ['commands.say.parameters.text.type', { commands: { say: { description: 'Says', parameters: { text: { ...text, type: 'word' } } } } }],
    ['sensors.heat.type', { sensors: { heat: { description: 'Heat', type: 'celsius' } } }],
    ['permissions', { permissions: 'all' }],
    ['permissions.0', { permissions: [''] }],
    ['colour', { colour: 'red' }],
    ['$schema', { $schema: 3 }],
  ])('with a wrong %s: %j', async (field, wrong) => {
    const folder = writePlugin(home, 'wrong', { main: 'main.mjs', ...wrong }, { 'main.mjs': '', 'run.sh': 'true' });
    expect(Object.keys(await refusedFields(folder))).toEqual([field]);
  });

  it('with several wrong fields tells of each', async () => {
    const folder = writePlugin(home, 'wrong', { main: 'main.mjs', version: 'one', engine: '', colour: 'red' }, { 'main.mjs': '' });
    expect(Object.keys(await refusedFields(folder)).sort()).toEqual(['colour', 'engine', 'version']);
  });

  it.each([
    ['is empty', ''],
    ['is no JSON', '{ "name": "wrong", }'],
    ['is no object', '["wrong"]'],
    ['is not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['is nested deeply', `{"name": ${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['is larger than any', JSON.stringify({ name: 'wrong', description: 'x'.repeat(300_000) })],
  ])('that %s', async (_what, content) => {
    const folder = home.newFolder(join('sources', 'broken'));
    writeFileSync(join(folder, 'plugin.json'), content);
    expect(Object.keys(await refusedFields(folder))).toEqual(['plugin.json']);
  });

  it('is refused on the command line in one line', async () => {
    const { code, stdout, stderr } = await home.run('plugin', 'install', writePlugin(home, 'wrong', { main: 'main.mjs', version: 'one' }, { 'main.mjs': '' }));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^MANIFEST_INVALID: plugin\.json is refused: version: must be a version such as 1\.2\.3; correct it and install again\n$/m);
  });

  it('of an installed plugin stays what it was, nothing is left over, and nobody went down', async () => {
    expect(await house.plugins()).toEqual([]);
    expect(await house.pids()).toEqual(pids);
    await home.tell('plugin', 'install', writeKitPlugin(home, 'wrong', { version: '1.0.0' }));
    const bad = writePlugin(home, 'wrong', { main: 'main.mjs', version: '2.0.0', engine: 'any day' });
    expect(Object.keys(await refusedFields(bad))).toEqual(['engine']);
    expect(await house.plugin('wrong')).toMatchObject({ state: 'running', version: '1.0.0' });
  });
});
