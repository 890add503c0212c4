// What a change of versions leaves, and says that it leaves, when something comes between (docs/packages.md, "The health gate").
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionFailure, type ManifestSource } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { describe, expect, it } from 'vitest';
import { newHouse, type House, type HouseOptions } from '../test/house.ts';
import { treeOf, writePackage } from '../test/packages.ts';
import type { Behaviour } from '../test/simulated-house.ts';
import { readRecord } from './release-record.ts';
import { Jobs, type JobContext } from './jobs.ts';
import { rollBack } from './rollback.ts';
import { UnendedChanges } from './unended-changes.ts';

type Items = NonNullable<ManifestSource['configuration']>;
const number: Items = { limit: { type: 'integer', description: 'the limit', default: 90, min: 1, max: 100 } };
const text: Items = { limit: { type: 'string', description: 'the limit', default: 'low' } };

const job = (): JobContext => ({ id: 'a job', signal: new AbortController().signal, progress: () => {} });

/** A package of this version; the same call gives the same content. */
function lamp(house: House, version: string, { configuration = number, behaviour = 'well' }: { readonly configuration?: Items; readonly behaviour?: Behaviour } = {}): Promise<string> {
  return writePackage(join(house.folder, version), { manifest: { version, configuration }, files: { behaviour } });
}

function goBack(house: House): Promise<void> {
  return rollBack('lamp', { store: house.store, changeOver: house.changeOver, by: undefined, job: job() });
}

async function versions({ store }: House): Promise<{ current: string | undefined; previous: string | undefined }> {
  const [current, previous] = await Promise.all([store.find('lamp'), store.previous('lamp')]);
  return { current: current.state === 'installed' ? current.installed.version : undefined, previous: previous.state === 'installed' ? previous.installed.version : undefined };
}

/** A house whose lamp runs as 1.0.0. */
async function withLamp(options: HouseOptions = {}): Promise<House> {
  const house = await newHouse(options);
  await house.install(await lamp(house, '1.0.0'));
  house.peers.start('lamp');
  return house;
}

/** An installation that is killed in the gate. */
async function installUntilGate(house: House, source: string): Promise<void> {
  const stopping = new AbortController();
  const installation = house.installer.install({ job: 'upgrade', source, signal: stopping.signal, progress: ({ step }) => step === 'gate' && stopping.abort() });
  await expect(installation).rejects.toMatchObject({ code: 'INTERRUPTED' });
}

