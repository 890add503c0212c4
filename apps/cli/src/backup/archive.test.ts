import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeLinks, readBackup, writeArchive } from './archive.ts';
import { contentsOf, entriesOf } from './contents.ts';
import { backupManifest, manifestName, type BackupManifest } from './manifest.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'));
  file = join(folder, 'house.tgz');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A home with a plugin that has a program and links, packed; gives what the backup says of itself. */
async function pack(): Promise<BackupManifest> {
  const home = join(folder, 'home');
  for (const name of ['packages/velbus/1.0.0-x/bin', 'packages/.staging/half', 'packages/node_modules/kit', 'run', 'keys', 'db', 'logs']) mkdirSync(join(home, name), { recursive: true });
  writeFileSync(join(home, 'majordomus.toml'), 'host = "igor"\n');
  writeFileSync(join(home, 'run/last-start.json'), '{"host":"igor"}\n');
  writeFileSync(join(home, 'run/pid'), '1');
  writeFileSync(join(home, 'keys/secrets.key'), 'k'.repeat(32), { mode: 0o600 });
  writeFileSync(join(home, 'packages/.staging/half/x'), 'half');
  writeFileSync(join(home, 'packages/velbus/1.0.0-x/bin/run'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(home, `packages/velbus/1.0.0-x/${'long'.repeat(40)}.txt`), 'x'.repeat(100_000));
  writeFileSync(join(home, 'packages/velbus/1.0.0-x/empty'), '');
  symlinkSync('1.0.0-x', join(home, 'packages/velbus/current'));
  writeFileSync(join(folder, 'copy.sqlite'), 'a database');
  const sources = contentsOf({ home, database: join(folder, 'copy.sqlite'), withKeys: true });
  const manifest: BackupManifest = { format: 1, majordomus: '0.1.0', createdMs: 5, host: 'igor', entries: await entriesOf(sources) };
  writeFileSync(join(folder, manifestName), JSON.stringify(manifest));
  await writeArchive(file, [...sources, { path: manifestName, file: join(folder, manifestName) }]);
  return manifest;
}

describe('the archive of a backup', () => {
  it('holds what makes a house, for its owner alone, and gives it back as it was', async () => {
    const manifest = await pack();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(manifest.entries.map(({ path }) => path)).toEqual([
      'majordomus.toml', 'run/last-start.json', 'db/majordomus.sqlite', 'packages/velbus/1.0.0-x/bin/run', 'packages/velbus/1.0.0-x/empty',
      `packages/velbus/1.0.0-x/${'long'.repeat(40)}.txt`, 'packages/velbus/current', 'keys/secrets.key',
    ]);
    const target = join(folder, 'out');
    mkdirSync(target);
    expect(await readBackup(file, target)).toEqual(manifest);
    makeLinks(target, manifest);
    expect(readFileSync(join(target, 'packages/velbus/current/bin/run'), 'utf8')).toBe('#!/bin/sh\n');
    expect(readFileSync(join(target, 'db/majordomus.sqlite'), 'utf8')).toBe('a database');
  });

  it('is refused if a byte of what it holds is another one, or its end is missing', async () => {
    await pack();
    const plain = gunzipSync(readFileSync(file));
    const manifest = plain.lastIndexOf('"format"');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: plain.length - 1 }), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, change, isCut) => {
        const bytes = isCut ? plain.subarray(0, at) : Buffer.from(plain);
        if (!isCut) bytes[at] = (bytes[at] ?? 0) ^ change;
        writeFileSync(file, gzipSync(bytes, { level: 1 }));
        const read = await readBackup(file).then((given) => given, (error: unknown) => error);
        // A byte that tar does not use, such as the time of a file or padding, changes nothing of what is restored.
        if (read instanceof Error) expect(read).toMatchObject({ code: 'BACKUP_INVALID', message: expect.stringContaining('is no whole backup') });
        else expect((read as BackupManifest).entries.length).toBe(8);
      }),
      { numRuns: 40 },
    );
    expect(manifest).toBeGreaterThan(0);
    writeFileSync(file, gzipSync(plain.subarray(0, manifest - 600)));
    await expect(readBackup(file)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
    writeFileSync(file, 'no archive at all');
    await expect(readBackup(file)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  });

  it.each([
    '../x', 'packages/../../x', '/etc/passwd', 'db/other.sqlite', 'logs/x.log', 'packages//x', 'packages/./x',
  ])('may not name %s', (path) => {
    expect(backupManifest.shape.entries.safeParse([{ path, bytes: 1, mode: 0o600, sha256: '0'.repeat(64) }]).success).toBe(false);
  });

  it.each([['packages/velbus/current', '../diskfree/x'], ['packages/velbus/a', '/etc/passwd'], ['packages/velbus/a/b', '../../..'], ['keys/x', 'y']])('may not have the link %s to %s', (path, link) => {
    expect(backupManifest.shape.entries.safeParse([{ path, link }]).success).toBe(false);
  });
});

it('a backup that cannot be written is a system error, and nothing else fails later', async () => {
  const { entries } = await pack();
  expect(entries.length).toBeGreaterThan(0);
  const sources = [{ path: 'house.tgz', file }];
  await expect(writeArchive(join(folder, 'absent', 'again.tgz'), sources)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(writeArchive(file, sources)).rejects.toMatchObject({ code: 'EEXIST' });
});
