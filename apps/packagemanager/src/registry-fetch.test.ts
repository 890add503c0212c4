// Packages of the npm registry and from an address: fetched by npm's libraries from a real registry on loopback, cached, and
// installed again when it is gone.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from '@majordomus/contracts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lampEntries, pack, writeTgz } from '../test/archives.ts';
import { newHouse, type House } from '../test/house.ts';
import { temporaryFolder, treeOf, writePackage } from '../test/packages.ts';
import { integrityOf, startRegistry, type Registry } from '../test/registry.ts';
import type { Progress } from './installer.ts';

const name = 'majordomus-plugin-lamp';

/** The archive of a version of the lamp, whose manifest may say another one. */
async function lampArchive(version: string, files: Record<string, string> = {}): Promise<Buffer> {
  await using folder = await temporaryFolder();
  return await pack(await writePackage(join(folder.path, 'package'), { manifest: { version }, files: { 'package.json': JSON.stringify({ name, version }), ...files } }));
}

async function houseAt({ url: registry }: Pick<Registry, 'url'>, cache: string): Promise<House> {
  return await newHouse({ npm: { cache: join(cache, 'npm'), registry, retries: 0 } });
}

/** Installs, and returns what the job ends with. */
async function installed(house: House, source: string, options: { integrity?: string } = {}): Promise<Partial<Job>> {
  let told: Partial<Job> = {};
  await house.install(source, { ...options, progress: (progress: Progress) => (told = { ...told, ...progress }) });
  return told;
}