describe('a rollback', () => {
  it.each(['runs', 'is stopped'])('of a plugin that %s puts back a value that the former version does not take', async (how) => {
    await using house = await withLamp();
    house.peers.set('lamp', 'limit', 7);
    await house.install(await lamp(house, '2.0.0', { configuration: text }), { values: { limit: 'high' } });
    if (how === 'is stopped') await house.peers.do('plugin.stop', { id: 'igor.lamp' });
    await goBack(house);
    expect(await versions(house)).toEqual({ current: '1.0.0', previous: '2.0.0' });
    expect(house.peers.valuesOf('lamp')).toEqual({ limit: 7 });
  });

  it('says how the former version is installed with a value that it needs and that is not set any more', async () => {
    await using house = await newHouse();
    const source = await lamp(house, '1.0.0', { configuration: { token: { type: 'string', description: 'The token', example: 'abc', required: true } } });
    await house.install(source, { values: { token: 'abc' } });
    await house.install(await lamp(house, '2.0.0'));
    house.peers.set('lamp', 'token', undefined);
    house.peers.start('lamp');
    await expect(goBack(house)).rejects.toMatchObject({ code: 'CONFIG_NEEDED', message: expect.stringContaining(`domus plugin install ${source} --set token=VALUE`) as string });
  });

  it('still finds the values of then after an installation of the former version was refused', async () => {
    await using house = await newHouse();
    const former = await lamp(house, '1.0.0');
    await house.install(former);
    house.peers.set('lamp', 'limit', 7);
    await house.install(await lamp(house, '2.0.0', { configuration: text }), { values: { limit: 'high' } });
    await expect(house.install(former, { values: { limit: 1000 } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await goBack(house);
    expect(house.peers.valuesOf('lamp')).toEqual({ limit: 7 });
  });

  it('has nowhere to go when the version before was installed again in the place of a damaged one', async () => {
    await using house = await withLamp();
    const { folder } = await house.install(await lamp(house, '2.0.0'));
    await rm(join(folder, 'plugin.json'));
    await house.install(await lamp(house, '1.0.0'));
    expect(await versions(house)).toEqual({ current: '1.0.0', previous: undefined });
    await expect(goBack(house)).rejects.toMatchObject({ code: 'NO_PREVIOUS' });
    expect(Object.keys(await treeOf(join(house.packages, 'lamp'))).filter((path) => /^(previous|2)/.test(path))).toEqual([]);
  });
});

describe('a version that is put back', () => {
  it('has every value of then that its schema takes, and the others are told', async () => {
    await using house = await withLamp();
    const configuration: Items = { ...number, name: { type: 'string', description: 'its name', default: '' } };
    await house.install(await lamp(house, '1.1.0', { configuration }));
    house.peers.set('lamp', 'limit', 500);
    house.peers.set('lamp', 'name', 'Ann');
    const failing = house.install(await lamp(house, '2.0.0', { configuration, behaviour: 'crashes' }), { values: { limit: 50, name: 'Bob' } });
    await expect(failing).rejects.toMatchObject({
      code: 'NOT_HEALTHY',
      message: expect.stringContaining('1.1.0 is back, with its configuration, except what cannot be as it was and so stays as it is: limit: must be at most 100, not 500;') as string,
    });
    expect(house.peers.valuesOf('lamp')).toEqual({ limit: 50, name: 'Ann' });
  });
});

describe('a gate that goes on after a restart of packagemanager', () => {
  it('leaves a plugin alone that a person stopped meanwhile', async () => {
    await using house = await withLamp();
    await installUntilGate(house, await lamp(house, '2.0.0'));
    await house.peers.do('plugin.stop', { id: 'igor.lamp' });
    await expect(house.changeOver.resume('lamp', job().signal, () => {})).resolves.toBe(true);
    expect(house.peers.running('lamp')).toBeUndefined();
    expect(await versions(house)).toEqual({ current: '2.0.0', previous: '1.0.0' });
  });

  it('does not start the former version of what a person stopped before it was put back', async () => {
    let stopsWriting = true;
    await using house = await withLamp({
      beforeEffect: (effect) => {
        if (stopsWriting && effect === 'write link back') throw Object.assign(new Error('full'), { errno: -28, code: 'ENOSPC' });
        if (stopsWriting && effect === 'switch link back') throw Object.assign(new Error('full'), { errno: -28, code: 'ENOSPC' });
      },
    });
    await expect(house.install(await lamp(house, '2.0.0', { behaviour: 'crashes' }))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    stopsWriting = false;
    await house.peers.do('plugin.stop', { id: 'igor.lamp' });
    await expect(house.changeOver.resume('lamp', job().signal, () => {})).rejects.toMatchObject({ code: 'NOT_HEALTHY' });
    expect(house.peers.running('lamp')).toBeUndefined();
    expect(await versions(house)).toMatchObject({ current: '1.0.0' });
  });

  it('judges, though the version before is one that was there already', async () => {
    await using house = await withLamp();
    const { folder } = await house.install(await lamp(house, '2.0.0'));
    await rm(join(folder, 'plugin.json'));
    await house.install(await lamp(house, '1.0.0'));
    await installUntilGate(house, await lamp(house, '3.0.0', { behaviour: 'crashes' }));
    await expect(house.changeOver.resume('lamp', job().signal, () => {})).rejects.toMatchObject({ code: 'NOT_HEALTHY' });
    expect(await versions(house)).toMatchObject({ current: '1.0.0' });
  });

  it('ends its job as interrupted when the plugin was uninstalled meanwhile', async () => {
    let isAway = false;
    await using house = await withLamp({
      beforeAction: (action) => {
        if (isAway && (action.startsWith('config.') || action === 'schema.set')) throw new ActionFailure('SERVICE_UNKNOWN', 'no worker offers dbmanager');
      },
    });
    const source = await lamp(house, '2.0.0', { behaviour: 'crashes' });
    const installing = house.installer.install({ job: 'upgrade', source, signal: job().signal, progress: ({ step }) => { isAway ||= step === 'gate'; } });
    await expect(installing).rejects.toMatchObject({ code: 'NOT_HEALTHY' });
    const jobs = new Jobs({ log: silentLog });
    using turn = await house.store.turn('lamp', job().signal);
    await new UnendedChanges({ store: house.store, changeOver: house.changeOver, jobs, log: silentLog, signal: job().signal }).begin();
    await house.store.remove('lamp');
    turn[Symbol.dispose]();
    await expect(jobs.settled('upgrade', 60_000, job().signal)).rejects.toMatchObject({ code: 'INTERRUPTED', message: expect.stringMatching(/lamp/) as string });
  });
});

describe('without a restart', () => {
  it('the version that runs stays on the disk, and is the one to go back to', async () => {
    await using house = await withLamp();
    const running = await house.store.find('lamp');
    for (const version of ['2.0.0', '3.0.0']) {
      await house.installer.install({ job: version, source: await lamp(house, version), restart: false, signal: job().signal, progress: () => {} });
      expect(await versions(house)).toEqual({ current: version, previous: '1.0.0' });
    }
    await house.store.cleanUp();
    const folder = running.state === 'installed' ? running.installed.folder : '';
    expect(Object.keys(await treeOf(folder))).toContain('src/main.ts');
    await goBack(house);
    expect(await versions(house)).toEqual({ current: '1.0.0', previous: '3.0.0' });
  });
});

describe('a damaged package', () => {
  it.each<[what: string, damage: (folder: string) => Promise<unknown>]>([
    ['whose manifest is empty', (folder) => writeFile(join(folder, 'plugin.json'), '')],
    ['whose program is empty', (folder) => writeFile(join(folder, 'src/main.ts'), '')],
    ['whose program is gone', (folder) => rm(join(folder, 'src'), { recursive: true })],
    ['whose folder is a file', async (folder) => {
      await rm(folder, { recursive: true });
      await writeFile(folder, '');
    }],
  ])('%s is whole again when the same is installed again', async (_what, damage) => {
    await using house = await withLamp();
    const source = await lamp(house, '1.0.0');
    const before = await treeOf(house.packages);
    const { folder } = await house.install(source);
    await damage(folder);
    await expect(house.install(source)).resolves.toMatchObject({ version: '1.0.0', folder });
    expect(await treeOf(house.packages)).toEqual(before);
  });

  it('is not taken for one because of what the plugin wrote beside its program', async () => {
    await using house = await withLamp();
    const { folder } = await house.install(await lamp(house, '1.0.0'));
    await writeFile(join(folder, 'seen.txt'), 'by the plugin');
    await house.install(await lamp(house, '1.0.0'));
    expect(await readFile(join(folder, 'seen.txt'), 'utf8')).toBe('by the plugin');
  });

  it('keeps what is known of the release', async () => {
    await using house = await withLamp();
    house.peers.set('lamp', 'limit', 7);
    await house.install(await lamp(house, '2.0.0'));
    const previous = await house.store.previous('lamp');
    const folder = previous.state === 'installed' ? previous.installed.folder : '';
    expect(await readRecord(folder)).toMatchObject({ kind: 'folder', leftAt: 1 });
  });
});
