// A process that is killed at any point of an installation leaves the old version or the new one, and the next start
// leaves nothing of the attempt (docs/packages.md, "Install").
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@majordomus/runtime';
import { describe, expect, it } from 'vitest';
import { pack } from '../test/archives.ts';
import { newHouse, type House } from '../test/house.ts';
import { treeOf, writePackage } from '../test/packages.ts';
import { PackageStore, type Effect } from './package-store.ts';

const program = fileURLToPath(new URL('../test/install-and-die.ts', import.meta.url));
const withDependency = { 'package.json': JSON.stringify({ dependencies: { bulb: 'file:./bulb' } }), 'bulb/package.json': JSON.stringify({ name: 'bulb', version: '1.0.0' }) };
const versions = ['0.9.0', '1.0.0', '2.0.0'] as const;

/** Each effect of an upgrade that has a former and a still older version, and what is installed after a crash before it. */
const crashes: [Effect, 'old' | 'new'][] = [
  ['make staging', 'old'],
  ['copy', 'old'],
  ['install dependencies', 'old'],
  ['sync', 'old'],
  ['store schema', 'old'],
  ['make package folder', 'old'],
  ['rename into place', 'old'],
  ['write record', 'old'],
  ['write link', 'old'],
  ['switch link', 'old'],
  ['keep previous', 'new'],
  ['discard', 'new'],
  ['remove discarded', 'new'],
];

