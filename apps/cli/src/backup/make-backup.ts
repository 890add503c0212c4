// Makes a backup of a home, whether its house runs or not. It is packed under another name, read back to its end, and only then
// given its own: under that name there is a whole backup or none.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { backupMake } from '@majordomus/contracts';
import { commonSettings, ensureFolder, homePaths, isSystemError, lockHome, majordomusVersion, syncPath, systemReason } from '@majordomus/runtime';
import { CommandError } from '../failure.ts';
import { readLastStart } from '../last-start.ts';
import { findSilent, readRunning, type RunningHouse } from '../running-house.ts';
import { withClient, type CliSettings } from '../session.ts';
import { readBackup, writeArchive } from './archive.ts';
import { contentsOf, entriesOf, installedIn, saysWhatIsInstalled } from './contents.ts';
import { copyDatabase } from './database-program.ts';
import { backupFormat, manifestName, type BackupManifest } from './manifest.ts';

/** A large database on a slow card. */
const copyTimeoutMs = 30 * 60_000;
/** An installation that ends meanwhile changes the packages; then all is taken again. */
const attempts = 3;

export interface BackupRequest {
  readonly settings: CliSettings;
  /** Where the backup will be. */
  readonly file: string;
  readonly withKeys: boolean;
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
  readonly onStep: (text: string) => void;
}

export interface MadeBackup {
  readonly file: string;
  readonly bytes: number;
  readonly manifest: BackupManifest;
  /** Whether there are keys that were left out. */
  readonly isSealed: boolean;
}

/** @throws CommandError, StartError, CallError; nothing is left then */
export async function makeBackup({ settings, file: given, withKeys, force, onStep }: BackupRequest): Promise<MadeBackup> {
  const { home } = settings;
  const file = resolve(given);
  checkTarget(file, home, force);
  if (!existsSync(home)) throw new CommandError('NOTHING_TO_BACK_UP', `there is no home ${home}; choose another one with --home or DOMUS_HOME`);
  const running = readRunning(home);
  const silent = running === undefined ? findSilent(home) : undefined;
  if (silent !== undefined) throw new CommandError('HOME_IN_USE', `no backup was made: ${silent.text}; ${silent.todo}`);
  const unfinished = join(dirname(file), `.${randomUUID()}.unfinished`);
  const notes = mkdtempSync(join(tmpdir(), 'majordomus-backup-'));
  try {
    const last = readLastStart(home);
    const facts = { format: backupFormat, majordomus: majordomusVersion, createdMs: Date.now(), host: running?.host ?? last?.host ?? commonSettings.host.fallback, ...(last?.join !== undefined && { join: last.join }) };
    const manifest = await consistent(home, async () => {
      using copy = await copyOfDatabase(settings, running, onStep);
      return await packed({ home, database: copy.file, withKeys }, facts, { notes, unfinished, onStep });
    });
    checkTarget(file, home, force);
    renameSync(unfinished, file);
    syncPath(dirname(file));
    return { file, bytes: statSync(file).size, manifest, isSealed: !withKeys && existsSync(homePaths(home).keys) };
  } catch (error) {
    if (isSystemError(error, 'ENOSPC', 'EDQUOT')) throw new CommandError('STORAGE_FULL', `no backup was made: there is no room for ${file}; free some, or write it elsewhere`, { cause: error });
    if (isSystemError(error)) throw new CommandError('BACKUP_FAILED', `no backup was made: ${error.path ?? file}: ${systemReason(error)}`, { cause: error });
    throw error;
  } finally {
    rmSync(unfinished, { force: true });
    rmSync(notes, { recursive: true, force: true });
  }
}

/** The database and the packages are of one moment: both are taken again if a plugin was installed, or gone back to, between them. */
async function consistent(home: string, pack: () => Promise<BackupManifest>): Promise<BackupManifest> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const before = await installedIn(home);
    const manifest = await pack();
    if (isDeepStrictEqual(manifest.entries.filter(saysWhatIsInstalled), before)) return manifest;
  }
  throw new CommandError('BACKUP_FAILED', 'no backup was made: packages of plugins are changed again and again meanwhile; wait until that is done, and do it again');
}

interface Workplace {
  /** A folder for what the backup says of itself. */
  readonly notes: string;
  readonly unfinished: string;
  readonly onStep: (text: string) => void;
}

async function packed(options: Parameters<typeof contentsOf>[0], facts: Omit<BackupManifest, 'entries'>, { notes, unfinished, onStep }: Workplace): Promise<BackupManifest> {
  for (let attempt = 1; ; attempt++) {
    try {
      onStep('reading what there is');
      const sources = contentsOf(options);
      const manifest = { ...facts, entries: await entriesOf(sources) };
      const note = join(notes, manifestName);
      writeFileSync(note, `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600 });
      onStep(`packing ${sources.length} ${sources.length === 1 ? 'file' : 'files'}`);
      rmSync(unfinished, { force: true });
      await writeArchive(unfinished, [...sources, { path: manifestName, file: note }]);
      onStep('reading it back');
      return await readBackup(unfinished);
    } catch (error) {
      const hasChanged = isSystemError(error, 'ENOENT') || (error instanceof CommandError && error.code === 'BACKUP_INVALID');
      if (!hasChanged || attempt >= attempts) throw error;
    }
  }
}

interface Copy extends Disposable {
  readonly file: string | undefined;
}

/** A copy in the folder of the backups, gone when it is disposed of; a stopped house cannot start before. */
async function copyOfDatabase(settings: CliSettings, running: RunningHouse | undefined, onStep: (text: string) => void): Promise<Copy> {
  const { home } = settings;
  const { database, backups } = homePaths(home);
  if (running !== undefined) {
    if (running.join !== undefined) return { file: undefined, [Symbol.dispose]() {} };
    onStep('copying the database');
    const { file } = await withClient({ ...settings, broker: running.broker }, (client) => client.call(backupMake, {}, { timeoutMs: copyTimeoutMs }));
    if (dirname(file) !== backups) throw new CommandError('BACKUP_FAILED', `dbmanager put the copy of the database to ${file}, which is not in ${backups}: does another house run on this home?`);
    return { file, [Symbol.dispose]: () => rmSync(file, { force: true }) };
  }
  const locks = [lockHome(home, 'house'), lockHome(home, 'dbmanager')];
  const file = join(backups, `.copy-${randomUUID()}.sqlite`);
  const release = (): void => {
    rmSync(file, { force: true });
    for (const lock of locks) lock[Symbol.dispose]();
  };
  if (!existsSync(database)) return { file: undefined, [Symbol.dispose]: release };
  try {
    onStep('copying the database');
    ensureFolder(backups);
    await copyDatabase(database, file);
    return { file, [Symbol.dispose]: release };
  } catch (error) {
    release();
    throw error;
  }
}

function checkTarget(file: string, home: string, force: boolean): void {
  if (file.startsWith(join(resolve(home), sep))) throw new CommandError('BACKUP_FAILED', `${file} is in the home, which is what is backed up, and keeps files of its own; choose another folder`);
  const status = statSync(file, { throwIfNoEntry: false });
  if (status?.isDirectory() === true) throw new CommandError('FILE_EXISTS', `${file} is a folder; name a file in it, such as ${join(file, 'house.tgz')}`);
  if (status !== undefined && !force) throw new CommandError('FILE_EXISTS', `${file} is there already; choose another name, or replace it with --force`);
  if (statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory() !== true) throw new CommandError('FOLDER_NOT_FOUND', `there is no folder ${dirname(file)}; make it, or choose another one`);
}
