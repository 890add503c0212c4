import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readlink, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionFailure, installSteps } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { newHouse, type House } from '../test/house.ts';
import { asNobody } from '../test/nobody.ts';
import { treeOf, writePackage, type PackageContent } from '../test/packages.ts';
import type { Progress } from './installer.ts';

/** The releases of a package, without its links. */
async function releasesOf({ packages }: House, name = 'lamp'): Promise<string[]> {
  return (await readdir(join(packages, name))).filter((entry) => entry !== 'current' && entry !== 'previous' && !entry.endsWith('.json')).sort();
}

describe('an installation', () => {
  it('puts the package into a folder named by version and content, with a relative link to it', async () => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'));
    const installed = await house.install(source);
    const [release = ''] = await releasesOf(house);
    expect(release).toMatch(/^1\.0\.0-[0-9a-f]{12}$/);
    expect(await readlink(join(house.packages, 'lamp', 'current'))).toBe(release);
    expect(await treeOf(join(house.packages, 'lamp', release))).toEqual(await treeOf(source));
    expect(installed).toEqual({ name: 'lamp', version: '1.0.0', description: 'Switches a lamp', folder: join(house.packages, 'lamp', release), source });
    expect(await house.store.list()).toEqual([installed]);
    expect(await readdir(join(house.packages, '.staging'))).toEqual([]);
  });

  it('makes TypeScript that Node runs from where it stands', async () => {
    await using house = await newHouse();
    await house.install(await writePackage(join(house.folder, 'source'), { files: { 'src/main.ts': 'const said: string = "lit";\nconsole.log(said);\n' } }));
    expect(execFileSync(process.execPath, ['current/src/main.ts'], { cwd: join(house.packages, 'lamp'), encoding: 'utf8' })).toBe('lit\n');
  });

  it('takes its steps in the contract’s order, and never goes back', async () => {
    await using house = await newHouse();
    const seen: Progress[] = [];
    await house.install(await writePackage(join(house.folder, 'source')), { progress: (progress) => seen.push(progress) });
    expect([...new Set(seen.map(({ step }) => step))]).toEqual(installSteps.filter((step) => step !== 'gate'));
    const percents = seen.map(({ percent }) => percent);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toEqual({ step: 'switch', percent: 100, plugin: 'lamp', version: '1.0.0' });
  });

  it('has everything on disk and the schema stored before anything is switched', async () => {
    await using house = await newHouse();
    await house.install(await writePackage(join(house.folder, 'source')));
    expect(house.effects).toEqual(['make staging', 'copy', 'sync', 'make package folder', 'rename into place', 'write record', 'store schema', 'write link', 'switch link']);
    expect(house.peers.schemas).toEqual([{ plugin: 'lamp', version: '1.0.0', items: { limit: { type: 'integer', description: 'the limit', default: 90, min: 1, max: 100 } } }]);
  });

  it('leaves out node_modules and .git at the top, whatever they are, and drops no other folder', async () => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'), { files: { '.git/config': 'secret', 'src/.git/kept': 'kept' } });
    await symlink('/etc', join(source, 'node_modules'));
    const { folder } = await house.install(source);
    expect(Object.keys(await treeOf(folder))).toEqual(['plugin.json', 'src/.git/kept', 'src/main.ts']);
  });

  it('runs a file of the package that exec names, and leaves a bare word to the host', async () => {
    await using house = await newHouse();
    const exec = { manifest: { main: undefined, exec: ['bin/lamp', '--now'] }, files: { 'bin/lamp': '#!/bin/sh\necho on\n' }, executable: ['bin/lamp'] } as unknown as PackageContent;
    const { folder } = await house.install(await writePackage(join(house.folder, 'one'), exec));
    expect(execFileSync(join(folder, 'bin/lamp'), { encoding: 'utf8' })).toBe('on\n');
    const bare = { manifest: { main: undefined, exec: ['python3', 'main.py'], name: 'snake' } } as unknown as PackageContent;
    await expect(house.install(await writePackage(join(house.folder, 'two'), bare))).resolves.toMatchObject({ name: 'snake' });
  });

  it('follows a link that is the source itself', async () => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'));
    await symlink(source, join(house.folder, 'link'));
    await expect(house.install(join(house.folder, 'link'))).resolves.toMatchObject({ name: 'lamp' });
  });
});

