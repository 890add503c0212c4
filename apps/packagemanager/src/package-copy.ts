// From the source folder into staging: regular files and folders only, within limits, hashed while they are copied, so
// that the hash is of exactly what was copied. It follows no link and blocks on no pipe, whatever the folder holds.
import { createHash } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import { lstat, mkdir, open, opendir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pluginInstall, refuse, type ActionFailure } from '@majordomus/contracts';
import { isSystemError, systemReason } from '@majordomus/runtime';

export interface CopyLimits {
  /** Files and folders together. */
  readonly entries: number;
  readonly bytes: number;
}

export const copyLimits: CopyLimits = { entries: 20_000, bytes: 512 * 1024 * 1024 };

export interface CopyOptions {
  readonly limits: CopyLimits;
  readonly signal: AbortSignal;
  /** Called with the share that is done, 0 to 1. */
  readonly progress: (share: number) => void;
}

/** At the top of a package these are not part of it, whatever they are. */
const notCopied: ReadonlySet<string> = new Set(['node_modules', '.git']);
const chunkBytes = 256 * 1024;
const hashLength = 12;

interface Entry {
  /** Relative, with "/". */
  readonly path: string;
  readonly kind: 'file' | 'folder';
  readonly bytes: number;
}

/**
 * Copies the package in `source` into the folder `target`, which must be there and empty.
 * @returns a short hash of the paths, executable bits and contents
 * @throws ActionFailure PACKAGE_REFUSED, SOURCE_NOT_FOUND; the signal's reason; what a failed write throws
 */
export async function copyPackage(source: string, target: string, { limits, signal, progress }: CopyOptions): Promise<string> {
  const entries = await scan(source, limits, signal);
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let copied = 0;
  for (const [index, { path, kind }] of entries.entries()) {
    signal.throwIfAborted();
    if (kind === 'folder') {
      await mkdir(join(target, path));
      hash.update(`${JSON.stringify([path, kind])}\n`);
    } else {
      const file = await copyFile(source, path, target, { buffer, bytesLeft: limits.bytes - copied, signal });
      copied += file.bytes;
      hash.update(`${JSON.stringify([path, file.executable ? 'program' : kind, file.digest])}\n`);
    }
    progress(total === 0 ? (index + 1) / entries.length : Math.min(1, copied / total));
  }
  return hash.digest('hex').slice(0, hashLength);
}

/** Everything that is to be copied, sorted by path: a folder stands before what it holds. */
async function scan(source: string, limits: CopyLimits, signal: AbortSignal): Promise<Entry[]> {
  const entries: Entry[] = [];
  const folders = [''];
  let bytes = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const name of namesIn(source, folder)) {
      signal.throwIfAborted();
      if (folder === '' && notCopied.has(name)) continue;
      const path = folder === '' ? name : `${folder}/${name}`;
      if (/(^|\/)node_modules\/@majordomus$/.test(path)) throw refused(path, 'is a kit of its own; the house shares its kit with every plugin, so leave it out');
      const stats = await reading(path, () => lstat(join(source, path)));
      const kind = kindOf(path, stats);
      if (kind === 'folder') folders.push(path);
      entries.push({ path, kind, bytes: kind === 'file' ? stats.size : 0 });
      bytes += kind === 'file' ? stats.size : 0;
      if (entries.length > limits.entries) throw tooMuch(`holds more than ${limits.entries} files and folders`);
      if (bytes > limits.bytes) throw tooMuch(`is larger than ${Math.floor(limits.bytes / 1024 / 1024)} MiB`);
    }
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether a folder holds everything of another one, as it is there; what else it holds does not matter. */
export async function holdsAll(folder: string, wanted: string, signal: AbortSignal): Promise<boolean> {
  for (const { path, kind } of await scan(wanted, { entries: Infinity, bytes: Infinity }, signal)) {
    signal.throwIfAborted();
    const [is, should] = await Promise.all([lstat(join(folder, path)).catch(() => undefined), lstat(join(wanted, path))]);
    if (kind === 'folder' ? is?.isDirectory() !== true : is?.isFile() !== true || is.size !== should.size || isProgram(is) !== isProgram(should)) return false;
    if (kind === 'file' && (await digestOf(join(folder, path), signal)) !== (await digestOf(join(wanted, path), signal))) return false;
  }
  return true;
}

/** Undefined for what cannot be read. */
async function digestOf(file: string, signal: AbortSignal): Promise<string | undefined> {
  const digest = createHash('sha256');
  try {
    await pipeline(createReadStream(file), digest, { signal });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
  return digest.digest('hex');
}

function isProgram({ mode }: Stats): boolean {
  return (mode & 0o111) !== 0;
}

async function* namesIn(source: string, folder: string): AsyncGenerator<string> {
  const directory = await reading(folder === '' ? '.' : folder, () => opendir(join(source, folder)));
  try {
    for (;;) {
      const entry = await reading(folder === '' ? '.' : folder, () => directory.read());
      if (entry === null) return;
      yield entry.name;
    }
  } finally {
    await directory.close();
  }
}

function kindOf(path: string, stats: Stats): Entry['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  const what = stats.isSymbolicLink() ? 'a symbolic link' : stats.isFIFO() ? 'a named pipe' : stats.isSocket() ? 'a socket' : 'a device';
  throw refused(path, `is ${what}; a package holds regular files and folders only`);
}

interface FileCopy {
  readonly buffer: Buffer;
  readonly bytesLeft: number;
  readonly signal: AbortSignal;
}

async function copyFile(source: string, path: string, target: string, { buffer, bytesLeft, signal }: FileCopy): Promise<{ bytes: number; executable: boolean; digest: string }> {
  // The file may have become something else since the scan: not followed if it is a link, not waited for if it is a pipe.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  await using from = await reading(path, () => open(join(source, path), flags));
  const stats = await reading(path, () => from.stat());
  if (!stats.isFile()) throw refused(path, 'changed while it was copied');
  const executable = isProgram(stats);
  await using to: FileHandle = await open(join(target, path), 'wx', executable ? 0o755 : 0o644);
  const digest = createHash('sha256');
  let bytes = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await reading(path, () => from.read(buffer, 0, buffer.length, null));
    if (bytesRead === 0) return { bytes, executable, digest: digest.digest('hex') };
    bytes += bytesRead;
    if (bytes > bytesLeft) throw tooMuch('grew over the limit while it was copied');
    const chunk = buffer.subarray(0, bytesRead);
    digest.update(chunk);
    await to.writeFile(chunk);
  }
}

/** Runs a read of the source; a failure is the source's fault, not the disk's that is written to. */
async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (isSystemError(cause, 'ELOOP')) throw refused(path, 'changed while it was copied');
    throw refuse(pluginInstall, 'SOURCE_NOT_FOUND', `cannot read ${JSON.stringify(path)} of the package: ${systemReason(cause)}; make it readable for packagemanager, or leave it out`, {}, { cause });
  }
}

function refused(path: string, reason: string): ActionFailure {
  return refuse(pluginInstall, 'PACKAGE_REFUSED', `${JSON.stringify(path)} of the package ${reason}`);
}

function tooMuch(reason: string): ActionFailure {
  return refuse(pluginInstall, 'PACKAGE_REFUSED', `the package ${reason}; leave out what the plugin does not need to run`);
}
