import { readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packageList, pluginInstall, pluginUpgrade } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { lampEntries, writeTgz } from '../test/archives.ts';
import { newBus } from '../test/bus.ts';
import { writePackage } from '../test/packages.ts';

describe('an upgrade', () => {
  it('reads the folder again that the plugin came from, and tells from what to what', async () => {
    await using bus = await newBus();
    await using _house = await bus.house('home', 'igor');
    const source = await writePackage(join(bus.folder, 'source'));
    await bus.client.call(pluginInstall, { source });
    await expect(bus.client.call(pluginUpgrade, { id: 'lamp' })).resolves.toMatchObject({ job: { change: 'none', version: '1.0.0', previous: '1.0.0' } });
    await writePackage(source, { manifest: { version: '1.1.0' } });
    await expect(bus.client.call(pluginUpgrade, { id: 'igor.lamp' })).resolves.toMatchObject({ job: { change: 'newer', version: '1.1.0', previous: '1.0.0', source } });
    await expect(bus.client.call(packageList, {})).resolves.toMatchObject({ packages: [{ version: '1.1.0', source }] });
  });

  it('never becomes another plugin', async () => {
    await using bus = await newBus();
    await using _house = await bus.house('home', 'igor');
    const source = await writePackage(join(bus.folder, 'source'));
    await bus.client.call(pluginInstall, { source });
    await writePackage(source, { manifest: { name: 'heater' } });
    await expect(bus.client.call(pluginUpgrade, { id: 'lamp' })).rejects.toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringMatching(/there is now the plugin heater/) as string });
    await expect(bus.client.call(packageList, {})).resolves.toMatchObject({ packages: [{ name: 'lamp' }] });
  });

  it('has nowhere to look for what came in an archive, or from nobody knows where', async () => {
    await using bus = await newBus();
    await using _house = await bus.house('home', 'igor');
    await bus.client.call(pluginInstall, { source: await writeTgz(join(bus.folder, 'lamp.tgz'), lampEntries()) });
    await expect(bus.client.call(pluginUpgrade, { id: 'lamp' })).rejects.toMatchObject({ code: 'NOTHING_NEWER', message: expect.stringMatching(/from the archive, .*lamp\.tgz.*install what is newer: domus plugin install/) as string });
    const folder = join(bus.folder, 'home/packages/lamp');
    await rm(join(folder, `${await readlink(join(folder, 'current'))}.json`));
    await expect(bus.client.call(pluginUpgrade, { id: 'lamp' })).rejects.toMatchObject({ code: 'NOTHING_NEWER', message: expect.stringMatching(/not known where lamp was installed from/) as string });
    await expect(bus.client.call(pluginUpgrade, { id: 'heater' })).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' });
  });
});