/** A folder that is removed when the test has ended. */
async function newFolder(): Promise<string> {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

const refusal = async (house: House, source: string, options: { integrity?: string } = {}): Promise<unknown> => house.install(source, options).then(() => expect.unreachable('it was installed'), (error: unknown) => error);

describe('a package of the registry', () => {
  it('is the newest of its range, as what its manifest says, with the integrity that was found', async () => {
    const registry = await startRegistry();
    await using files = await temporaryFolder();
    await using house = await houseAt(registry, files.path);
    const newest = await lampArchive('1.2.0');
    registry.publish(name, '1.0.0', await lampArchive('1.0.0'));
    registry.publish(name, '1.2.0', newest);
    registry.publish(name, '2.0.0', await lampArchive('2.0.0'));
    const lamp = await house.install(`${name}@^1`, { integrity: integrityOf(newest) });
    expect(lamp).toMatchObject({ name: 'lamp', version: '1.2.0', source: `${name}@^1`, integrity: integrityOf(newest) });
    expect(Object.keys(await treeOf(lamp.folder))).toEqual(['package.json', 'plugin.json', 'src/main.ts']);
    await expect(house.install(name)).resolves.toMatchObject({ version: '2.0.0' });
    expect(house.effects.slice(0, 5)).toEqual(['make staging', 'make staging', 'fetch', 'unpack', 'copy']);
  });

  it('installs again without a network, and says that the cache gave it', { timeout: 60_000 }, async () => {
    const registry = await startRegistry();
    await using files = await temporaryFolder();
    const bulb = await (async () => {
      await using folder = await temporaryFolder();
      return await pack(await writePackage(join(folder.path, 'package'), { files: { 'plugin.json': undefined, 'src/main.ts': undefined, 'package.json': JSON.stringify({ name: 'bulb', version: '1.0.0' }) } }));
    })();
    registry.publish('bulb', '1.0.0', bulb);
    registry.publish(name, '1.0.0', await lampArchive('1.0.0', { 'package.json': JSON.stringify({ name, version: '1.0.0', dependencies: { bulb: '^1' } }) }));
    let tree: unknown;
    {
      await using house = await houseAt(registry, files.path);
      const told = await installed(house, `${name}@^1`);
      expect(told).toMatchObject({ version: '1.0.0', change: 'first' });
      expect(told).not.toHaveProperty('cached');
      tree = Object.keys(await treeOf(join(house.packages, 'lamp/current/')));
      expect(tree).toContain('node_modules/bulb/package.json');
    }
    await registry.stop();
    await using house = await houseAt(registry, files.path);
    expect(await installed(house, `${name}@^1`)).toMatchObject({ version: '1.0.0', change: 'first', cached: true });
    expect(Object.keys(await treeOf(join(house.packages, 'lamp/current/')))).toEqual(tree);
    expect(await refusal(house, `${name}-two@^1`)).toMatchObject({ code: 'FETCH_FAILED', message: expect.stringMatching(/could not be fetched from http:.*ECONNREFUSED.*see that this host reaches it/) as string });
  });

  it('is another one when the registry has another one, and that is told', { timeout: 60_000 }, async () => {
    const registry = await startRegistry();
    await using files = await temporaryFolder();
    await using house = await houseAt(registry, files.path);
    registry.publish(name, '1.0.0', await lampArchive('1.0.0'));
    expect(await installed(house, `${name}@^1`)).toMatchObject({ version: '1.0.0', change: 'first' });
    registry.publish(name, '1.1.0', await lampArchive('1.1.0'));
    expect(await installed(house, `${name}@^1`)).toMatchObject({ version: '1.1.0', previous: '1.0.0', change: 'newer' });
    expect(await installed(house, `${name}@~1.0.0`)).toMatchObject({ version: '1.0.0', previous: '1.1.0', change: 'older' });
  });

  it.each<[what: string, source: string, code: string, reason: RegExp]>([
    ['whose name is not there', 'majordomus-plugin-lmap@^1', 'SOURCE_NOT_FOUND', /has no package majordomus-plugin-lmap; check its name/],
    ['of which no version is in the range', `${name}@^7`, 'SOURCE_NOT_FOUND', /has no version of majordomus-plugin-lamp that is \^7; it has 1\.0\.0, 1\.1\.0$/],
    ['that is not what the registry says', 'swapped', 'INTEGRITY_MISMATCH', /swapped is not what http:\/\/127.* says that it is: .*sha512-/],
    ['whose manifest has another version', 'stale', 'MANIFEST_INVALID', /version: is 1\.0\.0, and the registry has it as 3\.0\.0/],
    ['with a link in it', 'linked', 'PACKAGE_REFUSED', /"package\/l" of the archive is a symbolic link/],
  ])('%s is refused', async (_what, source, code, reason) => {
    const registry = await startRegistry();
    await using house = await houseAt(registry, await newFolder());
    const lamp = await lampArchive('1.0.0');
    registry.publish(name, '1.0.0', lamp);
    registry.publish(name, '1.1.0', lamp);
    registry.publish('swapped', '1.0.0', lamp, { integrity: integrityOf(Buffer.from('other')) });
    registry.publish('stale', '3.0.0', lamp);
    registry.publish('linked', '1.0.0', await readFile(await writeTgz(join(house.folder, 'linked.tgz'), [...lampEntries(), { path: 'package/l', type: 'SymbolicLink', linkpath: '/' }])));
    expect(await refusal(house, source)).toMatchObject({ code, message: expect.stringMatching(reason) as string });
    expect(await house.store.list()).toEqual([]);
  });

  it('of another integrity than the one that is expected is refused, with both', async () => {
    const registry = await startRegistry();
    await using house = await houseAt(registry, await newFolder());
    const lamp = await lampArchive('1.0.0');
    registry.publish(name, '1.0.0', lamp);
    const integrity = integrityOf(Buffer.from('other'));
    expect(await refusal(house, name, { integrity })).toMatchObject({ code: 'INTEGRITY_MISMATCH', message: expect.stringContaining(`expected ${integrity}, found ${integrityOf(lamp)}`) as string });
  });

  it('of a registry that wants a login is told so', async () => {
    const registry = await startRegistry();
    await using house = await houseAt(registry, await newFolder());
    registry.refuse(401);
    expect(await refusal(house, name)).toMatchObject({ code: 'FETCH_FAILED', message: expect.stringMatching(/not give .* to everybody \(E401\)/) as string });
  });

  it('is given up at once when packagemanager stops', async () => {
    const registry = await startRegistry();
    const stopping = new AbortController();
    await using house = await newHouse({
      npm: { cache: join(await newFolder(), 'npm'), registry: registry.url, retries: 0 },
      beforeEffect: (effect) => {
        if (effect === 'fetch') setImmediate(() => stopping.abort());
      },
    });
    await expect(house.install(name, { signal: stopping.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('an archive at an address', () => {
  it('is fetched, and again without a network', async () => {
    const registry = await startRegistry();
    await using files = await temporaryFolder();
    const lamp = await lampArchive('1.0.0');
    registry.publish(name, '1.0.0', lamp);
    const address = `${registry.url}${name}/-/1.0.0.tgz`;
    {
      await using house = await houseAt(registry, files.path);
      await expect(house.install(address, { integrity: integrityOf(lamp) })).resolves.toMatchObject({ version: '1.0.0', source: address, integrity: integrityOf(lamp) });
    }
    await registry.stop();
    await using house = await houseAt(registry, files.path);
    expect(await installed(house, address)).toMatchObject({ version: '1.0.0', cached: true });
  });

  it('that has nothing is told', async () => {
    const registry = await startRegistry();
    await using house = await houseAt(registry, await newFolder());
    expect(await refusal(house, `${registry.url}lamp.tgz`)).toMatchObject({ code: 'SOURCE_NOT_FOUND', message: expect.stringMatching(/there is nothing at http/) as string });
    await registry.stop();
    expect(await refusal(house, `${registry.url}lamp.tgz`)).toMatchObject({ code: 'FETCH_FAILED', message: expect.stringMatching(/lamp\.tgz could not be fetched from 127.*ECONNREFUSED/) as string });
  });
});
