// What is read of an archive, and what is refused before anything of it is written (docs/packages.md, "What is refused").
import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, readlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ActionFailure } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { lampEntries, pack, rawTar, writeTgz, type RawEntry } from '../test/archives.ts';
import { newHouse } from '../test/house.ts';
import { temporaryFolder, treeOf, writePackage } from '../test/packages.ts';
import { unpackArchive } from './archive.ts';
import { copyLimits } from './package-copy.ts';

const options = { limits: copyLimits, signal: new AbortController().signal };

/** How an archive of these bytes is refused; nothing may have been written. */
async function refusal(bytes: Uint8Array, limits = copyLimits): Promise<ActionFailure> {
  await using files = await temporaryFolder();
  const target = join(files.path, 'target');
  await mkdir(target);
  await writeFile(join(files.path, 'archive'), bytes);
  const failure = await unpackArchive(join(files.path, 'archive'), target, { ...options, limits }).then(() => expect.unreachable('it was unpacked'), (error: unknown) => error);
  expect(failure).toBeInstanceOf(ActionFailure);
  expect(await readdir(target)).toEqual([]);
  return failure as ActionFailure;
}

const large: RawEntry = { path: 'package/large', content: Buffer.alloc(3 * 1024 * 1024, 7) };

/** An archive that is read in many pieces, and where it is to be unpacked. */
async function largeArchive(folder: string): Promise<{ readonly archive: string; readonly target: string }> {
  const target = join(folder, 'target');
  await mkdir(target);
  const more = Array.from({ length: 4 }, (_, index) => ({ ...large, path: `package/large-${index}` }));
  return { archive: await writeTgz(join(folder, 'lamp.tgz'), [...lampEntries(), large, ...more]), target };
}

const integrityOf = (bytes: Uint8Array): string => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

