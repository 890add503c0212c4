// A house as one file, and back: made while it runs and while it is stopped, restored, and started again. And a database that is
// damaged under a house (docs/operating.md, "Back up and restore", "When the database is damaged").
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configGet, configSet, noticeList, schemaSet } from '@majordomus/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import type { House } from './house.ts';

const vault = { host: 'igor', plugin: 'vault' } as const;
const items = { password: { type: 'string', description: 'what it is let in by', example: 'abc', secret: true } } as const;

let home: Home;
let other: Home;

beforeEach(() => {
  home = new Home();
  other = new Home();
});
afterEach(async () => {
  await home[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

async function furnished(): Promise<House> {
  const house = await home.up({ plugins: true, args: ['--host', 'igor'] });
  await house.client.call(schemaSet, { plugin: 'vault', version: '1.0.0', items });
  await house.client.call(configSet, { ...vault, key: 'password', value: 'hunter2' });
  await house.client.call(configSet, { host: 'igor', plugin: 'diskfree', key: 'limit', value: 70 });
  return house;
}

describe('a backup', () => {
  it('of a running house, with its keys, is a house again: values, secrets, plugins, and the name of the host', async () => {
    const house = await furnished();
    const file = join(home.root, 'house.tgz');
    expect(await home.tell('backup', '--with-keys', file)).toMatch(/^\S+\/house\.tgz: \d+ KiB; the database; diskfree; the keys\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(home.root).sort()).toEqual(['home', 'house.tgz']);
    expect(readdirSync(join(home.folder, 'backups'))).toEqual([]);
    await house.client.call(configSet, { host: 'igor', plugin: 'diskfree', key: 'limit', value: 60 });
    expect(await home.run('restore', file)).toMatchObject({ code: 1, stderr: expect.stringMatching(/HOME_IN_USE: a house runs on/) });

    const restored = await other.run('restore', file);
    expect(restored).toMatchObject({ code: 0, stdout: expect.stringMatching(/is restored: the database; diskfree; the keys, of igor, \d{4}-/), stderr: expect.stringMatching(/start it with: \.\/domus up --home \S+ --host igor\n$/) });
    const again = await other.up({ plugins: true, args: ['--host', 'igor'] });
    expect(await again.client.call(configGet, { ...vault, key: 'password', reveal: true })).toMatchObject({ value: 'hunter2' });
    expect(await again.client.call(configGet, { host: 'igor', plugin: 'diskfree', key: 'limit' })).toMatchObject({ value: 70 });
    expect(await again.plugin('diskfree')).toMatchObject({ state: 'running' });
  });

  it('of a stopped house, without keys, says what cannot be read; in a home that has something nothing is lost', async () => {
    await (await furnished()).stop();
    const file = join(home.root, 'house.tgz');
    expect(await home.run('backup', file)).toMatchObject({ code: 0, stderr: expect.stringMatching(/--with-keys takes them along\n$/) });
    expect(await home.run('backup', file)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^FILE_EXISTS: \S+ is there already/m) });
    expect(await home.run('backup', '--force', file)).toMatchObject({ code: 0 });
    expect(await home.run('restore', file)).toMatchObject({ code: 1, stderr: expect.stringMatching(/HOME_NOT_EMPTY: \S+ has db, packages; .* --force/) });

    const there = await home.run('restore', '--force', file);
    const kept = /what was there is in (\S+)/.exec(there.stderr)?.[1] ?? '';
    expect(existsSync(join(kept, 'db', 'majordomus.sqlite'))).toBe(true);
    // The keys of the home are still there.
    expect(there.stderr).not.toContain('cannot be read');
    const elsewhere = await other.run('restore', file);
    expect(elsewhere).toMatchObject({ code: 0, stderr: expect.stringMatching(/cannot be read without the key it was encrypted with: password of vault on igor\n/) });
    const house = await home.up({ args: ['--host', 'igor'] });
    expect(await house.client.call(configGet, { ...vault, key: 'password', reveal: true })).toMatchObject({ value: 'hunter2' });
  });

  it('that is damaged, cut or of a newer Majordomus is refused before anything is touched', async () => {
    writeFileSync(join(home.newFolder('home'), 'majordomus.toml'), 'host = "igor"\n');
    const file = join(home.root, 'house.tgz');
    await home.tell('backup', file);
    const bytes = readFileSync(file);
    for (const damaged of [bytes.subarray(0, bytes.length - 20), Buffer.from('no archive'), Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(40), bytes.subarray(140)])]) {
      const broken = join(home.root, 'broken.tgz');
      writeFileSync(broken, damaged);
      expect(await other.run('restore', broken)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^BACKUP_INVALID: \S+ is no whole backup/m) });
    }
    expect(await other.run('restore', join(home.root, 'absent.tgz'))).toMatchObject({ code: 1, stderr: expect.stringMatching(/^FILE_NOT_FOUND: there is no file/m) });
    expect(existsSync(other.folder)).toBe(false);
    expect(await other.run('backup', join(home.root, 'none', 'x.tgz'))).toMatchObject({ code: 1, stderr: expect.stringMatching(/^FOLDER_NOT_FOUND/m) });
    expect(await other.run('backup', join(home.root, 'x.tgz'))).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOTHING_TO_BACK_UP/m) });
  });
});

describe('a database that is damaged', () => {
  it('while the house was stopped: it starts, has what it had, and says so until somebody has seen it', async () => {
    await (await furnished()).stop();
    const database = join(home.folder, 'db', 'majordomus.sqlite');
    const bytes = readFileSync(database);
    bytes.fill(0, 0, 100);
    writeFileSync(database, bytes);
    const house = await home.up({ args: ['--host', 'igor'] });
    expect(await house.client.call(configGet, { host: 'igor', plugin: 'diskfree', key: 'limit' })).toMatchObject({ value: 70 });
    expect(await house.client.call(configGet, { ...vault, key: 'password', reveal: true })).toMatchObject({ value: 'hunter2' });
    expect(await home.tell('status')).toMatch(/^notice 1, .*: the database \S+ was damaged .*all that is in it could be read; the damaged files are kept as \S+corrupt-/m);
    expect((await house.client.call(noticeList, {})).notices).toHaveLength(1);
    expect(await home.tell('acknowledge')).toMatch(/^acknowledged: 1 .*the database/);
    expect(await home.tell('status')).not.toContain('notice');
    const kept = readdirSync(join(home.folder, 'db')).find((name) => name.includes('.corrupt-')) ?? '';
    expect(readFileSync(join(home.folder, 'db', kept)).equals(bytes)).toBe(true);
  });
});
