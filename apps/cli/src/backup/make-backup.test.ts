import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readHouseSettings } from '../session.ts';
import { makeBackup, type MadeBackup } from './make-backup.ts';

let folder: string;
let home: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'majordomus-backup-test-'));
  home = join(folder, 'home');
  for (const version of ['1.0.0', '2.0.0']) {
    mkdirSync(join(home, 'packages', 'lamp', version), { recursive: true });
    writeFileSync(join(home, 'packages', 'lamp', version, 'plugin.json'), version);
  }
  symlinkSync('1.0.0', join(home, 'packages', 'lamp', 'current'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function switchTo(version: string): void {
  rmSync(join(home, 'packages', 'lamp', 'current'));
  symlinkSync(version, join(home, 'packages', 'lamp', 'current'));
}

/** A backup of a stopped house without a database, in which something is done between what is copied first and what is packed. */
async function backup(meanwhile: (round: number) => void): Promise<MadeBackup & { readonly rounds: number }> {
  let rounds = 0;
  const onStep = (text: string): void => {
    if (text === 'reading what there is') meanwhile(++rounds);
  };
  const settings = readHouseSettings({ home });
  return { ...(await makeBackup({ settings, file: join(folder, 'house.tgz'), withKeys: false, force: false, onStep })), rounds };
}

it('a plugin that is installed between the copy of the database and the packages makes both be taken again', async () => {
  const { manifest, rounds } = await backup((round) => {
    if (round === 1) switchTo('2.0.0');
  });
  expect(rounds).toBe(2);
  expect(manifest.entries).toContainEqual({ path: 'packages/lamp/current', link: '2.0.0' });
});

it('so does what begins, and what ends, between two versions; what is under way all the time does not', async () => {
  const change = join(home, 'packages', 'lamp', 'change.json');
  expect(await backup((round) => round === 1 && writeFileSync(change, '{}'))).toMatchObject({ rounds: 2 });
  rmSync(join(folder, 'house.tgz'));
  expect(await backup(() => {})).toMatchObject({ rounds: 1 });
  rmSync(join(folder, 'house.tgz'));
  expect(await backup((round) => round === 1 && rmSync(change))).toMatchObject({ rounds: 2 });
});

it('packages that are changed again and again are told, and nothing is left', async () => {
  await expect(backup((round) => switchTo(round % 2 === 1 ? '2.0.0' : '1.0.0'))).rejects.toMatchObject({ code: 'BACKUP_FAILED', message: expect.stringContaining('changed again and again') });
  expect(readdirSync(folder)).toEqual(['home']);
  expect(readFileSync(join(home, 'packages', 'lamp', 'current', 'plugin.json'), 'utf8')).toBe('2.0.0');
});
