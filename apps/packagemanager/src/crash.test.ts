// A process that is killed at any point of an installation, a rollback or an uninstallation leaves the old version or the new one. After
// the next start the package, its schema, its values and its process belong together, and nothing is left of the attempt
// (docs/packages.md, "Files on disk").
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ActionFailure } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { pack } from '../test/archives.ts';
import { newChangeOver } from '../test/change-over.ts';
import { newHouse, type House } from '../test/house.ts';
import type { DeadlyWork } from '../test/install-and-die.ts';
import { temporaryFolder, treeOf, writePackage } from '../test/packages.ts';
import type { Behaviour } from '../test/simulated-house.ts';
import { noSmallDisk, smallDisk, type SmallDisk } from '../test/small-disk.ts';
import { effects, type Effect } from './effects.ts';
import { PackageStore } from './package-store.ts';
import { PluginConfiguration } from './plugin-configuration.ts';
import { renewSchemas } from './schemas.ts';
import { rollBack } from './rollback.ts';
import { UnendedChanges } from './unended-changes.ts';
import { Jobs, type JobContext } from './jobs.ts';

/** What Node has compiled once: a process starts in half the time. */
const compiled = await temporaryFolder();
afterAll(() => compiled[Symbol.asyncDispose]());

const program = fileURLToPath(new URL('../test/install-and-die.ts', import.meta.url));
const withDependency = { 'package.json': JSON.stringify({ dependencies: { bulb: 'file:./bulb' } }), 'bulb/package.json': JSON.stringify({ name: 'bulb', version: '1.0.0' }) };
const [older, old, newest] = ['0.9.0', '1.0.0', '2.0.0'] as const;
const oldLimit = 7;
const newLimit = 50;

const made: readonly Effect[] = ['make staging', 'copy', 'install dependencies', 'sync', 'make package folder', 'rename into place', 'write record'];
const switched: readonly Effect[] = ['begin change', 'store schema', 'set values', 'write link', 'switch link'];
const tidied: readonly Effect[] = ['keep previous', 'end change', 'discard', 'remove discarded'];
const putBack: readonly Effect[] = ['keep log', 'turn back', 'write link back', 'switch link back', 'restore schema', 'revert values', 'restart former', 'end change', 'discard', 'remove discarded'];

/** Each effect of an upgrade, by what there was and what comes, and what is installed when the crash before it is over. */
const upgrades: [former: string, next: Behaviour, effect: Effect, expected: 'old' | 'new'][] = [
  ...([...made, 'set values', 'switch link'] as const).map((effect): [string, Behaviour, Effect, 'old'] => ['stands still', 'well', effect, 'old']),
  ...tidied.map((effect): [string, Behaviour, Effect, 'new'] => ['stands still', 'well', effect, 'new']),
  ...switched.map((effect): [string, Behaviour, Effect, 'old'] => ['runs', 'well', effect, 'old']),
  ...(['restart', 'note verdict', 'keep previous', 'end change'] as const).map((effect): [string, Behaviour, Effect, 'new'] => ['runs', 'well', effect, 'new']),
  ...(['restart', ...putBack] as const).map((effect): [string, Behaviour, Effect, 'old'] => ['runs', 'crashes', effect, 'old']),
];

/** Works in a process of its own, killed before the effect; whether it was. */
async function workAndDie(work: DeadlyWork): Promise<boolean> {
  const child = spawn(process.execPath, [program, JSON.stringify(work)], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_COMPILE_CACHE: compiled.path } });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal === 'SIGKILL';
}

/** What a start does: it tidies, brings what was begun to its end, and tells dbmanager the schemas. */
async function restart({ packages, peers }: House): Promise<PackageStore> {
  peers.read();
  const store = new PackageStore({ folder: packages, log: silentLog });
  await store.cleanUp();
  const changeOver = newChangeOver({ store, peers, log: silentLog });
  const jobs = new Jobs({ log: silentLog });
  const { signal } = new AbortController();
  const unended = new UnendedChanges({ store, changeOver, jobs, log: silentLog, signal });
  const left = await store.changing();
  await unended.begin();
  // It goes on as the job that it was.
  if (left.length > 0) await jobs.settled('job', 60_000, signal).catch((error: unknown) => expect(error).toBeInstanceOf(ActionFailure));
  const configuration = new PluginConfiguration({ client: peers.client, host: 'igor' });
  await renewSchemas({ store, registerSchema: (manifest, aborted) => configuration.setSchema(manifest, aborted), log: silentLog, signal });
  return store;
}

/** What belongs together. */
async function whole({ packages, peers }: House): Promise<object> {
  const [installed] = await new PackageStore({ folder: packages, log: silentLog }).list();
  return { version: installed?.version, schema: peers.schemaOf('lamp'), values: peers.valuesOf('lamp'), runs: peers.running('lamp')?.replace(/-.*/, '') };
}

function wholeAs(version: string, runs: boolean, limit = version === newest ? newLimit : oldLimit): object {
  return { version, schema: version, values: { limit }, runs: runs ? version : undefined };
}

