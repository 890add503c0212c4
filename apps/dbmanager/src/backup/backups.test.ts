import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLog, silentLog, type Log } from '@majordomus/runtime';
import { OpenDatabase } from '../../test/open-database.ts';
import { backupName } from './backup-files.ts';
import { Backups, type BackupsOptions } from './backups.ts';

let house: OpenDatabase;
let folder: string;

beforeEach(() => {
  house = new OpenDatabase();
  folder = join(house.folder.path, 'backups');
});
afterEach(() => {
  vi.useRealTimers();
  house[Symbol.dispose]();
});

const backupsOf = (log: Log = silentLog, noticesMs?: BackupsOptions['noticesMs']): Backups => new Backups({ path: house.path, folder, keep: 2, minFreeBytes: 0, log, ...(noticesMs && { noticesMs }) });
const names = (): string[] => (existsSync(folder) ? readdirSync(folder) : []);

it('once they are started the first is made soon, the next look comes by itself, and after the end none does', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const made = Promise.withResolvers<string>();
  const backups = backupsOf(createLog('dbmanager', 'info', true, (line) => made.resolve(line))).start();
  expect(names()).toEqual([]);
  vi.advanceTimersByTime(30_000);
  expect(await made.promise).toContain('made the daily backup');
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
  await backups[Symbol.asyncDispose]();
  await backups[Symbol.asyncDispose]();
  expect(vi.getTimerCount()).toBe(0);
  expect(names()).toEqual([expect.stringMatching(/^majordomus-.*\.sqlite$/)]);
  expect(await backups.look()).toBeUndefined();
});

it('the end waits for a copy that is being made: nothing of it is left, and no look comes after it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const lines: string[] = [];
  const backups = backupsOf(createLog('dbmanager', 'info', true, (line) => lines.push(line))).start();
  vi.advanceTimersByTime(30_000);
  const asked = backups.make();
  const refused = expect(asked).rejects.toMatchObject({ code: 'BACKUP_RUNNING' });
  await backups[Symbol.asyncDispose]();
  await refused;
  expect(names()).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
  expect(lines).toEqual([]);
  await expect(backups.make()).rejects.toMatchObject({ code: 'STOPPING' });
});

it('what a killed copy has left goes with the next look, its journal too', async () => {
  const target = join(folder, backupName(Date.now() - 1000));
  mkdirSync(folder);
  for (const part of ['', '-journal']) writeFileSync(`${target}.unfinished${part}`, 'half');
  await using backups = backupsOf();
  const made = await backups.look();
  expect(names()).toEqual([made]);
});

it('what nobody has acknowledged keeps the backups from before it; while that is not known, none goes', async () => {
  const dayMs = 86_400_000;
  const older = [9, 8, 7, 3, 2].map((days) => backupName(Date.now() - days * dayMs));
  const look = async (noticesMs: BackupsOptions['noticesMs']): Promise<string[]> => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const name of older) writeFileSync(join(folder, name), 'a backup');
    await using backups = backupsOf(silentLog, noticesMs);
    const made = await backups.look();
    return names().filter((name) => name !== made).sort();
  };
  expect(await look(() => [Date.now() - 5 * dayMs])).toEqual([...older.slice(1, 3), older[4]]);
  expect(await look(() => Promise.reject(new RangeError('the database does not answer')))).toEqual(older);
  expect(await look(() => [])).toEqual(older.slice(4));
});