describe('an archive', () => {
  it.each([['a .tgz', '.tgz', true], ['a .tar', '.tar', false]])('that is %s is installed as the folder that it was made of', async (_what, extension, zipped) => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'lamp'), { files: { 'bin/on': '#!/bin/sh\n', 'deep/er/file': 'x' }, executable: ['bin/on'] });
    const archive = `${source}${extension}`;
    const packed = await pack(source);
    await writeFile(archive, zipped ? packed : gunzipSync(packed));
    const fromFolder = await house.install(source);
    const fromArchive = await house.install(archive);
    expect(fromArchive).toEqual({ ...fromFolder, source: archive, integrity: integrityOf(await readFile(archive)) });
    expect(await treeOf(fromArchive.folder)).toEqual(await treeOf(source));
  });

  it.each(['package', 'lamp-1a2b3c', './lamp'])('may have the folder %s around it', async (root) => {
    await using house = await newHouse();
    const { folder } = await house.install(await writeTgz(join(house.folder, 'lamp.tgz'), lampEntries(root)));
    expect(Object.keys(await treeOf(folder))).toEqual(['plugin.json', 'src/main.ts']);
  });

  it('may have names that are too long for the header, and empty folders', async () => {
    await using house = await newHouse();
    const name = `${'n'.repeat(150)}/${'m'.repeat(150)}.ts`;
    const source = await writePackage(join(house.folder, 'lamp'), { files: { [name]: 'x' } });
    await mkdir(join(source, 'empty'));
    const archive = join(house.folder, 'lamp.tgz');
    await pack(source);
    const { folder } = await house.install(archive);
    expect(await treeOf(folder)).toMatchObject({ [name]: 'x' });
    expect(await readdir(join(folder, 'empty'))).toEqual([]);
  });

  it.each<[what: string, entry: RawEntry, reason: RegExp]>([
    ['a symbolic link', { path: 'package/passwd', type: 'SymbolicLink', linkpath: '/etc/passwd' }, /"package\/passwd" of the archive is a symbolic link/],
    ['a hard link', { path: 'package/copy', type: 'Link', linkpath: 'package/plugin.json' }, /"package\/copy" of the archive is a hard link/],
    ['a device', { path: 'package/disk', type: 'BlockDevice' }, /is a device/],
    ['a character device', { path: 'package/null', type: 'CharacterDevice' }, /is a device/],
    ['a named pipe', { path: 'package/pipe', type: 'FIFO' }, /is a named pipe/],
    ['an absolute path', { path: '/etc/cron.d/lamp' }, /"\/etc\/cron\.d\/lamp" of the archive is an absolute path/],
    ['a path that leaves', { path: 'package/../../lamp' }, /is a path that leaves the package/],
    ['a path that leaves and comes back', { path: 'package/src/../main.ts' }, /leaves the package/],
    ['a path with a backslash', { path: 'package\\..\\lamp' }, /a character in its path/],
    ['a second root', { path: 'other/file' }, /"other\/file" of the archive is not in the folder "package"/],
    ['a file beside the root', { path: 'file' }, /is not in the folder "package"/],
    ['a kit of its own', { path: 'package/node_modules/@majordomus/plugin/package.json' }, /is a kit of its own/],
    ['a kit further down', { path: 'package/lib/node_modules/@majordomus/plugin/index.js' }, /is a kit of its own/],
    ['dependencies', { path: 'package/node_modules/bulb/index.js' }, /is a dependency; name it in package\.json/],
    ['its history', { path: 'package/.git/config' }, /is the history of the package/],
    ['a file twice', { path: 'package/plugin.json', content: '{}' }, /"package\/plugin\.json" of the archive is in the archive twice/],
    ['a file in a file', { path: 'package/plugin.json/x' }, /is in "plugin\.json", which is a file/],
    ['a file that becomes a folder', { path: 'package/plugin.json', type: 'Directory' }, /twice/],
    ['a folder that becomes a file', { path: 'package/src' }, /twice/],
    ['a file whose name no disk takes', { path: `package/${'n'.repeat(300)}` }, /"package\/n+…" of the archive has a name of more than 255 bytes/],
    ['a folder whose name no disk takes', { path: `package/${'ä'.repeat(128)}/x` }, /a name of more than 255 bytes/],
  ])('with %s is refused, and the entry named', async (_what, entry, reason) => {
    const failure = await refusal(gzipSync(rawTar([...lampEntries(), entry])));
    expect(failure).toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringMatching(reason) as string });
  });

  it('with a name that no disk takes is refused as it is, and not for want of space', async () => {
    await using house = await newHouse();
    const archive = await writeTgz(join(house.folder, 'lamp.tgz'), [...lampEntries(), { path: `package/${'n'.repeat(300)}`, content: 'x' }, large]);
    await expect(house.install(archive)).rejects.toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringContaining('a name of more than 255 bytes') as string });
  });

  it('may have names of 255 bytes', async () => {
    await using house = await newHouse();
    const name = `${'ä'.repeat(127)}x`;
    const { folder } = await house.install(await writeTgz(join(house.folder, 'lamp.tgz'), [...lampEntries(), { path: `package/${name}`, content: 'x' }]));
    expect(await treeOf(folder)).toMatchObject({ [name]: 'x' });
  });

  it.each<[what: string, spoil: (target: string) => Promise<unknown>, code: string]>([
    ['a file', (target) => writeFile(join(target, 'plugin.json'), ''), 'EEXIST'],
    ['the folder of a file', (target) => writeFile(join(target, 'src'), ''), 'EEXIST'],
  ])('ends at once when %s of it cannot be written, however much follows', async (_what, spoil, code) => {
    await using files = await temporaryFolder();
    const { archive, target } = await largeArchive(files.path);
    await spoil(target);
    await expect(unpackArchive(archive, target, options)).rejects.toMatchObject({ code });
    await expect(access(join(target, 'large'))).rejects.toThrow('ENOENT');
  });

  it('is given up when it is no longer wanted, and writes nothing afterwards', async () => {
    await using files = await temporaryFolder();
    const { archive, target } = await largeArchive(files.path);
    const stopping = new AbortController();
    const unpacking = unpackArchive(archive, target, { ...options, signal: stopping.signal });
    await vi.waitFor(() => access(join(target, 'large')), { timeout: 20_000, interval: 1 });
    stopping.abort(new Error('stopping'));
    await expect(unpacking).rejects.toThrow('stopping');
    // Whoever removes the folder finds nobody who still holds a file of it open.
    const held = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(join('/proc/self/fd', fd)).catch(() => '')));
    expect(held.filter((path) => path.startsWith(files.path))).toEqual([]);
  });

  it.each<[what: string, entries: readonly RawEntry[]]>([
    ['no folder at its top', [{ path: 'plugin.json', content: '{}' }]],
    ['"." at its top', [{ path: './', type: 'Directory' }, { path: './plugin.json', content: '{}' }]],
  ])('with %s is refused, and told how it is made', async (_what, entries) => {
    expect(await refusal(gzipSync(rawTar(entries)))).toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringMatching(/plugin\.json" of the archive is at its top, in no folder; .* tar -czf NAME\.tgz FOLDER$/) as string });
  });

  it('is refused for what stands first in it, too', async () => {
    expect(await refusal(rawTar([{ path: 'package/passwd', type: 'SymbolicLink', linkpath: '/etc/passwd' }, ...lampEntries()]))).toMatchObject({ code: 'PACKAGE_REFUSED' });
  });

  it.each<[what: string, bytes: () => Uint8Array, reason: RegExp]>([
    ['an empty file', () => new Uint8Array(), /it is empty/],
    ['a text', () => Buffer.from('not an archive\n'.repeat(100)), /it is no tar archive/],
    ['a short text', () => Buffer.from('hello'), /it is no tar archive/],
    ['a zip file', () => Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(600, 7)]), /a zip file; make a \.tgz/],
    ['a gzip of a text', () => gzipSync('not an archive\n'.repeat(100)), /it is no tar archive/],
    ['a gzip of a gzip', () => gzipSync(gzipSync(randomBytes(2000))), /it is no tar archive/],
    ['a gzip that ends too early', () => gzipSync(rawTar(lampEntries())).subarray(0, 200), /unexpected end of file/],
    ['a gzip with a changed byte', () => {
      const bytes = gzipSync(rawTar(lampEntries()));
      bytes.writeUInt32LE(7, bytes.length - 8);
      return bytes;
    }, /incorrect data check/],
    ['a tar that ends in the middle of a file', () => rawTar(lampEntries()).subarray(0, 700), /Truncated|cannot be read/],
    ['a tar that ends between two files', () => rawTar(lampEntries().slice(0, 1), { end: false }), /its end is missing/],
    ['a tar with a wrong checksum', () => {
      const bytes = rawTar(lampEntries());
      bytes.write('x', 0);
      return bytes;
    }, /checksum/],
    ['a tar of nothing', () => Buffer.alloc(10_240), /is empty/],
  ])('that is %s: ARCHIVE_INVALID', async (_what, bytes, reason) => {
    expect(await refusal(bytes())).toMatchObject({ code: 'ARCHIVE_INVALID', message: expect.stringMatching(reason) as string });
  });

  it('that unpacks to more than is allowed is refused while it is read', async () => {
    const bomb = gzipSync(rawTar([...lampEntries(), { path: 'package/zeros', content: Buffer.alloc(4 * 1024 * 1024) }]));
    expect(bomb.length).toBeLessThan(10_000);
    expect(await refusal(bomb, { entries: 10, bytes: 1024 * 1024 })).toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringContaining('larger than 1 MiB when it is unpacked') as string });
    const afterTheEnd = gzipSync(Buffer.concat([rawTar(lampEntries()), Buffer.alloc(8 * 1024 * 1024)]));
    expect(await refusal(afterTheEnd, { entries: 10, bytes: 1024 * 1024 })).toMatchObject({ code: 'PACKAGE_REFUSED' });
  });

  it('with more entries than are allowed is refused', async () => {
    const many = Array.from({ length: 20 }, (_, index) => ({ path: `package/${index}` }));
    expect(await refusal(rawTar([...lampEntries(), ...many]), { entries: 10, bytes: 1024 * 1024 })).toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringContaining('more than 10 files and folders') as string });
  });

  it('of any bytes at all is refused with a code, or unpacked inside its folder', async () => {
    await using files = await temporaryFolder();
    const good = rawTar(lampEntries());
    const mutated = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }).map((changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
    let round = 0;
    await fc.assert(fc.asyncProperty(fc.oneof(mutated, mutated.map((bytes) => gzipSync(bytes)), fc.uint8Array({ maxLength: 2000 })), async (bytes) => {
      const archive = join(files.path, `${round}.tar`);
      const target = join(files.path, `${round}`, 'inside');
      round += 1;
      await mkdir(target, { recursive: true });
      await writeFile(archive, bytes);
      await unpackArchive(archive, target, options).catch((error: unknown) => expect(error).toBeInstanceOf(ActionFailure));
      expect(await readdir(join(target, '..'))).toEqual(['inside']);
    }), { numRuns: 120 });
  });
});

