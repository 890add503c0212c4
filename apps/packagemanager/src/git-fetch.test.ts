// Packages from git, by a real git from repositories on this disk.
import { access, chmod, readdir, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newHouse, type House } from '../test/house.ts';
import { treeOf, writePackage } from '../test/packages.ts';
import { newRepository, type Repository } from '../test/repository.ts';
import { GitFetcher } from './git-fetch.ts';
import type { Progress } from './installer.ts';
import type { GitSource } from './source.ts';

const repositoryIn = (house: House): Promise<Repository> => newRepository(join(house.folder, 'repository'));
const headOf = (url: string): GitSource => ({ kind: 'git', repository: url.replace(/^git\+/, ''), wanted: { kind: 'head' }, folder: undefined });
const refusal = async (house: House, source: string): Promise<unknown> => house.install(source).then(() => expect.unreachable('it was installed'), (error: unknown) => error);

/** A git whose repositories send the first 4 MiB of a pack, and then a byte now and then, until nobody listens. */
async function endlessGit(house: House): Promise<string> {
  const [hook, config, program] = [join(house.folder, 'hook'), join(house.folder, 'gitconfig'), join(house.folder, 'endless-git')];
  await writeFile(hook, `#!/bin/sh\n"$@" | head -c ${4 * MiB}\nwhile printf x; do sleep 0.05; done\n`);
  await writeFile(config, `[uploadpack]\n\tpackObjectsHook = ${hook}\n`);
  await writeFile(program, `#!/bin/sh\nGIT_CONFIG_GLOBAL=${config} exec git "$@"\n`);
  for (const script of [hook, program]) await chmod(script, 0o755);
  return program;
}

const MiB = 1024 * 1024;
/** What the house holds of git's: the clones. */
const clonesIn = (house: House): Promise<string[]> => readdir(join(house.folder, 'cache', 'git'));

describe('the clone in the cache', () => {
  it('is used again after a power cut left its locks', async () => {
    await using house = await newHouse();
    const { url, commit } = await repositoryIn(house);
    await commit({}, 'v1.0.0');
    await house.install(url);
    await commit({ manifest: { version: '2.0.0' } });
    const clone = join(house.folder, 'cache', 'git', (await clonesIn(house))[0] ?? '');
    const [ref = ''] = await readdir(join(clone, 'refs', 'majordomus'));
    for (const lock of ['HEAD.lock', 'config.lock', 'shallow.lock', 'packed-refs.lock', `refs/majordomus/${ref}.lock`]) await writeFile(join(clone, lock), '');
    await expect(house.install(url)).resolves.toMatchObject({ version: '2.0.0' });
  });

  it.each<[what: string, damage: (clone: string) => Promise<void>]>([
    ['a pack that is cut short', async (clone) => {
      const packs = join(clone, 'objects', 'pack');
      for (const name of (await readdir(packs)).filter((one) => one.endsWith('.pack'))) {
        await chmod(join(packs, name), 0o644);
        await truncate(join(packs, name), 40);
      }
    }],
    ['a ref of zeros', async (clone) => {
      const refs = join(clone, 'refs', 'majordomus');
      for (const name of await readdir(refs)) await writeFile(join(refs, name), '\0'.repeat(41));
    }],
    ['an empty HEAD', (clone) => writeFile(join(clone, 'HEAD'), '')],
    ['a config of garbage', (clone) => writeFile(join(clone, 'config'), '\0\0[[')],
  ])('is made anew when it is damaged: %s', async (_what, damage) => {
    await using house = await newHouse();
    const { url, commit } = await repositoryIn(house);
    const first = await commit({}, 'v1.0.0');
    await house.install(`${url}#${first}`);
    await damage(join(house.folder, 'cache', 'git', (await clonesIn(house))[0] ?? ''));
    await house.store.remove('lamp');
    await expect(house.install(`${url}#${first}`)).resolves.toMatchObject({ version: '1.0.0', commit: first });
    await commit({ manifest: { version: '2.0.0' } });
    await expect(house.install(url)).resolves.toMatchObject({ version: '2.0.0' });
  });
});

