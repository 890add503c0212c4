import { ActionFailure } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSource, shownSource, type Source } from './source.ts';

const git = (repository: string, wanted: object, folder?: string): unknown => ({ kind: 'git', repository, wanted, folder });

describe('a source is', () => {
  it.each<[text: string, source: unknown]>([
    ['/plugins/lamp', { kind: 'folder', path: '/plugins/lamp' }],
    ['/plugins/lamp-1.0.0.tgz', { kind: 'archive', path: '/plugins/lamp-1.0.0.tgz' }],
    ['/plugins/lamp.tar.gz', { kind: 'archive', path: '/plugins/lamp.tar.gz' }],
    ['/plugins/LAMP.TAR', { kind: 'archive', path: '/plugins/LAMP.TAR' }],
    ['lamp', { kind: 'registry', name: 'lamp', range: '*' }],
    ['lamp@^1.2.0', { kind: 'registry', name: 'lamp', range: '^1.2.0' }],
    ['lamp@latest', { kind: 'registry', name: 'lamp', range: 'latest' }],
    ['@acme/lamp@>=1 <3', { kind: 'registry', name: '@acme/lamp', range: '>=1 <3' }],
    ['https://example.org/lamp-1.0.0.tgz', { kind: 'address', url: 'https://example.org/lamp-1.0.0.tgz' }],
    ['git+https://example.org/lamp.git', git('https://example.org/lamp.git', { kind: 'head' })],
    ['git+https://example.org/lamp.git#v1', git('https://example.org/lamp.git', { kind: 'ref', ref: 'v1' })],
    ['git+ssh://git@example.org/lamp.git#main', git('ssh://git@example.org/lamp.git', { kind: 'ref', ref: 'main' })],
    ['git@github.com:ann/lamp.git', git('ssh://git@github.com/ann/lamp.git', { kind: 'head' })],
    ['git+file:///repositories/lamp#semver:^1', git('file:///repositories/lamp', { kind: 'range', range: '^1' })],
    ['github:ann/lamp#v1', git('https://github.com/ann/lamp.git', { kind: 'ref', ref: 'v1' })],
    ['https://github.com/ann/lamp', git('https://github.com/ann/lamp.git', { kind: 'head' })],
    ['git+https://example.org/all.git#main::path:plugins/lamp', git('https://example.org/all.git', { kind: 'ref', ref: 'main' }, 'plugins/lamp')],
    ['upload:7', { kind: 'upload', id: '7' }],
  ])('%s', (text, source) => {
    expect(parseSource(text)).toEqual(source);
  });
});

describe('a source is not', () => {
  it.each<[text: string, reason: RegExp]>([
    ['./lamp', /"\.\/lamp" is no absolute path/],
    ['..', /is no absolute path/],
    ['~/lamp', /is no absolute path/],
    ['lamp.tgz', /is no absolute path/],
    ['plugins/lamp', /a repository of GitHub is written github:plugins\/lamp/],
    ['', /is no name of a package/],
    ['two words', /Invalid tag name/],
    ['file:///plugins/lamp', /of a kind that is not supported/],
    ['npm:lamp@1', /of a kind that is not supported/],
    ['ext::sh -c id', /Unsupported URL Type/],
    ['git+ext::sh', /Unsupported URL Type/],
    ['git+https://example.org/lamp.git#--upload-pack=id', /begins with "-"/],
    ['git+https://example.org/lamp.git#path:../../etc', /leaves the repository/],
    ['git+https://example.org/lamp.git#v2:plugins', /has "v2:plugins" after the "#"/],
    ['git+https://example.org/lamp.git#v2.0.0:path:lamp', /has "v2\.0\.0:path:lamp"/],
    ['git+https://example.org/lamp.git#:', /has ":" after/],
    ['/plugins/\u0000', /control character/],
    ['lamp\n', /control character/],
  ])('%j', (text, reason) => {
    expect(() => parseSource(text)).toThrow(expect.objectContaining({ code: 'SOURCE_NOT_FOUND', message: expect.stringMatching(reason) as string }) as Error);
  });

  it('anything that would be an option of git, whatever is typed', () => {
    const piece = fc.constantFrom('git+', 'https://', 'ssh://', 'file://', 'github:', '-', '--', '/', ':', '@', '#', 'semver:', 'path:', '::', '..', '.', 'lamp', 'example.org', '%2e', '^1', ' ', '\u0000');
    fc.assert(fc.property(fc.oneof(fc.string(), fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))), (text) => {
      let source: Source;
      try {
        source = parseSource(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ActionFailure);
        return;
      }
      if (source.kind !== 'git') return;
      expect(source.repository).not.toMatch(/^-/);
      if (source.wanted.kind === 'ref') expect(source.wanted.ref).not.toMatch(/^-/);
      expect((source.folder ?? '').split('/')).not.toContain('..');
    }), { numRuns: 500 });
  });
});

it.each([
  ['git+https://ann:secret@example.org/lamp.git#v1', 'git+https://***@example.org/lamp.git#v1'],
  ['https://a-token@example.org/lamp.tgz', 'https://***@example.org/lamp.tgz'],
  ['git+ssh://ann:secret@example.org/lamp.git', 'git+ssh://ann:***@example.org/lamp.git'],
  ['git+ssh://git@example.org/lamp.git', 'git+ssh://git@example.org/lamp.git'],
  ['@acme/lamp@^1', '@acme/lamp@^1'],
])('a password or token is not shown: %s', (text, shown) => {
  expect(shownSource(text)).toBe(shown);
});
