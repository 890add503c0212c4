import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLog } from '@majordomus/runtime';
import { describe, expect, it } from 'vitest';
import { pack } from '../test/archives.ts';
import { newHouse } from '../test/house.ts';
import { temporaryFolder, writePackage } from '../test/packages.ts';
import { startRegistry } from '../test/registry.ts';
import { newRepository } from '../test/repository.ts';
import { forgetUnused } from './cache-age.ts';

const day = 24 * 60 * 60_000;

describe('the cache', () => {
  it('loses at a start what was not used for 90 days, and what an earlier start did not remove to its end', async () => {
    await using folder = await temporaryFolder();
    const nowMs = 1_800_000_000_000;
    for (const [name, ageDays] of [['git/old', 91], ['git/young', 89], ['npm', 91], ['unused-1', 0]] as const) {
      await mkdir(join(folder.path, name), { recursive: true });
      await writeFile(join(folder.path, name, 'file'), '');
      await utimes(join(folder.path, name), (nowMs - ageDays * day) / 1000, (nowMs - ageDays * day) / 1000);
    }
    await forgetUnused(folder.path, nowMs, silentLog);
    expect(await readdir(folder.path)).toEqual(['git']);
    expect(await readdir(join(folder.path, 'git'))).toEqual(['young']);
  });

  it('is nothing to tidy in a new home', async () => {
    await using folder = await temporaryFolder();
    await forgetUnused(join(folder.path, 'cache'), Date.now(), silentLog);
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('has what an installation from git used as used now', async () => {
    await using house = await newHouse();
    const { url, commit } = await newRepository(join(house.folder, 'repository'));
    await commit({}, 'v1.0.0');
    await house.install(url);
    const clones = join(house.folder, 'cache/git');
    const clone = join(clones, (await readdir(clones))[0] ?? '');
    await utimes(clone, 1, 1);
    await house.install(url);
    expect((await stat(clone)).mtimeMs).toBeGreaterThan(Date.now() - day);
  });

  it('has what npm fetched as used now, also when only the cache answered', async () => {
    const registry = await startRegistry();
    await using folder = await temporaryFolder();
    const cache = join(folder.path, 'npm');
    await using house = await newHouse({ npm: { cache, registry: registry.url, retries: 0 } });
    const name = 'majordomus-plugin-lamp';
    registry.publish(name, '1.0.0', await pack(await writePackage(join(house.folder, 'package'), { files: { 'package.json': JSON.stringify({ name, version: '1.0.0' }) } })));
    await house.install(name);
    await utimes(cache, 1, 1);
    await registry.stop();
    await house.install(name);
    expect((await stat(cache)).mtimeMs).toBeGreaterThan(Date.now() - day);
  });
});