describe('an archive as a source', () => {
  it('is checked against the integrity that is expected', async () => {
    await using house = await newHouse();
    const archive = await writeTgz(join(house.folder, 'lamp.tgz'), lampEntries());
    const integrity = integrityOf(await readFile(archive));
    await expect(house.install(archive, { integrity })).resolves.toMatchObject({ name: 'lamp', integrity });
    const other = integrityOf(Buffer.from('other'));
    await expect(house.install(archive, { integrity: other })).rejects.toMatchObject({ code: 'INTEGRITY_MISMATCH', message: expect.stringContaining(`expected ${other}, found ${integrity}`) as string });
  });

  it.each(['sha512-abc', 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=', `sha512-${'A'.repeat(88)}`, '', 'x'.repeat(5000)])('is not read for an integrity such as %.20s', async (integrity) => {
    await using house = await newHouse();
    const archive = await writeTgz(join(house.folder, 'lamp.tgz'), lampEntries());
    await expect(house.install(archive, { integrity })).rejects.toMatchObject({ code: 'INTEGRITY_INVALID', message: expect.stringMatching(/^.{10,300}$/) as string });
    expect(house.effects).toEqual([]);
  });

  it('that is no plugin is told apart from a broken one', async () => {
    await using house = await newHouse();
    const archive = await writeTgz(join(house.folder, 'other.tgz'), [{ path: 'package/package.json', content: '{"name":"other"}' }]);
    await expect(house.install(archive)).rejects.toMatchObject({ code: 'MANIFEST_INVALID', message: expect.stringMatching(/other\.tgz is no plugin of Majordomus: it has no plugin\.json/) as string });
  });

  it('that is not there, is a folder, or is too large is refused before it is copied', async () => {
    await using house = await newHouse();
    await mkdir(join(house.folder, 'folder.tgz'));
    await writeFile(join(house.folder, 'large.tgz'), '');
    await truncate(join(house.folder, 'large.tgz'), 2 ** 30);
    for (const [name, code] of [['nothing.tgz', 'SOURCE_NOT_FOUND'], ['folder.tgz', 'SOURCE_NOT_FOUND'], ['large.tgz', 'PACKAGE_REFUSED']]) {
      await expect(house.install(join(house.folder, name ?? ''))).rejects.toMatchObject({ code });
    }
    expect(house.effects).toEqual([]);
  });

  it('leaves nothing staged, whether it is installed or refused', async () => {
    await using house = await newHouse();
    await house.install(await writeTgz(join(house.folder, 'lamp.tgz'), lampEntries()));
    await expect(house.install(await writeTgz(join(house.folder, 'bad.tgz'), [...lampEntries(), { path: 'package/l', type: 'SymbolicLink', linkpath: '/' }]))).rejects.toMatchObject({ code: 'PACKAGE_REFUSED' });
    expect(await readdir(join(house.packages, '.staging'))).toEqual([]);
  });

  it('has the manifest’s name, whatever its package.json says', async () => {
    await using house = await newHouse();
    const named = { path: 'package/package.json', content: JSON.stringify({ name: 'majordomus-plugin-lamp', version: '7.0.0' }) };
    await expect(house.install(await writeTgz(join(house.folder, 'lamp.tgz'), [...lampEntries(), named]))).resolves.toMatchObject({ name: 'lamp', version: '1.0.0' });
  });
});