/** Installs in a process of its own, killed before the effect; whether it was. */
async function installAndDie(packages: string, source: string, effect: Effect): Promise<boolean> {
  const child = spawn(process.execPath, [program, packages, source, effect], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal === 'SIGKILL';
}

/** What a start does, then what is installed as the files of the release in use. */
async function afterRestart(packages: string): Promise<{ readonly versions: string[]; readonly files: Record<string, string>; readonly store: PackageStore }> {
  const store = new PackageStore({ folder: packages, log: silentLog });
  await store.cleanUp();
  const installed = await store.list();
  const [{ folder } = { folder: '' }] = installed;
  return { versions: installed.map(({ version }) => version), files: folder === '' ? {} : await treeOf(folder), store };
}

async function installOld(house: House): Promise<void> {
  for (const version of versions.slice(0, 2)) await house.install(await writePackage(join(house.folder, version), { manifest: { version } }));
}

/** The newest version; with a dependency where that matters, as it takes npm half a second. */
function writeNewest(house: House, effect: Effect): Promise<string> {
  const files = effect === 'install dependencies' || effect === 'keep previous' ? withDependency : {};
  return writePackage(join(house.folder, 'newest'), { manifest: { version: versions[2] }, files });
}

describe('a crash during an upgrade', () => {
  it.each(crashes)('before “%s” leaves the %s version, whole, and the next start leaves no trace', async (effect, expected) => {
    await using house = await newHouse();
    await installOld(house);
    const source = await writeNewest(house, effect);
    const oldFiles = await treeOf((await house.store.list())[0]?.folder ?? '');
    expect(await installAndDie(house.packages, source, effect)).toBe(true);

    // What a plugin that starts right now would find, before anything is tidied.
    const rightNow = await house.store.list();
    expect(rightNow.map(({ version }) => version)).toEqual([expected === 'old' ? versions[1] : versions[2]]);

    const { versions: found, files } = await afterRestart(house.packages);
    expect(found).toEqual(rightNow.map(({ version }) => version));
    if (expected === 'old') expect(files).toEqual(oldFiles);
    else expect(files).toMatchObject(effect === 'keep previous' ? { 'bulb/package.json': expect.any(String) as string, 'node_modules/bulb': '-> ../bulb' } : { 'src/main.ts': oldFiles['src/main.ts'] });
    const left = await readdir(join(house.packages, 'lamp'));
    expect(await readdir(house.packages)).toEqual(['lamp']);
    expect(left.filter((name) => !/^(current|previous|\d\.\d\.\d-[0-9a-f]{12}(\.json)?)$/.test(name))).toEqual([]);
    expect(left).toContain(await readlink(join(house.packages, 'lamp', 'previous')));
    expect(left).toHaveLength(6);

    // And the same installation then goes through.
    await expect(house.install(source)).resolves.toMatchObject({ version: versions[2] });
    expect((await house.store.list()).map(({ version }) => version)).toEqual([versions[2]]);
  });
});

describe('a crash during a first installation', () => {
  it.each<Effect>(['copy', 'make package folder', 'rename into place', 'write record', 'write link', 'switch link'])('before “%s” leaves nothing installed, and the next start leaves nothing at all', async (effect) => {
    await using house = await newHouse();
    const source = await writeNewest(house, effect);
    expect(await installAndDie(house.packages, source, effect)).toBe(true);
    expect(await house.store.list()).toEqual([]);
    expect(await afterRestart(house.packages)).toMatchObject({ versions: [], files: {} });
    expect(await readdir(house.packages)).toEqual([]);
    await expect(house.install(source)).resolves.toMatchObject({ version: versions[2] });
  });
});

describe('a crash while an archive is installed', () => {
  it.each<Effect>(['fetch', 'unpack'])('before “%s” leaves the old version, and the next start leaves no trace', async (effect) => {
    await using house = await newHouse();
    await installOld(house);
    const folder = await writeNewest(house, effect);
    await pack(folder);
    expect(await installAndDie(house.packages, `${folder}.tgz`, effect)).toBe(true);
    expect((await afterRestart(house.packages)).versions).toEqual([versions[1]]);
    expect(await readdir(house.packages)).toEqual(['lamp']);
    await expect(house.install(`${folder}.tgz`)).resolves.toMatchObject({ version: versions[2] });
  });
});

describe('an effect that fails', () => {
  it.each(crashes)('at “%s” leaves the %s version, and says which', async (effect, expected) => {
    let armed = false;
    await using house = await newHouse({
      beforeEffect: (next) => {
        if (armed && next === effect) throw Object.assign(new Error('full'), { errno: -28, code: 'ENOSPC', path: '/disk' });
      },
    });
    await installOld(house);
    const source = await writeNewest(house, effect);
    armed = true;
    if (expected === 'new') await expect(house.install(source)).resolves.toMatchObject({ version: versions[2] });
    else await expect(house.install(source)).rejects.toMatchObject({ code: 'STORAGE_ERROR', message: expect.stringContaining('at /disk: no space left on device (ENOSPC)') as string });
    expect((await house.store.list()).map(({ version }) => version)).toEqual([expected === 'old' ? versions[1] : versions[2]]);
    expect(await readdir(join(house.packages, '.staging'))).toEqual([]);
  });
});

describe('an uninstallation', () => {
  it.each(['discard', 'remove discarded'] as const)('that ends at “%s” leaves the package whole, or nothing after the next start', async (effect) => {
    await using house = await newHouse();
    await house.install(await writePackage(join(house.folder, 'source'), { manifest: { version: versions[0] } }));
    // As far as it comes: the effect that fails here is where the process would have ended.
    const dying = new PackageStore({
      folder: house.packages,
      log: silentLog,
      beforeEffect: (next) => {
        if (next === effect) throw new Error('killed');
      },
    });
    await expect(dying.remove('lamp')).rejects.toThrow('killed');
    expect((await afterRestart(house.packages)).versions).toEqual(effect === 'discard' ? [versions[0]] : []);
    expect(await readdir(house.packages)).toEqual(effect === 'discard' ? ['lamp'] : []);
  });

  it('does not touch a package whose copy is elsewhere', async () => {
    await using house = await newHouse();
    await house.install(await writePackage(join(house.folder, 'source'), { manifest: { version: versions[0] } }));
    const copy = join(house.folder, 'copy');
    await cp(join(house.packages, 'lamp'), copy, { recursive: true, verbatimSymlinks: true });
    await house.store.remove('lamp');
    expect(await house.store.list()).toEqual([]);
    expect(await readdir(copy)).toHaveLength(3);
  });
});