describe('installing again', () => {
  it('the same content is done at once: nothing is copied into place a second time', async () => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'));
    const first = await house.install(source);
    const before = await treeOf(house.packages);
    house.effects.length = 0;
    await utimes(join(source, 'plugin.json'), 1, 1);
    expect(await house.install(source)).toEqual(first);
    expect(house.effects).toEqual(['make staging', 'copy', 'store schema']);
    expect(await treeOf(house.packages)).toEqual(before);
  });

  it.each<[what: string, change: (source: string) => Promise<unknown>]>([
    ['a file with other content', (source) => writeFile(join(source, 'src/main.ts'), 'export const greeting = "bye";\n')],
    ['a file more', (source) => writeFile(join(source, 'src/more.ts'), '')],
    ['an empty folder more', (source) => mkdir(join(source, 'src/more'))],
    ['a file that became executable', (source) => chmod(join(source, 'src/main.ts'), 0o755)],
  ])('%s is another release of the same version', async (_what, change) => {
    await using house = await newHouse();
    const source = await writePackage(join(house.folder, 'source'));
    const first = await house.install(source);
    await change(source);
    const second = await house.install(source);
    expect(second.version).toBe(first.version);
    expect(second.folder).not.toBe(first.folder);
    expect(await releasesOf(house)).toHaveLength(2);
  });

  it('a newer version switches to it and keeps the previous one, and no older', async () => {
    await using house = await newHouse();
    const versions: string[] = [];
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
      const { folder } = await house.install(await writePackage(join(house.folder, version), { manifest: { version } }));
      versions.push(folder.slice(folder.lastIndexOf('/') + 1));
    }
    expect(await releasesOf(house)).toEqual(versions.slice(1));
    expect(await readlink(join(house.packages, 'lamp', 'current'))).toBe(versions[2]);
    expect(await readlink(join(house.packages, 'lamp', 'previous'))).toBe(versions[1]);
    expect(await readdir(join(house.packages, '.trash'))).toEqual([]);
  });

  it('the previous version goes back to it without copying', async () => {
    await using house = await newHouse();
    const old = await writePackage(join(house.folder, 'old'));
    const { folder } = await house.install(old);
    await house.install(await writePackage(join(house.folder, 'new'), { manifest: { version: '2.0.0' } }));
    house.effects.length = 0;
    await expect(house.install(old)).resolves.toMatchObject({ version: '1.0.0', folder });
    expect(house.effects).not.toContain('rename into place');
    expect(await house.store.list()).toMatchObject([{ version: '1.0.0' }]);
    expect(await releasesOf(house)).toHaveLength(2);
  });

  it('one plugin from several sources at once: each waits until the one before has switched', async () => {
    const versions = ['1.0.0', '1.1.0', '1.2.0', '1.3.0'];
    const allWait = Promise.withResolvers<void>();
    let verified = 0;
    await using house = await newHouse({ beforeAction: (action) => (action === 'schema.set' ? allWait.promise : undefined) });
    const sources = await Promise.all(versions.map((version) => writePackage(join(house.folder, version), { manifest: { version } })));
    const installed = await Promise.all(sources.map((source) => house.install(source, {
      progress: ({ step, plugin }) => {
        if (step === 'verify' && plugin !== undefined) verified += 1;
        if (verified === versions.length) allWait.resolve();
      },
    })));
    expect(installed.map(({ version }) => version)).toEqual(versions);
    const order = house.effects.filter((effect) => effect === 'store schema' || effect === 'switch link');
    expect(order).toEqual(versions.flatMap(() => ['store schema', 'switch link']));
    expect(await house.store.list()).toHaveLength(1);
    expect(await releasesOf(house)).toHaveLength(2);
  });

  it('a plugin waits for no other plugin', async () => {
    const both = Promise.withResolvers<void>();
    let inside = 0;
    await using house = await newHouse({
      beforeAction: async (action) => {
        if (action !== 'schema.set') return;
        inside += 1;
        if (inside === 2) both.resolve();
        await both.promise;
      },
    });
    const names = ['lamp', 'heater'];
    await Promise.all(names.map(async (name) => house.install(await writePackage(join(house.folder, name), { manifest: { name } }))));
    expect((await house.store.list()).map(({ name }) => name)).toEqual(['heater', 'lamp']);
  });
});

