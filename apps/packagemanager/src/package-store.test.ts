import { mkdir, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog, type Log } from '@majordomus/runtime';
import { describe, expect, it } from 'vitest';
import { newHouse, type House } from '../test/house.ts';
import { writePackage } from '../test/packages.ts';

/** A log that keeps the warnings. */
function warnings(): { readonly log: Log; readonly said: string[] } {
  const said: string[] = [];
  return { said, log: createLog('packagemanager', 'warn', true, (text) => said.push(text)) };
}

async function withLamp(log?: Log): Promise<House> {
  const house = await newHouse(log === undefined ? {} : { log });
  await house.install(await writePackage(join(house.folder, 'source')));
  return house;
}

/** What can happen to a package that was installed well, by whatever hand. */
const damages: [what: string, damage: (folder: string) => Promise<unknown>, reason: RegExp][] = [
  ['a link that leads nowhere', async (folder) => rm(join(folder, await readlink(join(folder, 'current'))), { recursive: true }), /plugin\.json is missing/],
  ['a link that leads out', async (folder) => {
    await rm(join(folder, 'current'));
    await symlink('../../source', join(folder, 'current'));
  }, /points out of the package: \.\.\/\.\.\/source/],
  ['a link that is a folder', async (folder) => {
    await rm(join(folder, 'current'));
    await mkdir(join(folder, 'current'));
  }, /is no link/],
  ['a manifest that is gone', (folder) => rm(join(folder, 'current', 'plugin.json')), /plugin\.json is missing/],
  ['a manifest that is cut off', (folder) => writeFile(join(folder, 'current', 'plugin.json'), '{"name": "la'), /is not JSON, line 1, column 10/],
  ['the manifest of another plugin', (folder) => writePackage(join(folder, 'current'), { manifest: { name: 'heater' } }), /holds the plugin heater/],
];

describe('a damaged package', () => {
  it.each(damages)('%s is left out and logged once, and the others are listed', async (_what, damage, reason) => {
    const { log, said } = warnings();
    await using house = await withLamp(log);
    await house.install(await writePackage(join(house.folder, 'heater'), { manifest: { name: 'heater' } }));
    await damage(join(house.packages, 'lamp'));
    expect((await house.store.list()).map(({ name }) => name)).toEqual(['heater']);
    await house.store.list();
    expect(said).toEqual([expect.stringMatching(reason)]);
    expect(await house.store.find('lamp')).toMatchObject({ state: 'damaged', reason: expect.stringMatching(reason) as string });
  });

  it.each(damages)('%s survives a start, and can be removed', async (_what, damage) => {
    await using house = await withLamp();
    await damage(join(house.packages, 'lamp'));
    await house.store.cleanUp();
    expect((await house.store.find('lamp')).state).toBe('damaged');
    await house.store.remove('lamp');
    expect(await house.store.find('lamp')).toEqual({ state: 'absent' });
  });

  it.each(damages)('%s is whole again when another version is installed', async (_what, damage) => {
    await using house = await withLamp();
    await damage(join(house.packages, 'lamp'));
    await house.install(await writePackage(join(house.folder, 'newer'), { manifest: { version: '1.0.1' } }));
    expect(await house.store.list()).toMatchObject([{ name: 'lamp', version: '1.0.1' }]);
  });
});

describe('the store', () => {
  it('lists the others when a package may not be read', async () => {
    await using house = await withLamp();
    await mkdir(join(house.packages, 'heater'));
    await symlink('x'.repeat(4000), join(house.packages, 'heater', 'current'));
    expect(await house.store.find('heater')).toMatchObject({ state: 'damaged', reason: expect.stringContaining('ENAMETOOLONG') as string });
    expect(await house.store.list()).toMatchObject([{ name: 'lamp' }]);
  });

  it('has nothing in a new home', async () => {
    await using house = await newHouse();
    await house.store.cleanUp();
    expect(await house.store.list()).toEqual([]);
    expect(await house.store.find('lamp')).toEqual({ state: 'absent' });
    expect(await readdir(house.packages)).toEqual([]);
  });

  it('tells what is installed, with the manifest', async () => {
    await using house = await withLamp();
    const [installed] = await house.store.list();
    expect(await house.store.find('lamp')).toMatchObject({ state: 'installed', installed, manifest: { name: 'lamp', configuration: { limit: { default: 90 } }, commands: {} } });
  });

  it('removes a package with all its releases, and nothing else', async () => {
    await using house = await withLamp();
    await house.install(await writePackage(join(house.folder, 'newer'), { manifest: { version: '1.1.0' } }));
    await house.install(await writePackage(join(house.folder, 'heater'), { manifest: { name: 'heater' } }));
    await house.store.remove('lamp');
    expect((await house.store.list()).map(({ name }) => name)).toEqual(['heater']);
    expect(await readdir(house.packages)).toEqual(['.staging', '.trash', 'heater']);
    expect(await readdir(join(house.packages, '.trash'))).toEqual([]);
    await house.store.remove('lamp');
  });

  it('does not follow links when it removes', async () => {
    await using house = await withLamp();
    const outside = await writePackage(join(house.folder, 'outside'));
    await symlink(outside, join(house.packages, 'lamp', 'elsewhere'));
    await house.store.cleanUp();
    await house.store.remove('lamp');
    expect(await readdir(outside)).toContain('plugin.json');
  });

  it('leaves alone at its start what is no package', async () => {
    await using house = await withLamp();
    await mkdir(join(house.packages, 'node_modules'));
    await mkdir(join(house.packages, 'Notes'));
    await writeFile(join(house.packages, 'readme.txt'), 'mine');
    await house.store.cleanUp();
    expect(await readdir(house.packages)).toEqual(['Notes', 'lamp', 'node_modules', 'readme.txt']);
    expect(await house.store.list()).toMatchObject([{ name: 'lamp' }]);
  });

  it('starts with leftovers that are not what it would have left', async () => {
    await using house = await withLamp();
    await rm(join(house.packages, '.staging'), { recursive: true });
    await writeFile(join(house.packages, '.staging'), 'a file');
    await writeFile(join(house.packages, 'lamp', 'stray'), 'a file');
    await house.store.cleanUp();
    expect(await readdir(house.packages)).toEqual(['lamp']);
    expect(await readdir(join(house.packages, 'lamp'))).toHaveLength(3);
  });
});