async function installOld(house: House, runs = false): Promise<void> {
  for (const version of [older, old]) await house.install(await writePackage(join(house.folder, version), { manifest: { version } }));
  house.peers.set('lamp', 'limit', oldLimit);
  if (runs) house.peers.start('lamp');
}

/** The newest version; with a dependency where that matters, as it takes npm half a second. */
function writeNewest(house: House, effect: Effect, behaviour: Behaviour = 'well'): Promise<string> {
  return writePackage(join(house.folder, 'newest'), { manifest: { version: newest }, files: { ...(effect === 'install dependencies' && withDependency), behaviour } });
}

/** What is in the folder of the packages, but the empty one that removed things pass through. */
async function folders(packages: string): Promise<string[]> {
  return (await readdir(packages)).filter((name) => name !== '.trash');
}

async function expectNothingLeft({ packages }: House): Promise<void> {
  expect(await folders(packages)).toEqual(['lamp']);
  const left = await readdir(join(packages, 'lamp'));
  expect(left.filter((name) => !/^(current|previous|failed\.log|\d\.\d\.\d-[0-9a-f]{12}(\.json)?)$/.test(name))).toEqual([]);
  expect(left).toContain(await readlink(join(packages, 'lamp', 'previous')));
  expect(left.filter((name) => name !== 'failed.log')).toHaveLength(6);
}

describe.concurrent('a crash during an upgrade', () => {
  it.each(upgrades)('of what %s, to what is or does “%s”, before “%s” leaves the %s version, whole, and nothing of the attempt', async (former, behaviour, effect, expected) => {
    await using house = await newHouse();
    const runs = former === 'runs';
    await installOld(house, runs);
    const source = await writeNewest(house, effect, behaviour);
    expect(await workAndDie({ folder: house.packages, work: 'install', source, values: { limit: newLimit }, effect })).toBe(true);

    // What a plugin that starts right now would find, before anything is tidied: one of the two, whole.
    const rightNow = await house.store.list();
    expect([old, newest]).toContain(rightNow[0]?.version);
    expect(Object.keys(await treeOf(rightNow[0]?.folder ?? ''))).toContain('src/main.ts');

    await restart(house);
    expect(await whole(house)).toEqual(wholeAs(expected === 'old' ? old : newest, runs));
    await expectNothingLeft(house);

    // And the same installation then goes through to its end.
    const again = house.install(source, { values: { limit: newLimit } });
    if (behaviour === 'crashes') await expect(again).rejects.toMatchObject({ code: 'NOT_HEALTHY' });
    else await expect(again).resolves.toMatchObject({ version: newest });
    house.peers.read();
    expect(await whole(house)).toEqual(wholeAs(behaviour === 'crashes' ? old : newest, runs));
  });
});

describe.concurrent('a crash during a rollback', () => {
  it.each([['store schema', 'old'], ['switch link', 'old'], ['restart', 'new'], ['end change', 'new']] as const)('before “%s” leaves the %s version, whole', async (effect, expected) => {
    await using house = await newHouse();
    await installOld(house, true);
    expect(await workAndDie({ folder: house.packages, work: 'roll back', effect })).toBe(true);
    await restart(house);
    expect(await whole(house)).toEqual(wholeAs(expected === 'old' ? old : older, true));
    await expectNothingLeft(house);
    const job: JobContext = { id: 'again', signal: new AbortController().signal, progress: () => {} };
    await rollBack('lamp', { store: house.store, changeOver: house.changeOver, by: undefined, job });
    expect(await whole(house)).toEqual(wholeAs(expected === 'old' ? older : old, true));
  });
});

describe.concurrent('a crash during a first installation', () => {
  it.each<Effect>(['make package folder', 'rename into place', 'store schema', 'set values', 'switch link'])('before “%s” leaves nothing installed, and the next start leaves nothing at all', async (effect) => {
    await using house = await newHouse();
    const source = await writeNewest(house, effect);
    expect(await workAndDie({ folder: house.packages, work: 'install', source, values: { limit: newLimit }, effect })).toBe(true);
    expect(await house.store.list()).toEqual([]);
    await restart(house);
    expect(await readdir(house.packages)).toEqual([]);
    await expect(house.install(source)).resolves.toMatchObject({ version: newest });
  });
});

describe.concurrent('a crash while an archive is installed', () => {
  it.each<Effect>(['fetch', 'unpack'])('before “%s” leaves the old version, and the next start leaves no trace', async (effect) => {
    await using house = await newHouse();
    await installOld(house);
    const folder = await writeNewest(house, effect);
    await pack(folder);
    const source = `${folder}.tgz`;
    expect(await workAndDie({ folder: house.packages, work: 'install', source, values: {}, effect })).toBe(true);
    await restart(house);
    expect(await whole(house)).toEqual(wholeAs(old, false));
    await expectNothingLeft(house);
    await expect(house.install(source)).resolves.toMatchObject({ version: newest });
  });
});

