// packagemanager over a real bus, with workers in the place of dbmanager and manager.
import { mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionFailure, jobGet, packageDetail, packageList, pluginInstall, pluginUninstall } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { describe, expect, it } from 'vitest';
import { newBus, type Peers } from '../test/bus.ts';
import { noRegistry } from '../test/house.ts';
import { temporaryFolder, writePackage } from '../test/packages.ts';
import { ownKitFolder } from './kit.ts';
import { start } from './service.ts';

describe('packagemanager on the bus', () => {
  it('installs a package, lists it, tells of it, and uninstalls it after its plugin was stopped', async () => {
    await using bus = await newBus();
    await using _house = await bus.house('home', 'igor');
    const { client } = bus;
    const source = await writePackage(join(bus.folder, 'source'));
    const { job } = await client.call(pluginInstall, { source });
    expect(job).toMatchObject({ state: 'done', step: 'switch', percent: 100, source, plugin: 'lamp', version: '1.0.0' });
    await expect(client.call(jobGet, { id: job.id })).resolves.toEqual({ job });
    expect(bus.schemas).toEqual([{ plugin: 'lamp', version: '1.0.0', items: { limit: { type: 'integer', description: 'the limit', default: 90, min: 1, max: 100 } } }]);

    const { packages } = await client.call(packageList, {});
    expect(packages).toMatchObject([{ name: 'lamp', version: '1.0.0' }]);
    for (const id of ['lamp', 'igor.lamp']) {
      await expect(client.call(packageDetail, { id })).resolves.toMatchObject({ ...packages[0], manifest: { main: 'src/main.ts' } });
    }
    await expect(client.call(packageList, {}, { service: 'igor.packagemanager' })).resolves.toEqual({ packages });
    expect(await readlink(join(bus.folder, 'home/packages/node_modules/@majordomus/plugin'))).toBe(ownKitFolder);

    await expect(client.call(pluginUninstall, { id: 'lamp' })).resolves.toEqual({ id: 'igor.lamp' });
    expect(bus.stopped).toEqual(['igor.lamp']);
    await expect(client.call(packageList, {})).resolves.toEqual({ packages: [] });
    await expect(client.call(pluginUninstall, { id: 'lamp' })).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' });
    await expect(client.call(packageDetail, { id: 'lamp' })).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' });
  });

  it('installs again at once when the folder of the packages was deleted under it, with the kit that every plugin finds there', async () => {
    await using bus = await newBus();
    await using _house = await bus.house('home', 'igor');
    const source = await writePackage(join(bus.folder, 'source'));
    await bus.client.call(pluginInstall, { source });
    const packages = join(bus.folder, 'home/packages');
    await rm(packages, { recursive: true });
    await expect(bus.client.call(packageList, {})).resolves.toEqual({ packages: [] });
    expect((await bus.client.call(pluginInstall, { source })).job).toMatchObject({ state: 'done', plugin: 'lamp' });
    expect(await readlink(join(packages, 'node_modules/@majordomus/plugin'))).toBe(ownKitFolder);
    // Whoever else had something installed is told, also when this was quicker than the next look at the folder.
    expect(bus.errors).toEqual([`the folder ${packages} was deleted under the house, and what was installed with it; it is there again, empty: install the plugins again, their configuration is kept`]);
  });

  it('has after a restart what was installed before, and nothing of what was not', async () => {
    await using bus = await newBus();
    {
      await using _house = await bus.house('home', 'igor');
      await bus.client.call(pluginInstall, { source: await writePackage(join(bus.folder, 'source')) });
    }
    await mkdir(join(bus.folder, 'home/packages/.staging/left'), { recursive: true });
    await using _house = await bus.house('home', 'igor');
    await expect(bus.client.call(packageList, {})).resolves.toMatchObject({ packages: [{ name: 'lamp' }] });
    expect(await readdir(join(bus.folder, 'home/packages'))).toEqual(['lamp', 'node_modules']);
  });

  it('refuses a package with its code and the reason for each field', async () => {
    await using bus = await newBus();
    await using _house = await bus.house('home', 'igor');
    const source = await writePackage(join(bus.folder, 'source'), { manifest: { name: 'Lamp', version: '1' } });
    const refused = await bus.client.call(pluginInstall, { source }).then(() => undefined, (error: unknown) => error);
    expect(refused).toMatchObject({ code: 'MANIFEST_INVALID', details: { fields: { name: expect.any(String) as string, version: expect.any(String) as string } } });
  });

  it('answers with a running job after waitMs, which can be followed to its end', async () => {
    const answered = Promise.withResolvers<void>();
    await using bus = await newBus({ schemaSet: () => answered.promise });
    await using _house = await bus.house('home', 'igor');
    const { job } = await bus.client.call(pluginInstall, { source: await writePackage(join(bus.folder, 'source')), waitMs: 0 });
    expect(job).toMatchObject({ state: 'running' });
    answered.resolve();
    await expect.poll(async () => (await bus.client.call(jobGet, { id: job.id })).job).toMatchObject({ state: 'done', percent: 100, plugin: 'lamp' });
    await expect(bus.client.call(jobGet, { id: 'none' })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('changes nothing when dbmanager is not there', async () => {
    await using bus = await newBus({ without: ['dbmanager'] });
    await using _house = await bus.house('home', 'igor');
    const source = await writePackage(join(bus.folder, 'source'));
    await expect(bus.client.call(pluginInstall, { source, waitMs: 8000 })).rejects.toMatchObject({ code: 'SCHEMA_NOT_STORED', message: expect.stringMatching(/see that it runs/) as string });
    await expect(bus.client.call(packageList, {})).resolves.toEqual({ packages: [] });
  });

  it('interrupts what it is installing when it stops, tells the caller, and leaves nothing of it', async () => {
    const reached = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    await using bus = await newBus({
      schemaSet: async () => {
        reached.resolve();
        return answered.promise;
      },
    });
    const house = await bus.house('home', 'igor');
    const installing = bus.client.call(pluginInstall, { source: await writePackage(join(bus.folder, 'source')), waitMs: 60_000 }, { timeoutMs: 60_000 });
    const told = expect(installing).rejects.toMatchObject({ code: 'INTERRUPTED', message: expect.stringMatching(/untouched; install again/) as string });
    await reached.promise;
    await house[Symbol.asyncDispose]();
    await told;
    answered.resolve();
    expect(await readdir(join(bus.folder, 'home/packages/.staging'))).toEqual([]);
  });
});

describe('an uninstallation', () => {
  it.each<[what: string, peers: Peers]>([
    ['when there is no manager', { without: ['igor.manager'] }],
    ['when the manager does not know the plugin', { pluginStop: async () => Promise.reject(new ActionFailure('PLUGIN_NOT_FOUND', 'not installed')) }],
  ])('goes on %s', async (_what, peers) => {
    await using bus = await newBus(peers);
    await using _house = await bus.house('home', 'igor');
    await bus.client.call(pluginInstall, { source: await writePackage(join(bus.folder, 'source')) });
    await expect(bus.client.call(pluginUninstall, { id: 'lamp' })).resolves.toEqual({ id: 'igor.lamp' });
  });

  it('keeps the package of a plugin that could not be stopped', async () => {
    await using bus = await newBus({ pluginStop: async () => Promise.reject(new ActionFailure('BUSY', 'it holds the door')) });
    await using _house = await bus.house('home', 'igor');
    await bus.client.call(pluginInstall, { source: await writePackage(join(bus.folder, 'source')) });
    await expect(bus.client.call(pluginUninstall, { id: 'lamp' })).rejects.toMatchObject({ code: 'STILL_RUNNING', message: expect.stringContaining('it holds the door (BUSY)') as string });
    await expect(bus.client.call(packageList, {})).resolves.toMatchObject({ packages: [{ name: 'lamp' }] });
  });

  it('removes a package that is damaged', async () => {
    await using bus = await newBus();
    await using _house = await bus.house('home', 'igor');
    await bus.client.call(pluginInstall, { source: await writePackage(join(bus.folder, 'source')) });
    await writeFile(join(bus.folder, 'home/packages/lamp/current/plugin.json'), '{');
    await expect(bus.client.call(packageDetail, { id: 'lamp' })).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND', message: expect.stringContaining('is damaged') as string });
    await bus.client.call(pluginUninstall, { id: 'lamp' });
    expect(await readdir(join(bus.folder, 'home/packages'))).not.toContain('lamp');
  });
});

describe('a plugin of another host', () => {
  it('is told of and uninstalled by the packagemanager of that host', async () => {
    await using bus = await newBus({ without: ['igor.manager'] });
    await using _igor = await bus.house('igor', 'igor');
    await using _attic = await bus.house('attic', 'attic', false);
    const source = await writePackage(join(bus.folder, 'source'));
    await bus.client.call(pluginInstall, { source }, { service: 'attic.packagemanager' });
    await expect(bus.client.call(packageList, {})).resolves.toEqual({ packages: [] });
    const folder = expect.stringContaining(join(bus.folder, 'attic')) as string;
    await expect(bus.client.call(packageDetail, { id: 'attic.lamp' })).resolves.toMatchObject({ name: 'lamp', folder });
    await expect(bus.client.call(pluginUninstall, { id: 'attic.heater' })).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' });
    await expect(bus.client.call(pluginUninstall, { id: 'attic.lamp' })).resolves.toEqual({ id: 'attic.lamp' });
    await expect(bus.client.call(packageList, {}, { service: 'attic.packagemanager' })).resolves.toEqual({ packages: [] });
  });

  it('is HOST_UNKNOWN when that host is not on the bus', async () => {
    await using bus = await newBus();
    await using _house = await bus.house('home', 'igor');
    for (const contract of [packageDetail, pluginUninstall]) {
      await expect(bus.client.call(contract, { id: 'cellar.lamp' })).rejects.toMatchObject({ code: 'HOST_UNKNOWN', message: expect.stringContaining('cellar') as string });
    }
  });
});

describe('a start', () => {
  it('tells dbmanager again what belongs to the packages in use, and again until it takes it', async () => {
    let refusals = 0;
    await using bus = await newBus({
      schemaSet: async () => {
        if (refusals > 0) {
          refusals -= 1;
          throw new ActionFailure('STORAGE_ERROR', 'the disk is full');
        }
      },
    });
    {
      await using _house = await bus.house('home', 'igor');
      await bus.client.call(pluginInstall, { source: await writePackage(join(bus.folder, 'source')) });
    }
    // As after a crash between the schema of a next version and its package.
    bus.schemas.length = 0;
    refusals = 1;
    await using _house = await bus.house('home', 'igor');
    await expect.poll(() => bus.schemas, { timeout: 10_000 }).toMatchObject([{ plugin: 'lamp', version: '1.0.0' }]);
  });

  it('is refused on a home where another packagemanager runs', async () => {
    await using bus = await newBus();
    await using _house = await bus.house('home', 'igor');
    await expect(bus.house('home', 'igor')).rejects.toMatchObject({ name: 'StartError', code: 'HOME_IN_USE' });
  });

  it('is refused when the packages are no folder', async () => {
    await using bus = await newBus();
    await mkdir(join(bus.folder, 'home'));
    await writeFile(join(bus.folder, 'home/packages'), '');
    await expect(bus.house('home', 'igor')).rejects.toMatchObject({ name: 'StartError', code: 'HOME_NOT_WRITABLE' });
  });

  it('ends at once when it is stopped before a broker answers', async () => {
    await using folder = await temporaryFolder();
    const settings = { home: folder.path, broker: 'tcp://127.0.0.1:9', host: 'igor', logLevel: 'silent', primary: true, kitFolder: ownKitFolder, registry: noRegistry, readyLimitMs: 600, calmMs: 50 } as const;
    const stopping = new AbortController();
    const ended = start(settings, { signal: stopping.signal, log: silentLog, ready: () => expect.unreachable('there is no broker'), notReady: () => {} });
    stopping.abort();
    await ended;
  });

  it('is refused without a kit', async () => {
    await using folder = await temporaryFolder();
    const settings = { home: folder.path, broker: 'tcp://127.0.0.1:9', host: 'igor', logLevel: 'silent', primary: true, kitFolder: '/nowhere', registry: noRegistry, readyLimitMs: 600, calmMs: 50 } as const;
    const context = { signal: new AbortController().signal, log: silentLog, ready: () => {}, notReady: () => {} };
    await expect(start(settings, context)).rejects.toMatchObject({ name: 'StartError', code: 'CANNOT_START', message: expect.stringContaining('--kit-folder') as string });
  });
});