describe('when the house cannot take it', () => {
  it('a dbmanager that does not answer ends the installation, and nothing has changed', async () => {
    let answers = true;
    await using house = await newHouse({
      beforeAction: () => {
        if (!answers) throw new ActionFailure('SERVICE_UNKNOWN', 'no worker offers dbmanager');
      },
    });
    const old = await house.install(await writePackage(join(house.folder, 'old')));
    const before = await treeOf(house.packages);
    answers = false;
    await expect(house.install(await writePackage(join(house.folder, 'new'), { manifest: { version: '2.0.0' } }))).rejects.toMatchObject({
      code: 'SCHEMA_NOT_STORED', message: expect.stringContaining('no worker offers dbmanager') as string,
    });
    expect(await treeOf(house.packages)).toEqual(before);
    expect(await house.store.list()).toEqual([old]);
  });

  it('dbmanager has the former schema again when the package could not be switched', async () => {
    let armed = false;
    await using house = await newHouse({
      beforeEffect: (effect) => {
        if (armed && effect === 'switch link') throw Object.assign(new Error('full'), { errno: -28, code: 'ENOSPC' });
      },
    });
    await house.install(await writePackage(join(house.folder, 'old')));
    armed = true;
    await expect(house.install(await writePackage(join(house.folder, 'new'), { manifest: { version: '2.0.0' } }))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(house.peers.schemas.map(({ version }) => version)).toEqual(['1.0.0', '2.0.0', '1.0.0']);
  });

  it('a folder that cannot be written ends it with STORAGE_ERROR, and nothing has changed', async () => {
    await using house = await newHouse();
    const old = await house.install(await writePackage(join(house.folder, 'old')));
    const source = await writePackage(join(house.folder, 'new'), { manifest: { version: '2.0.0' } });
    await asNobody(house.folder, async () => {
      await chmod(join(house.packages, 'lamp'), 0o555);
      await expect(house.install(source)).rejects.toMatchObject({ code: 'STORAGE_ERROR', message: expect.stringMatching(/permission denied \(EACCES\); free space or make the folder writable/) as string });
      await chmod(join(house.packages, 'lamp'), 0o755);
      expect(await house.store.list()).toEqual([old]);
    });
  });

  it.each(['make staging', 'copy', 'sync', 'store schema'] as const)('a stop before “%s” interrupts it, and nothing has changed', async (where) => {
    const stopping = new AbortController();
    let armed = false;
    await using house = await newHouse({
      beforeEffect: (effect) => {
        if (armed && effect === where) stopping.abort();
      },
    });
    const old = await house.install(await writePackage(join(house.folder, 'old')));
    armed = true;
    const source = await writePackage(join(house.folder, 'new'), { manifest: { version: '2.0.0' } });
    await expect(house.install(source, { signal: stopping.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(await house.store.list()).toEqual([old]);
    expect(await releasesOf(house)).toHaveLength(1);
    expect(await readdir(join(house.packages, '.staging'))).toEqual([]);
  });

  it('a stop while it waits for another installation of the same plugin interrupts it', async () => {
    await using house = await newHouse();
    using _turn = await house.store.turn('lamp', new AbortController().signal);
    const stopping = new AbortController();
    const source = await writePackage(join(house.folder, 'source'));
    const waiting = house.install(source, { signal: stopping.signal, progress: ({ plugin }) => plugin !== undefined && setImmediate(() => stopping.abort()) });
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
