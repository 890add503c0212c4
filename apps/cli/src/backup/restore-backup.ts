// Restores a home from a backup, or its database alone from a daily backup. Everything is read and compared before anything is
// touched, unpacked beside what is there, brought to disk, and put into its place (replacement.ts); nothing is deleted.
import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, copyFileSync, existsSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureFolder, homePaths, isSystemError, lockHome, majordomusVersion, syncPath, systemReason } from '@majordomus/runtime';
import { CommandError } from '../failure.ts';
import { typedCommand } from '../own-files.ts';
import { readRunning } from '../running-house.ts';
import { makeLinks, readBackup } from './archive.ts';
import { problemsOf, unreadableSecrets, type UnreadableSecret } from './database-program.ts';
import { backupFormat, partsOfBackup, type BackupManifest } from './manifest.ts';
import { finishRestore, keptFolder, planFile, replace, stagingPrefix, type Replaceable } from './replacement.ts';

export interface RestoreRequest {
  readonly file: string;
  readonly home: string;
  /** Whether what is in the home may be replaced; it is set aside. */
  readonly force: boolean;
  readonly onStep: (text: string) => void;
}

export interface Restored {
  /** Undefined for a daily backup, which is the database alone. */
  readonly manifest: BackupManifest | undefined;
  /** Where what was in the home is kept, if there was anything. */
  readonly kept: string | undefined;
  readonly unreadable: readonly UnreadableSecret[];
}

/** @throws CommandError, StartError; the home is as it was then */
export async function restoreBackup({ file: given, home, force, onStep }: RestoreRequest): Promise<Restored> {
  const file = resolve(given);
  const isDatabase = checkSource(file);
  onStep('reading the backup');
  const manifest = isDatabase ? undefined : await readBackup(file);
  if (manifest !== undefined) checkVersion(file, manifest);
  if (isDatabase) await checkDatabase(file, file);
  if (readRunning(home) !== undefined) throw new CommandError('HOME_IN_USE', `a house runs on ${home}; stop it first, or restore into another home with --home`);
  ensureFolder(home);
  using _house = lockHome(home, 'house');
  using _dbmanager = lockHome(home, 'dbmanager');
  using _packagemanager = lockHome(home, 'packagemanager');
  finishRestore(home);
  const replaced = plannedFor(manifest);
  const there = replaced.filter((item) => isOccupied(join(home, item)));
  const wanted = there.filter((item) => item !== 'run/last-start.json');
  if (wanted.length > 0 && !force) throw new CommandError('HOME_NOT_EMPTY', `${home} has ${wanted.join(', ')}; restore into another home with --home, or set aside what is there with --force`);
  const staging = join(home, stagingPrefix + randomUUID());
  try {
    onStep('unpacking');
    mkdirSync(staging, { mode: 0o700 });
    if (manifest === undefined) unpackDatabase(file, staging);
    else await unpack(file, staging, manifest);
    const database = join(staging, 'db', 'majordomus.sqlite');
    onStep('checking the database');
    if (existsSync(database)) await checkDatabase(file, database);
    const keys = existsSync(join(staging, 'keys')) ? join(staging, 'keys') : homePaths(home).keys;
    const unreadable = existsSync(database) ? await unreadableSecrets(database, join(keys, 'secrets.key')) : [];
    for (const name of existsSync(join(staging, 'db')) ? readdirSync(join(staging, 'db')) : []) if (name !== 'majordomus.sqlite') rmSync(join(staging, 'db', name));
    writeFileSync(join(staging, planFile), JSON.stringify(replaced), { mode: 0o600 });
    onStep('bringing it to disk');
    syncFolder(staging);
    const time = new Date().toISOString().replaceAll(':', '-').replace(/\.\d+Z$/, 'Z');
    replace(home, staging, time);
    return { manifest, unreadable, kept: there.length > 0 ? keptFolder(home, time) : undefined };
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (isSystemError(error, 'ENOSPC', 'EDQUOT')) throw new CommandError('STORAGE_FULL', `nothing was restored: there is no room on the disk of ${home}; free some, and do it again`, { cause: error });
    if (isSystemError(error)) throw new CommandError('RESTORE_FAILED', `not restored: ${error.path ?? home}: ${systemReason(error)}; mend it, and do it again`, { cause: error });
    throw error;
  }
}

/** Whether it is a database, and not an archive. */
function checkSource(file: string): boolean {
  const status = statSync(file, { throwIfNoEntry: false });
  if (status?.isFile() !== true) throw new CommandError('FILE_NOT_FOUND', status === undefined ? `there is no file ${file}` : `${file} is no file`);
  const head = Buffer.alloc(16);
  const opened = openSync(file, 'r');
  try {
    readSync(opened, head, 0, head.length, 0);
  } finally {
    closeSync(opened);
  }
  return head.toString('latin1') === 'SQLite format 3\0';
}

function checkVersion(file: string, { format, majordomus }: BackupManifest): void {
  if (format > backupFormat || isNewer(majordomus, majordomusVersion)) {
    throw new CommandError('BACKUP_TOO_NEW', `${file} was made by Majordomus ${majordomus}, and this is ${majordomusVersion}: upgrade this one first (nothing was changed)`);
  }
}

/** By the numbers of the versions. */
function isNewer(version: string, than: string): boolean {
  const numbers = (text: string): number[] => (text.split('-')[0] ?? '').split('.').map(Number);
  const [mine, theirs] = [numbers(than), numbers(version)];
  const at = [0, 1, 2].find((index) => mine[index] !== theirs[index]);
  return at !== undefined && (theirs[at] ?? 0) > (mine[at] ?? 0);
}

async function checkDatabase(file: string, database: string): Promise<void> {
  const [problem] = await problemsOf(database);
  if (problem !== undefined) throw new CommandError('BACKUP_INVALID', `the database in ${file} cannot be used: ${problem}; take another backup (nothing was changed)`);
}

/** A backup replaces all that makes a house, but keys only by keys; a daily one replaces the database. */
function plannedFor(manifest: BackupManifest | undefined): Replaceable[] {
  if (manifest === undefined) return ['db'];
  return ['db', 'packages', 'majordomus.toml', 'run/last-start.json', ...(partsOfBackup(manifest).hasKeys ? ['keys' as const] : [])];
}

/** An empty folder is nothing. */
function isOccupied(path: string): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  return status !== undefined && (!status.isDirectory() || readdirSync(path).some((name) => name !== 'node_modules'));
}

async function unpack(file: string, staging: string, manifest: BackupManifest): Promise<void> {
  await readBackup(file, staging);
  makeLinks(staging, manifest);
  for (const entry of manifest.entries) if ('mode' in entry) chmodSync(join(staging, entry.path), entry.mode);
}

function unpackDatabase(file: string, staging: string): void {
  mkdirSync(join(staging, 'db'), { mode: 0o700 });
  copyFileSync(file, join(staging, 'db', 'majordomus.sqlite'));
  chmodSync(join(staging, 'db', 'majordomus.sqlite'), 0o600);
}

function syncFolder(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) syncFolder(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncPath(folder);
}

/** What is typed next. */
export function nextCommand(home: string, manifest: BackupManifest | undefined, ownHost: string): string {
  const host = manifest === undefined || manifest.host === ownHost ? '' : ` --host ${manifest.host}`;
  return `${typedCommand} up --home ${home}${host}`;
}
