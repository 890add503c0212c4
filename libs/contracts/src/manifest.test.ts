// plugin.json: every field wrong in its own way, and named.
import { describe, expect, it } from 'vitest';
import { manifest, semanticVersion } from './manifest.ts';

const item = { type: 'integer', description: 'A limit.', default: 5 };
const smallest = { name: 'diskfree', version: '1.0.0', description: 'How full the disks are.', engine: '^0.1.0', main: 'src/main.js' };
const { main: _main, ...withoutMain } = smallest;
const largest = {
  ...smallest,
  $schema: 'https://example.org/schema.json',
  configuration: { limit: item },
  commands: { check: { description: 'Checks a path.', parameters: { path: { type: 'string', description: 'A path.', example: '/' } } } },
  sensors: { used: { description: 'How much is used.', type: 'integer', unit: '%' } },
  memoryMb: 128,
  permissions: ['reads the mount table'],
};

/** The fields that are named as wrong. */
function wrongPaths(source: unknown): string[] {
  return (manifest.safeParse(source).error?.issues ?? []).map(({ path }) => path.join('.'));
}

describe('a manifest', () => {
  it('may have every field', () => {
    expect(manifest.parse(largest)).toEqual(largest);
  });

  it('has its lists empty when it does not name them', () => {
    expect(manifest.parse(smallest)).toEqual({ ...smallest, configuration: {}, commands: {}, sensors: {}, permissions: [] });
  });

  it('may run a program instead of a file of Node', () => {
    expect(manifest.safeParse({ ...withoutMain, exec: ['python3', 'plugin.py'] }).success).toBe(true);
  });

  it.each<[string, string, unknown]>([
    ['name', 'name', undefined],
    ['name', 'name', 'Disk Free'],
    ['name', 'name', 'manager'],
    ['name', 'name', '../up'],
    ['version', 'version', undefined],
    ['version', 'version', '1.0'],
    ['version', 'version', 1],
    ['description', 'description', undefined],
    ['description', 'description', ''],
    ['description', 'description', 'x'.repeat(1001)],
    ['engine', 'engine', undefined],
    ['engine', 'engine', ''],
    ['main', 'main', undefined],
    ['main', 'main', ''],
    ['main', 'main', '/etc/passwd'],
    ['main', 'main', '../other/main.js'],
    ['main', 'main', 'src/../../main.js'],
    ['main', 'main', 'src\\main.js'],
    ['main', 'main', 'src/main.js\0'],
    ['exec, beside main,', 'main', ['python3']],
    ['configuration', 'configuration', []],
    ['configuration', 'configuration._limit', { _limit: item }],
    ['configuration', 'configuration.limit.type', { limit: { ...item, type: 'float' } }],
    ['configuration', 'configuration.limit.default', { limit: { ...item, default: 'five' } }],
    ['commands', 'commands', 'check'],
    ['commands', 'commands.Check', { Check: { description: 'Checks.' } }],
    ['commands', 'commands.check.description', { check: {} }],
    ['commands', 'commands.check.parameters.path.description', { check: { description: 'Checks.', parameters: { path: { type: 'string', example: '/' } } } }],
    ['commands', 'commands.check', { check: { description: 'Checks.', paramters: {} } }],
    ['sensors', 'sensors.used.type', { used: { description: 'Used.', type: 'list' } }],
    ['sensors', 'sensors.used.unit', { used: { description: 'Used.', type: 'integer', unit: '' } }],
    ['sensors', 'sensors.used.description', { used: { type: 'integer' } }],
    ['permissions', 'permissions', 'everything'],
    ['permissions', 'permissions.0', ['']],
    ['$schema', '$schema', 5],
    ['licence', '', 'MIT'],
  ])('is refused when its %s is wrong, and %s is named: %j', (field, path, value) => {
    expect(wrongPaths({ ...smallest, [field.split(',')[0] ?? '']: value })).toEqual([path]);
  });

  it.each<[string, unknown]>([
    ['exec', []],
    ['exec.1', ['python3', '']],
    ['exec', 'python3 plugin.py'],
  ])('is refused when its exec is wrong, and %s is named: %j', (path, exec) => {
    expect(wrongPaths({ ...withoutMain, exec })).toEqual([path]);
  });

  it.each([undefined, null, [], 'diskfree', 5])('is not %j', (value) => {
    expect(manifest.safeParse(value).success).toBe(false);
  });
});

describe('a version', () => {
  it.each(['0.0.0', '1.2.3', '10.20.30', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-0.3.7', '1.0.0--', '1.0.0+build.01', '1.0.0-rc.1+5114f85'])('may be %s', (version) => {
    expect(semanticVersion.safeParse(version).success).toBe(true);
  });

  it.each(['', '1', '1.2', 'v1.2.3', '1.2.3.4', '01.2.3', '1.2.3-', '1.2.3-a..b', '1.2.3-01', '1.2.3+', '1.2.3 ', '1.2.3\n', '^1.2.3', `1.0.0-${'a'.repeat(60)}`])('may not be %j', (version) => {
    expect(semanticVersion.safeParse(version).error?.issues[0]?.message).toMatch(/^must be a version /);
  });
});