describe('a package from git', () => {
  it('is the head, a branch, a tag or a commit, and says which commit it was', async () => {
    await using house = await newHouse();
    const { url, commit, git } = await repositoryIn(house);
    const first = await commit({}, 'v1.0.0');
    const second = await commit({ manifest: { version: '1.1.0' } });
    git('branch', 'next');
    const third = await commit({ manifest: { version: '2.0.0' } });
    for (const [ref, version, expected] of [['', '2.0.0', third], ['#v1.0.0', '1.0.0', first], ['#next', '1.1.0', second], [`#${second}`, '1.1.0', second], ['#main', '2.0.0', third]] as const) {
      await expect(house.install(`${url}${ref}`)).resolves.toMatchObject({ name: 'lamp', version, commit: expected, source: `${url}${ref}` });
    }
    expect(Object.keys(await treeOf(join(house.packages, 'lamp/current/')))).toEqual(['plugin.json', 'src/main.ts']);
  });

  it('is the newest tag of a range, and a newer one when there is one', async () => {
    await using house = await newHouse();
    const { url, commit } = await repositoryIn(house);
    await commit({ manifest: { version: '1.0.0' } }, 'v1.0.0');
    await commit({ manifest: { version: '2.0.0' } }, 'v2.0.0');
    await expect(house.install(`${url}#semver:^1`)).resolves.toMatchObject({ version: '1.0.0' });
    await commit({ manifest: { version: '1.4.0' } }, 'v1.4.0');
    await expect(house.install(`${url}#semver:^1`)).resolves.toMatchObject({ version: '1.4.0' });
    expect(await refusal(house, `${url}#semver:^7`)).toMatchObject({ code: 'SOURCE_NOT_FOUND', message: expect.stringMatching(/has no tag that is a version in \^7; it has .*v2\.0\.0/) as string });
  });

  it('may be a folder of the repository', async () => {
    await using house = await newHouse();
    const repository = await repositoryIn(house);
    await writePackage(join(repository.folder, 'plugins/heater'), { manifest: { name: 'heater' } });
    await repository.commit();
    await expect(house.install(`${repository.url}#path:plugins/heater`)).resolves.toMatchObject({ name: 'heater' });
    expect(await refusal(house, `${repository.url}#path:plugins/cooler`)).toMatchObject({ code: 'SOURCE_NOT_FOUND', message: expect.stringMatching(/git cannot pack the folder plugins\/cooler/) as string });
  });

  it('is installed again when the repository is out of reach, and says so', async () => {
    await using house = await newHouse();
    const { url, commit, folder } = await repositoryIn(house);
    const head = await commit({}, 'v1.0.0');
    for (const ref of ['#v1.0.0', '#semver:^1', `#${head}`]) await house.install(`${url}${ref}`);
    await house.store.remove('lamp');
    await rename(folder, `${folder}-away`);
    const cached: (boolean | undefined)[] = [];
    for (const ref of ['#v1.0.0', '#semver:^1', `#${head}`]) {
      let told: Partial<Progress> = {};
      await house.install(`${url}${ref}`, { progress: (progress) => (told = { ...told, ...progress }) });
      cached.push(told.cached);
    }
    // A commit never changes, so that nobody need be asked for it.
    expect(cached).toEqual([true, true, undefined]);
    expect(await refusal(house, `${url}#main`)).toMatchObject({ code: 'FETCH_FAILED', message: expect.stringMatching(/does not appear to be a git repository.*check the address/) as string });
  });

  it('runs no script of it, and fetches no submodule', async () => {
    await using house = await newHouse();
    const other = await newRepository(join(house.folder, 'other'));
    await other.commit();
    const repository = await repositoryIn(house);
    const trace = join(house.folder, 'ran');
    const script = `touch ${trace}`;
    await writePackage(repository.folder, { files: { 'package.json': JSON.stringify({ name: 'lamp', version: '1.0.0', scripts: { prepare: script, prepack: script, install: script, postinstall: script } }) } });
    repository.git('submodule', '--quiet', 'add', other.folder, 'inner');
    await repository.commit();
    const { folder } = await house.install(repository.url);
    await expect(access(trace)).rejects.toThrow('ENOENT');
    expect(await readdir(join(folder, 'inner'))).toEqual([]);
  });

  it('with a link in it is refused, and the link named', async () => {
    await using house = await newHouse();
    const { url, commit, folder } = await repositoryIn(house);
    await commit();
    await symlink('/etc/passwd', join(folder, 'passwd'));
    await commit();
    expect(await refusal(house, url)).toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringMatching(/"package\/passwd" of the archive is a symbolic link/) as string });
  });

  it('whose ref is not there, that is no plugin, or that an integrity is given for, is refused', async () => {
    await using house = await newHouse();
    const { url, commit, git } = await repositoryIn(house);
    await commit();
    for (const ref of ['v7', 'f'.repeat(40)]) {
      expect(await refusal(house, `${url}#${ref}`)).toMatchObject({ code: 'SOURCE_NOT_FOUND', message: expect.stringMatching(new RegExp(`has no branch, tag or whole commit "${ref}"`)) as string });
    }
    await expect(house.install(url, { integrity: 'sha512-' })).rejects.toMatchObject({ code: 'INTEGRITY_INVALID', message: expect.stringMatching(/give the whole commit/) as string });
    git('rm', '--quiet', 'plugin.json');
    git('commit', '--quiet', '--message', 'no plugin');
    expect(await refusal(house, url)).toMatchObject({ code: 'MANIFEST_INVALID', message: expect.stringMatching(/is no plugin of Majordomus/) as string });
  });

  it('that wants a password is refused at once, and nobody is asked', async () => {
    const server = createServer((_request, response) => void response.writeHead(401, { 'www-authenticate': 'Basic realm="private"' }).end()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    await using house = await newHouse();
    const { port } = server.address() as AddressInfo;
    expect(await refusal(house, `git+http://127.0.0.1:${port}/lamp.git`)).toMatchObject({ code: 'FETCH_FAILED', message: expect.stringMatching(/is not open to this host, and nobody can be asked for a password/) as string });
    expect(await refusal(house, `git+http://ann:secret@127.0.0.1:${port}/lamp.git`)).toMatchObject({ message: expect.not.stringContaining('secret') as string });
  });

  it('needs git, and says so', async () => {
    await using house = await newHouse();
    const git = new GitFetcher({ cache: join(house.folder, 'git'), program: 'git-that-is-not-installed' });
    const source = { kind: 'git', repository: 'file:///nowhere', wanted: { kind: 'head' }, folder: undefined } as const;
    await expect(git.fetch(source, join(house.folder, 'archive'), 1024, new AbortController().signal)).rejects.toMatchObject({ code: 'FETCH_FAILED', message: expect.stringMatching(/git-that-is-not-installed is not on this host.*install git/) as string });
  });

  it.each<[what: string, content: () => Uint8Array]>([
    ['large to fetch', () => randomBytes(3 * MiB)],
    ['small to fetch and large when it is packed', () => Buffer.alloc(3 * MiB)],
  ])('that is %s is refused, and nothing of it kept', async (_what, content) => {
    await using house = await newHouse({ limits: { entries: 10, bytes: MiB } });
    const { url, commit, folder } = await repositoryIn(house);
    await writeFile(join(folder, 'large'), content());
    await commit();
    expect(await refusal(house, url)).toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringMatching(/repository is refused: it is larger than 1 MiB; leave out/) as string });
    expect(await clonesIn(house)).toEqual([]);
  });

  it('is packed no further than it may be', async () => {
    await using house = await newHouse();
    const { url, commit, folder } = await repositoryIn(house);
    await writeFile(join(folder, 'zeros'), Buffer.alloc(8 * MiB));
    await commit();
    const file = join(house.folder, 'archive');
    await expect(new GitFetcher({ cache: join(house.folder, 'git') }).fetch(headOf(url), file, MiB, new AbortController().signal)).rejects.toMatchObject({ code: 'PACKAGE_REFUSED' });
    expect((await stat(file)).size).toBeLessThanOrEqual(MiB);
  });

  it('that never ends is ended when it has brought too much, and nothing of it kept', async () => {
    await using house = await newHouse();
    const { url, commit, folder } = await repositoryIn(house);
    await writeFile(join(folder, 'large'), randomBytes(8 * MiB));
    await commit();
    const program = await endlessGit(house);
    const cache = join(house.folder, 'git');
    await expect(new GitFetcher({ cache, program }).fetch(headOf(url), join(house.folder, 'archive'), MiB, new AbortController().signal)).rejects.toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringContaining('larger than 1 MiB') as string });
    expect(await readdir(cache)).toEqual([]);
  });

  it('whose versions are together larger than one may be is installed all the same', async () => {
    await using house = await newHouse({ limits: { entries: 10, bytes: MiB } });
    const { url, commit, folder } = await repositoryIn(house);
    for (const version of ['1.0.0', '2.0.0', '3.0.0']) {
      await writeFile(join(folder, 'large'), randomBytes(0.7 * MiB));
      await commit({ manifest: { version } });
      await expect(house.install(url)).resolves.toMatchObject({ version });
    }
  });

  it('leaves no clone behind when nothing could be fetched, and what was cut off is gone at the next time', async () => {
    await using house = await newHouse();
    const { url, commit } = await repositoryIn(house);
    await commit();
    await refusal(house, `${url}-that-is-not-there`);
    await refusal(house, `${url}#v7`);
    expect(await clonesIn(house)).toEqual([]);
    await house.install(url);
    const [clone = ''] = await clonesIn(house);
    const packs = join(house.folder, 'cache', 'git', clone, 'objects', 'pack');
    await writeFile(join(packs, 'tmp_pack_x1y2z3'), 'half');
    await refusal(house, `${url}#v7`);
    const kept = await readdir(packs);
    expect(kept).not.toContain('tmp_pack_x1y2z3');
    expect(kept).toContainEqual(expect.stringMatching(/\.pack$/));
  });

  it('is given up at once when packagemanager stops', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => server.closeAllConnections());
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const stopping = new AbortController();
    server.once('request', () => stopping.abort());
    await using house = await newHouse();
    await expect(house.install(`git+http://127.0.0.1:${(server.address() as AddressInfo).port}/lamp.git`, { signal: stopping.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
