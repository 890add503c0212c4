// What an installation refuses, and with which code: nothing hostile or mistaken is installed, and each is told apart.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ActionFailure } from '@majordomus/contracts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newHouse } from '../test/house.ts';
import { asNobody } from '../test/nobody.ts';
import { writePackage, type PackageContent } from '../test/packages.ts';

/** How a package with this content is refused; nothing may have been installed. */
async function refusal(content: PackageContent, change: (source: string) => Promise<unknown> = async () => {}): Promise<ActionFailure> {
  await using house = await newHouse();
  const source = await writePackage(join(house.folder, 'source'), content);
  await change(source);
  const failure = await house.install(source).then(() => expect.unreachable('it was installed'), (error: unknown) => error);
  expect(failure).toBeInstanceOf(ActionFailure);
  expect(await house.store.list()).toEqual([]);
  expect(await readdir(join(house.packages, '.staging')).catch(() => [])).toEqual([]);
  return failure as ActionFailure;
}

describe('a package is refused', () => {
  it.each<[what: string, source: string, reason: RegExp]>([
    ['a relative path', 'plugins/lamp', /"plugins\/lamp" is no absolute path, and a repository of GitHub is written github:plugins\/lamp; a source is the absolute path of a folder/],
    ['a path with NUL', '/tmp/\0', /control character/],
    ['a folder that is not there', '/nowhere/lamp', /"\/nowhere\/lamp" cannot be read: no such file or directory \(ENOENT\)/],
    ['a file', process.execPath, /is no folder, and the name of an archive ends with \.tgz/],
  ])('when its source is %s', async (_what, source, reason) => {
    await using house = await newHouse();
    await expect(house.install(source)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND', message: expect.stringMatching(reason) as string });
    expect(house.effects).toEqual([]);
  });

  it('when an integrity is given for a folder, rather than not checking it', async () => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'));
    await expect(house.install(source, { integrity: 'sha512-abc' })).rejects.toMatchObject({ code: 'INTEGRITY_INVALID', message: expect.stringContaining('is a folder') as string });
  });

  it('when it has no plugin.json, before anything is copied', async () => {
    await using house = await newHouse();
    await expect(house.install(house.folder)).rejects.toMatchObject({ code: 'MANIFEST_INVALID', details: { fields: { 'plugin.json': expect.stringContaining('is missing') as string } } });
    expect(house.effects).toEqual([]);
  });

  it.each<[what: string, content: unknown, field: string, reason: RegExp]>([
    ['a manifest of no bytes', { files: { 'plugin.json': '' } }, 'plugin.json', /is empty/],
    ['a manifest that is no JSON', { files: { 'plugin.json': '{\n  name: "lamp"\n}' } }, 'plugin.json', /is not JSON, line 2, column 3/],
    ['a manifest that is too large', { files: { 'plugin.json': ' '.repeat(300_000) } }, 'plugin.json', /larger than 256 KiB/],
    ['a name with a slash', { manifest: { name: '../../etc' } }, 'name', /a name: a lower-case letter/],
    ['a reserved name', { manifest: { name: 'broker' } }, 'name', /a reserved name/],
    ['a range that is none', { manifest: { engine: 'latest' } }, 'engine', /is not a range/],
    ['a main that is not there', { manifest: { main: 'main.ts' } }, 'main', /is no file of the package: main\.ts/],
    ['a main that is a folder', { manifest: { main: 'src' } }, 'main', /is no file/],
    ['a main in node_modules, which is not copied', { manifest: { main: 'node_modules/lamp/main.js' }, files: { 'node_modules/lamp/main.js': '' } }, 'main', /is no file/],
    ['an exec that is not there', { manifest: { main: undefined, exec: ['./lamp.sh'] } }, 'exec.0', /is no file of the package/],
    ['an exec that is not executable', { manifest: { main: undefined, exec: ['lamp.sh'] }, files: { 'lamp.sh': '#!/bin/sh\n' } }, 'exec.0', /chmod \+x/],
    ['an exec outside', { manifest: { main: undefined, exec: ['bin/../../lamp.sh'] } }, 'exec.0', /inside the package/],
    ['an exec that the host does not have', { manifest: { main: undefined, exec: ['/nowhere/lamp'] } }, 'exec.0', /no file on this host/],
    ['an exec with NUL', { manifest: { main: undefined, exec: ['sh', 'a\0b'] } }, 'exec.1', /NUL/],
  ])('with %s: MANIFEST_INVALID', async (_what, content, field, reason) => {
    const { code, details } = await refusal(content as PackageContent);
    expect(code).toBe('MANIFEST_INVALID');
    expect(details['fields']).toEqual({ [field]: expect.stringMatching(reason) as string });
  });

  it('made for another Majordomus: ENGINE_MISMATCH, with both versions', async () => {
    const { code, message } = await refusal({ manifest: { engine: '^7.0.0' } });
    expect(code).toBe('ENGINE_MISMATCH');
    expect(message).toMatch(/lamp 1\.0\.0 works with Majordomus \^7\.0\.0, and this is \d/);
  });

  it.each<[what: string, change: (source: string) => Promise<unknown>, reason: RegExp]>([
    ['a link to a file outside', (source) => symlink('/etc/passwd', join(source, 'passwd')), /"passwd" of the package is a symbolic link/],
    ['a link to a file inside', (source) => symlink('main.ts', join(source, 'src/index.ts')), /"src\/index\.ts" of the package is a symbolic link/],
    ['a link in place of the manifest', async (source) => {
      await rm(join(source, 'plugin.json'));
      await symlink('/etc/passwd', join(source, 'plugin.json'));
    }, /"plugin\.json" of the package is a symbolic link/],
    ['a link to a folder', (source) => symlink('/', join(source, 'root')), /symbolic link/],
    ['a named pipe', async (source) => execFileSync('mkfifo', [join(source, 'pipe')]), /"pipe" of the package is a named pipe/],
    ['a kit of its own', (source) => mkdir(join(source, 'vendor/node_modules/@majordomus'), { recursive: true }), /is a kit of its own/],
    ['a package.json that is no JSON', (source) => writeFile(join(source, 'package.json'), '{"name": }'), /package\.json is not JSON, line 1, column 10/],
    ['a package.json that is a list', (source) => writeFile(join(source, 'package.json'), '[]'), /package\.json holds no object/],
    ['a package.json that is a folder', (source) => mkdir(join(source, 'package.json')), /package\.json is no file/],
  ])('with %s: PACKAGE_REFUSED', async (_what, change, reason) => {
    const { code, message } = await refusal({}, change);
    expect(code).toBe('PACKAGE_REFUSED');
    expect(message).toMatch(reason);
  });

  it('with a socket: PACKAGE_REFUSED', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    const { code, message } = await refusal({}, async (source) => {
      server.listen(join(source, 'socket'));
      await once(server, 'listening');
    });
    expect(code).toBe('PACKAGE_REFUSED');
    expect(message).toMatch(/"socket" of the package is a socket/);
  });

  it('that is too large, though its files have no content on the disk: PACKAGE_REFUSED', async () => {
    const { code, message } = await refusal({}, async (source) => {
      await writeFile(join(source, 'large'), '');
      await truncate(join(source, 'large'), 2 ** 40);
    });
    expect(code).toBe('PACKAGE_REFUSED');
    expect(message).toMatch(/larger than 512 MiB/);
  });

  it('with too many files: PACKAGE_REFUSED', async () => {
    await using house = await newHouse({ limits: { entries: 10, bytes: 1000 } });
    const files = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index}`, '']));
    const source = await writePackage(join(house.folder, 'source'), { files });
    await expect(house.install(source)).rejects.toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringContaining('more than 10 files and folders') as string });
  });

  it('with a file that nobody may read: SOURCE_NOT_FOUND, naming it', async () => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'), { files: { secret: 'secret' } });
    await chmod(join(source, 'secret'), 0);
    await asNobody(house.folder, async () => {
      await expect(house.install(source)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND', message: expect.stringMatching(/cannot read "secret" of the package: permission denied \(EACCES\)/) as string });
    });
  });
});
