import { describe, expect, it } from 'vitest';
import { chooseSource, type Surroundings } from './install-source.ts';

const there: Surroundings = {
  folder: '/home/ann',
  kindOf: (path) => ({
    '/home/ann/kitchen': 'plugin', '/home/ann/sysload': 'plugin', '/home/ann/empty': 'folder', '/home/ann/diskfree': 'folder',
    '/home/ann/kitchen-1.0.0.tgz': 'file', '/home/ann/notes.txt': 'file', '/home/ann/plugins/heater': 'plugin',
  } as const)[path],
  ownPlugin: (name) => (['diskfree', 'sysload'].includes(name) ? `/majordomus/plugins/${name}` : undefined),
  installed: (name) => (['diskfree', 'velbus'].includes(name) ? `/packages/${name}/1.0.0` : undefined),
  hosts: ['igor', 'attic'],
};
const choose = (typed: string, on?: string) => chooseSource(typed, on, there);

describe('what is typed is', () => {
  it.each<[typed: string, source: string]>([
    ['./kitchen', '/home/ann/kitchen'],
    ['kitchen/', '/home/ann/kitchen'],
    ['plugins/heater', '/home/ann/plugins/heater'],
    ['../ann/kitchen', '/home/ann/kitchen'],
    ['/home/ann/kitchen', '/home/ann/kitchen'],
    ['kitchen-1.0.0.tgz', '/home/ann/kitchen-1.0.0.tgz'],
    ['./empty', '/home/ann/empty'],
    ['kitchen@^1', 'kitchen@^1'],
    ['diskfree@latest', 'diskfree@latest'],
    ['notes.txt@latest', 'notes.txt@latest'],
    ['@acme/kitchen@^1', '@acme/kitchen@^1'],
    ['github:ann/kitchen#v1', 'github:ann/kitchen#v1'],
    ['git+file:///home/ann/kitchen', 'git+file:///home/ann/kitchen'],
    ['git@example.org:ann/kitchen.git', 'git@example.org:ann/kitchen.git'],
    ['https://example.org/kitchen-1.0.0.tgz', 'https://example.org/kitchen-1.0.0.tgz'],
  ])('%s', (typed, source) => {
    expect(choose(typed)).toEqual({ source, on: undefined });
  });

  it.each<[typed: string, source: string, told: RegExp]>([
    ['kitchen', '/home/ann/kitchen', /is the folder \/home\/ann\/kitchen/],
    ['sysload', '/home/ann/sysload', /is the folder/],
    ['diskfree', '/majordomus/plugins/diskfree', /comes with Majordomus/],
    ['velbus', 'velbus', /npm registry/],
    ['majordomus-plugin-kitchen', 'majordomus-plugin-kitchen', /npm registry/],
    ['socket.io', 'socket.io', /npm registry/],
  ])('a word, %s, and what was chosen is told', (typed, source, told) => {
    expect(choose(typed)).toEqual({ source, on: undefined, told: expect.stringMatching(told) as string });
  });

  it.each<[typed: string, on: string | undefined, source: string]>([
    ['attic.diskfree', undefined, '/packages/diskfree/1.0.0'],
    ['attic.sysload', undefined, '/majordomus/plugins/sysload'],
    ['attic.velbus', 'attic', '/packages/velbus/1.0.0'],
    ['velbus', 'attic', '/packages/velbus/1.0.0'],
    ['./kitchen', 'attic', '/home/ann/kitchen'],
    ['kitchen@^1', 'attic', 'kitchen@^1'],
  ])('%s onto another host', (typed, on, source) => {
    expect(choose(typed, on)).toMatchObject({ source, on: 'attic' });
  });
});

describe('a mistake is told here, and no registry is asked', () => {
  it.each<[typed: string, on: string | undefined, code: string, reason: RegExp]>([
    ['./kitchne', undefined, 'SOURCE_NOT_FOUND', /^there is no file or folder \/home\/ann\/kitchne$/],
    ['plugins/heatre', undefined, 'SOURCE_NOT_FOUND', /\/home\/ann\/plugins\/heatre; a repository of GitHub is written github:plugins\/heatre/],
    ['kitchen-2.0.0.tgz', undefined, 'SOURCE_NOT_FOUND', /no file or folder/],
    ['~/kitchen', undefined, 'SOURCE_NOT_FOUND', /no file or folder/],
    ['./notes.txt', undefined, 'SOURCE_NOT_FOUND', /is a file, and no archive/],
    ['notes.txt', undefined, 'SOURCE_NOT_FOUND', /^\/home\/ann\/notes\.txt is a file, and no archive: \.tgz, \.tar\.gz or \.tar; a package .* notes\.txt@latest$/],
    ['empty', undefined, 'SOURCE_NOT_FOUND', /^\/home\/ann\/empty is a folder, and no plugin: it has no plugin\.json; a package .* empty@latest$/],
    ['empty', 'attic', 'SOURCE_NOT_FOUND', /is a folder, and no plugin/],
    ['cellar.diskfree', undefined, 'HOST_UNKNOWN', /^the house has no host cellar; there are igor and attic; see: \.\/domus status; a package .* cellar\.diskfree@latest$/],
    ['attic.kitchen', undefined, 'SOURCE_NOT_FOUND', /no plugin kitchen is installed here/],
    ['attic.diskfree', 'igor', 'USAGE', /is a plugin on attic, and --on says igor/],
  ])('%s', (typed, on, code, reason) => {
    expect(() => choose(typed, on)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(reason) as string }) as Error);
  });
});