describe.concurrent('a crash during an uninstallation', () => {
  it.each<[DeadlyWork['work'], Effect, expected: string | undefined]>([
    ['uninstall', 'discard', old], ['uninstall', 'remove discarded', undefined],
    ['purge', 'discard', old], ['purge', 'remove discarded', undefined], ['purge', 'forget values', undefined],
  ])('(%s) before “%s” leaves the package whole (%s), or nothing of it, and the same again goes on from there', async (work, effect, expected) => {
    await using house = await newHouse();
    await installOld(house, true);
    expect(await workAndDie({ folder: house.packages, work, effect })).toBe(true);
    await restart(house);
    expect(await whole(house)).toMatchObject({ version: expected, values: { limit: oldLimit } });
    expect(await folders(house.packages)).toEqual(expected === undefined ? [] : ['lamp']);
    expect(await workAndDie({ folder: house.packages, work, effect: 'fetch' })).toBe(false);
    house.peers.read();
    expect(await whole(house)).toMatchObject({ version: undefined, values: work === 'purge' ? {} : { limit: oldLimit } });
    expect(await folders(house.packages)).toEqual([]);
  });

  it('does not touch a package whose copy is elsewhere', async () => {
    await using house = await newHouse();
    await house.install(await writePackage(join(house.folder, 'source'), { manifest: { version: old } }));
    const copy = join(house.folder, 'copy');
    await cp(join(house.packages, 'lamp'), copy, { recursive: true, verbatimSymlinks: true });
    await house.store.remove('lamp');
    expect(await house.store.list()).toEqual([]);
    expect(await readdir(copy)).toHaveLength(3);
  });
});

it('every effect has its crash', () => {
  const tried = new Set<Effect>([...upgrades.map(([, , effect]) => effect), 'fetch', 'unpack', 'forget values']);
  expect(effects.filter((effect) => !tried.has(effect))).toEqual([]);
});

describe('an effect that fails on a full disk', () => {
  const failing = upgrades.filter(([former, behaviour]) => former === 'stands still' || behaviour === 'crashes').filter(([, , effect]) => effect !== 'restart' && effect !== 'restart former');
  it.each(failing)('(what %s, to what is or does “%s”) at “%s” leaves the %s version, and says which', async (former, behaviour, effect, expected) => {
    let armed = false;
    await using house = await newHouse({
      beforeEffect: (next) => {
        if (armed && next === effect) throw Object.assign(new Error('full'), { errno: -28, code: 'ENOSPC', path: '/disk' });
      },
    });
    await installOld(house, former === 'runs');
    const source = await writeNewest(house, effect, behaviour);
    armed = true;
    const ended = await house.install(source, { values: { limit: newLimit } }).then(({ version }) => version, (error: unknown) => (error as ActionFailure).code);
    if (behaviour === 'well') expect(ended).toBe(expected === 'new' ? newest : 'STORAGE_FULL');
    else expect(['NOT_HEALTHY', 'STORAGE_FULL']).toContain(ended);
    expect(await readdir(join(house.packages, '.staging'))).toEqual([]);
    // With room again, what could not be ended is.
    armed = false;
    await house.changeOver.settle('lamp', new AbortController().signal);
    expect(await whole(house)).toEqual(wholeAs(expected === 'old' ? old : newest, former === 'runs'));
  });
});

describe.skipIf(noSmallDisk !== undefined)(`a disk that is really full${noSmallDisk === undefined ? '' : ` (skipped: ${noSmallDisk})`}`, () => {
  it.each(upgrades)('(what %s, to what is or does “%s”) from “%s” on leaves one version, whole; with room again the %s one, or the same installation', async (former, behaviour, effect) => {
    let disk: SmallDisk | undefined;
    let armed = false;
    await using house = await newHouse({
      beforeEffect: async (next) => {
        if (!armed || next !== effect) return;
        armed = false;
        await disk?.fill();
      },
    });
    using small = smallDisk(house.packages);
    disk = small;
    const runs = former === 'runs';
    await installOld(house, runs);
    const source = await writeNewest(house, effect, behaviour);
    armed = true;
    const ended = await house.install(source, { values: { limit: newLimit } }).then(({ version }) => version, (error: unknown) => (error as ActionFailure).code);
    expect(armed).toBe(false);
    expect(behaviour === 'crashes' ? ['NOT_HEALTHY'] : [newest, 'STORAGE_FULL']).toContain(ended);
    const [installed] = await house.store.list();
    expect([old, newest]).toContain(installed?.version);
    expect(Object.keys(await treeOf(installed?.folder ?? ''))).toContain('src/main.ts');

    await small.clear();
    await house.changeOver.settle('lamp', new AbortController().signal);
    const now = ended === newest ? newest : old;
    expect(await whole(house)).toEqual(wholeAs(now, runs));
    const again = house.install(source, { values: { limit: newLimit } });
    if (behaviour === 'crashes') await expect(again).rejects.toMatchObject({ code: 'NOT_HEALTHY' });
    else await expect(again).resolves.toMatchObject({ version: newest });
    expect(await whole(house)).toEqual(wholeAs(behaviour === 'crashes' ? old : newest, runs));
  });
});
