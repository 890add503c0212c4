// Two packagemanagers on one bus: what is on one host is installed on the other.
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageDetail, packageList, packageUpload, pluginInstall, pluginUpgrade } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { lampEntries, writeTgz } from '../test/archives.ts';
import { newBus } from '../test/bus.ts';
import { treeOf, writePackage } from '../test/packages.ts';
import { integrityOf } from '../test/registry.ts';

describe('an installation on another host', () => {
  it('brings a folder there over the bus, and follows its job to the end', async () => {
    await using bus = await newBus();
    await using _igor = await bus.house('igor', 'igor');
    await using _attic = await bus.house('attic', 'attic', false);
    // Larger than one part.
    const source = await writePackage(join(bus.folder, 'source'), { files: { large: randomBytes(700_000).toString('hex'), 'bin/on': '#!/bin/sh\n', 'node_modules/left/behind': '' }, executable: ['bin/on'] });
    const { job } = await bus.client.call(pluginInstall, { source, host: 'attic', waitMs: 15_000 }, { timeoutMs: 20_000 });
    expect(job).toMatchObject({ state: 'done', percent: 100, plugin: 'lamp', version: '1.0.0', change: 'first' });
    await expect(bus.client.call(packageList, {})).resolves.toEqual({ packages: [] });
    const { packages } = await bus.client.call(packageList, {}, { service: 'attic.packagemanager' });
    expect(packages).toMatchObject([{ name: 'lamp', source: `igor:${source}`, integrity: expect.stringMatching(/^sha512-/) as string }]);
    const { 'node_modules/left/behind': _notPart, ...files } = await treeOf(source);
    expect(await treeOf(packages[0]?.folder ?? '')).toEqual(files);
    await expect(bus.client.call(pluginUpgrade, { id: 'attic.lamp' })).rejects.toMatchObject({ code: 'NOTHING_NEWER', message: expect.stringContaining('brought here') as string });
    for (const home of ['igor', 'attic']) expect((await readdir(join(bus.folder, home, 'packages/.staging'), { recursive: true })).filter((name) => name !== 'uploads')).toEqual([]);
  });

  it('brings an archive there as it is', async () => {
    await using bus = await newBus();
    await using _igor = await bus.house('igor', 'igor');
    await using _attic = await bus.house('attic', 'attic', false);
    const source = await writeTgz(join(bus.folder, 'lamp.tgz'), lampEntries());
    const integrity = integrityOf(await readFile(source));
    await bus.client.call(pluginInstall, { source, integrity, host: 'attic', waitMs: 15_000 }, { timeoutMs: 20_000 });
    await expect(bus.client.call(packageDetail, { id: 'attic.lamp' })).resolves.toMatchObject({ integrity });
    const wrong = integrityOf(Buffer.from('other'));
    await expect(bus.client.call(pluginInstall, { source, integrity: wrong, host: 'attic', waitMs: 15_000 }, { timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'INTEGRITY_MISMATCH' });
  });

  it('lets the other host fetch what it can fetch itself, and tells what that says', async () => {
    await using bus = await newBus();
    await using _igor = await bus.house('igor', 'igor');
    await using _attic = await bus.house('attic', 'attic', false);
    await expect(bus.client.call(pluginInstall, { source: 'git+file:///nowhere/lamp', host: 'attic', waitMs: 15_000 }, { timeoutMs: 20_000 }))
      .rejects.toMatchObject({ code: 'FETCH_FAILED', message: expect.stringMatching(/^on attic: file:\/\/\/nowhere\/lamp could not be fetched/) as string });
  });

  it('is HOST_UNKNOWN when that host is not on the bus', async () => {
    await using bus = await newBus();
    await using _igor = await bus.house('igor', 'igor');
    const source = await writePackage(join(bus.folder, 'source'));
    await expect(bus.client.call(pluginInstall, { source, host: 'cellar', waitMs: 15_000 }, { timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'HOST_UNKNOWN' });
    expect(await readdir(join(bus.folder, 'igor/packages/.staging'))).toEqual([]);
  });

  it('of an upload that never came is refused', async () => {
    await using bus = await newBus();
    await using _igor = await bus.house('igor', 'igor');
    await expect(bus.client.call(pluginInstall, { source: 'upload:00000000-0000-4000-8000-000000000000', waitMs: 8000 })).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
    await expect(bus.client.call(packageUpload, { upload: '../../etc', origin: 'x', bytes: 1, integrity: 'x', offset: 0, data: '' })).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });
});
