// The dependencies are folders inside the package, so that these tests need no registry: the one that is set does not answer.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, lstat, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newHouse, noRegistry } from '../test/house.ts';
import { temporaryFolder, treeOf, writePackage } from '../test/packages.ts';

const bulb = (more: object = {}): Record<string, string> => ({
  'bulb/package.json': JSON.stringify({ name: 'bulb', version: '1.0.0', main: 'bulb.js', ...more }),
  'bulb/bulb.js': 'module.exports = "bright";\n',
});
const packageJson = (content: object): Record<string, string> => ({ 'package.json': JSON.stringify({ name: 'lamp', version: '1.0.0', ...content }) });

async function refusal(content: object, files: Record<string, string> = {}): Promise<unknown> {
  await using house = await newHouse();
  const source = await writePackage(join(house.folder, 'source'), { files: { ...packageJson(content), ...files } });
  const failure = await house.install(source).then(() => undefined, (error: unknown) => error);
  expect(await house.store.list()).toEqual([]);
  expect(await readdir(join(house.packages, '.staging'))).toEqual([]);
  return failure;
}

describe('the dependencies of a package', () => {
  it('are installed into its own folder, and found there by what it runs', async () => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'), {
      files: { ...packageJson({ type: 'module', dependencies: { bulb: 'file:./bulb' } }), ...bulb(), 'src/main.ts': 'import bulb from "bulb";\nconsole.log(bulb);\n' },
    });
    await house.install(source);
    expect(execFileSync(process.execPath, ['src/main.ts'], { cwd: join(house.packages, 'lamp', 'current'), encoding: 'utf8' })).toBe('bright\n');
  });

  it('of one plugin are no other’s: what becomes of them breaks that one alone', async () => {
    await using house = await newHouse();
    const source = { files: { ...packageJson({ type: 'module', dependencies: { bulb: 'file:./bulb' } }), ...bulb(), 'src/main.ts': 'import bulb from "bulb";\nconsole.log(bulb);\n' } };
    const folders: string[] = [];
    for (const name of ['lamp', 'heater', 'fan']) {
      folders.push((await house.install(await writePackage(join(house.folder, name), { ...source, manifest: { name } }))).folder);
    }
    const [lamp = '', heater = '', fan = ''] = folders;
    const says = (folder: string): string => execFileSync(process.execPath, ['src/main.ts'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    // Not by a link either: no file and no folder of theirs is the same, and none leads out.
    const nodes = await Promise.all(folders.map(async (folder) => (await readdir(folder, { recursive: true, withFileTypes: true }))
      .map((entry) => join(entry.parentPath, entry.name))));
    const inodes = await Promise.all(nodes.map(async (paths) => Promise.all(paths.map(async (path) => (await lstat(path)).ino))));
    expect(new Set(inodes.flat()).size).toBe(inodes.flat().length);
    for (const [index, paths] of nodes.entries()) {
      for (const path of paths) expect((await realpath(path)).startsWith(folders[index] ?? '')).toBe(true);
    }

    await writeFile(join(lamp, 'bulb', 'bulb.js'), 'throw new Error("burnt out");\n');
    await house.store.remove('heater');
    expect(() => says(lamp)).toThrow('burnt out');
    await expect(access(heater)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(says(fan)).toBe('bright\n');
    await rm(join(house.packages, 'lamp', 'current', 'node_modules'), { recursive: true });
    expect(says(fan)).toBe('bright\n');
  });

  it('come from the registry of the settings, and from the cache of the home the next time', async () => {
    await using files = await temporaryFolder();
    await writePackage(join(files.path, 'package'), { files: { 'plugin.json': undefined, 'src/main.ts': undefined, 'package.json': JSON.stringify({ name: 'bulb', version: '1.0.0' }) } });
    const tarball = execFileSync('tar', ['-czf', '-', 'package'], { cwd: files.path });
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    const requests: string[] = [];
    const server = createServer(({ url = '', headers }, response) => {
      requests.push(url);
      const dist = { tarball: `http://${headers.host}/bulb.tgz`, integrity };
      response.end(url === '/bulb.tgz' ? tarball : JSON.stringify({ name: 'bulb', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': { name: 'bulb', version: '1.0.0', dist } } }));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

    const npm = { cache: join(files.path, 'cache', 'npm'), registry };
    const content = packageJson({ dependencies: { bulb: '^1.0.0' } });
    for (const expected of [['/bulb', '/bulb.tgz'], ['/bulb']]) {
      await using house = await newHouse({ npm });
      const { folder } = await house.install(await writePackage(join(house.folder, 'source'), { files: content }));
      expect(await readdir(join(folder, 'node_modules', 'bulb'))).toEqual(['package.json']);
      expect(requests.splice(0)).toEqual(expected);
    }
  });

  it('run no code of theirs or of the package while they are installed', async () => {
    await using house = await newHouse();
    const trace = join(house.folder, 'ran');
    const script = `touch ${trace}`;
    const scripts = { preinstall: script, install: script, postinstall: script, prepare: script };
    const extension = `require('fs').writeFileSync(${JSON.stringify(trace)}, ''); exports.transformManifest = (manifest) => manifest;\n`;
    const source = await writePackage(join(house.folder, 'source'), {
      files: { ...packageJson({ scripts, dependencies: { bulb: 'file:./bulb' } }), ...bulb({ scripts }), '.npm-extension.cjs': extension },
    });
    await house.install(source);
    await expect(access(trace)).rejects.toThrow('ENOENT');
  });

  it('for development are dropped without being looked up, and so is the kit, a peer', async () => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'), {
      files: {
        ...packageJson({
          dependencies: { bulb: 'file:./bulb' },
          devDependencies: { 'nowhere-to-be-found': '^9.9.9', '@majordomus/plugin': 'workspace:*', typescript: 'catalog:' },
          peerDependencies: { '@majordomus/plugin': '^0.1.0' },
        }),
        ...bulb({ peerDependencies: { '@majordomus/plugin': '^0.1.0' } }),
      },
    });
    const { folder } = await house.install(source);
    expect((await readdir(join(folder, 'node_modules'))).sort()).toEqual(['.package-lock.json', 'bulb']);
    expect(JSON.parse((await treeOf(folder))['package.json'] ?? '')).not.toHaveProperty('devDependencies');
  });

  it('need no npm when there are none', async () => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'), {
      files: packageJson({ dependencies: {}, devDependencies: { '@majordomus/plugin': 'workspace:*' }, peerDependencies: { '@majordomus/plugin': '^0.1.0' } }),
    });
    const { folder } = await house.install(source);
    expect(house.effects).not.toContain('install dependencies');
    expect(Object.keys(await treeOf(folder))).toEqual(['package.json', 'plugin.json', 'src/main.ts']);
  });

  it.each<[range: string, content: object, reason: RegExp]>([
    ['workspace:', { dependencies: { bulb: 'workspace:*' } }, /the dependency "bulb": "workspace:\*" has a meaning only in its author’s checkout; give a range/],
    ['catalog:', { dependencies: { bulb: 'catalog:' } }, /only in its author’s checkout/],
    ['link:', { optionalDependencies: { bulb: 'link:../bulb' } }, /only in its author’s checkout/],
    ['git', { dependencies: { bulb: 'git+ssh://git@example.org/bulb.git' } }, /is a git address/],
    ['a path that leaves', { dependencies: { bulb: 'file:../bulb' } }, /leaves the package/],
    ['a path that leaves, encoded', { dependencies: { bulb: 'file:%2e%2e/bulb' } }, /leaves the package/],
    ['a path that leaves, without file:', { dependencies: { bulb: '../bulb' } }, /leaves the package/],
    ['a path that is absolute', { dependencies: { bulb: 'file:///etc' } }, /leaves the package/],
    ['a path in the home folder', { dependencies: { bulb: '~/bulb' } }, /leaves the package/],
    ['the kit', { dependencies: { '@majordomus/plugin': '^0.1.0' } }, /put it into peerDependencies/],
    ['the kit by another name', { dependencies: { kit: 'npm:@majordomus/plugin@^0.1.0' } }, /put it into peerDependencies/],
    ['what is no range', { dependencies: { bulb: 1 } }, /dependencies of package\.json is no object of names and ranges/],
    ['a list', { dependencies: ['bulb'] }, /no object of names and ranges/],
  ])('are refused with %s', async (_range, content, reason) => {
    expect(await refusal(content)).toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringMatching(reason) as string });
  });

  it('that no registry answers for: DEPENDENCIES_FAILED, with the registry and what to do', async () => {
    expect(await refusal({ dependencies: { bulb: '^1.0.0' } })).toMatchObject({
      code: 'DEPENDENCIES_FAILED',
      message: expect.stringMatching(new RegExp(`check their names and ranges in package.json, and that this host reaches ${noRegistry}`)) as string,
    });
  });

  it('that lead out of the package by a lock file are refused', async () => {
    const lock = {
      name: 'lamp', version: '1.0.0', lockfileVersion: 3, requires: true,
      packages: { '': { name: 'lamp', version: '1.0.0', dependencies: { bulb: '*' } }, '../../..': { version: '1.0.0' }, 'node_modules/bulb': { resolved: '../../..', link: true } },
    };
    expect(await refusal({ dependencies: { bulb: '*' } }, { 'package-lock.json': JSON.stringify(lock) })).toMatchObject({
      code: 'PACKAGE_REFUSED', message: expect.stringContaining('node_modules/bulb is a link that leaves the package') as string,
    });
  });

  it('that bring a kit of their own are refused', async () => {
    const kit = { 'bulb/kit/package.json': JSON.stringify({ name: '@majordomus/plugin', version: '9.0.0' }) };
    expect(await refusal({ dependencies: { bulb: 'file:./bulb' } }, { ...bulb({ dependencies: { '@majordomus/plugin': 'file:./kit' } }), ...kit })).toMatchObject({
      code: 'PACKAGE_REFUSED', message: expect.stringContaining('brings a kit of its own') as string,
    });
  });

  it('are given up at once when packagemanager stops', async () => {
    const stopping = new AbortController();
    await using house = await newHouse({ 
      beforeEffect: (effect) => {
        if (effect === 'install dependencies') setImmediate(() => stopping.abort());
      },
    });
    const source = await writePackage(join(house.folder, 'source'), { files: packageJson({ dependencies: { bulb: '^1.0.0' } }) });
    await expect(house.install(source, { signal: stopping.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(await readdir(join(house.packages, '.staging'))).toEqual([]);
  });
});
