// A backup as a file: a .tar.gz that any tar unpacks. Writing it ends with every byte on the disk; reading it compares every
// file with its checksum, and finds anything that is missing, added or changed.
import { createHash, type Hash } from 'node:crypto';
import { closeSync, createWriteStream, fsyncSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { list, Pack, type ReadEntry } from 'tar';
import { reasonOf } from '@majordomus/runtime';
import { CommandError } from '../failure.ts';
import type { Source } from './contents.ts';
import { backupManifest, manifestName, type BackupEntry, type BackupManifest } from './manifest.ts';

const maxManifestBytes = 64 * 1024 * 1024;

/** A file with several names is packed under each of them. */
class NoLinks extends Map<`${number}:${number}`, string> {
  override get(): undefined {
    return undefined;
  }
}

/** Writes an archive that only its owner can read; it is on the disk when the promise is fulfilled. @throws a system error */
export async function writeArchive(target: string, sources: readonly Source[]): Promise<void> {
  // Before anything is read for it: who may not write here is told so at once.
  const file = openSync(target, 'wx', 0o600);
  const names = new Map(sources.map(({ file: source, path }) => [source, path]));
  const pack = new Pack({
    cwd: '/', gzip: true, portable: true, preservePaths: true, noDirRecurse: true, linkCache: new NoLinks(),
    onWriteEntry: (entry) => void (entry.path = names.get(entry.absolute) ?? entry.path),
  });
  for (const source of sources) pack.add(source.file);
  pack.end();
  // A stream that fails has closed its file by itself.
  await pipeline(pack as AsyncIterable<Buffer>, createWriteStream(target, { fd: file, autoClose: false }));
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What was found in an archive under a path. */
interface Found {
  readonly bytes: number;
  readonly sha256: string;
  readonly link: string | undefined;
}

/**
 * Reads a backup to its end and compares it with what it says of itself.
 * @param folder where its files are written, readable by their owner alone; without it nothing is written
 * @throws CommandError BACKUP_INVALID; a system error if a file cannot be written
 */
export async function readBackup(file: string, folder?: string): Promise<BackupManifest> {
  const found = new Map<string, Found>();
  const manifest: Buffer[] = [];
  let problem: unknown;
  const take = (entry: ReadEntry): void => {
    try {
      if (entry.path === manifestName) entry.on('data', (chunk) => manifest.push(checkedSize(file, manifest, chunk)));
      else takeEntry(file, entry, found, folder, (error) => (problem ??= error));
    } catch (error) {
      problem ??= error;
    }
  };
  try {
    await list({ file, strict: true, onReadEntry: take });
  } catch (cause) {
    throw invalid(file, reasonOf(cause), cause);
  }
  if (problem !== undefined) throw problem;
  const said = parseManifest(file, Buffer.concat(manifest));
  compare(file, said.entries, found);
  return said;
}

function takeEntry(file: string, entry: ReadEntry, found: Map<string, Found>, folder: string | undefined, fail: (error: unknown) => void): void {
  const { path, type } = entry;
  if (type === 'Directory') return;
  if (found.has(path)) throw invalid(file, `${path} is in it twice`);
  if (type === 'SymbolicLink') {
    found.set(path, { bytes: 0, sha256: '', link: entry.linkpath ?? '' });
    return;
  }
  if (type !== 'File') throw invalid(file, `${path} is neither a file nor a link`);
  const hash: Hash = createHash('sha256');
  const target = folder === undefined ? undefined : openTarget(file, folder, path);
  let bytes = 0;
  entry.on('data', (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
    try {
      if (target !== undefined) writeWhole(target, chunk);
    } catch (error) {
      fail(error);
    }
  });
  entry.on('end', () => {
    if (target !== undefined) closeSync(target);
    found.set(path, { bytes, sha256: hash.digest('hex'), link: undefined });
  });
}

/** Before the manifest is known, a path may be anything. */
function openTarget(file: string, folder: string, path: string): number {
  if (path.startsWith('/') || path.split('/').includes('..')) throw invalid(file, `${path} leads out of it`);
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  return openSync(target, 'wx', 0o600);
}

function writeWhole(target: number, chunk: Buffer): void {
  for (let at = 0; at < chunk.length; ) at += writeSync(target, chunk, at);
}

/** Makes the links of a backup, whose files were unpacked. */
export function makeLinks(folder: string, { entries }: BackupManifest): void {
  for (const entry of entries) {
    if (!('link' in entry)) continue;
    mkdirSync(dirname(join(folder, entry.path)), { recursive: true, mode: 0o700 });
    symlinkSync(entry.link, join(folder, entry.path));
  }
}

function checkedSize(file: string, before: readonly Buffer[], chunk: Buffer): Buffer {
  if (before.reduce((sum, { length }) => sum + length, 0) > maxManifestBytes) throw invalid(file, 'what it says of itself is too long');
  return chunk;
}

function parseManifest(file: string, bytes: Buffer): BackupManifest {
  if (bytes.length === 0) throw invalid(file, `${manifestName} is not in it: it is none of Majordomus, or its end is missing`);
  try {
    return backupManifest.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw invalid(file, `${manifestName} in it cannot be read`, cause);
  }
}

function compare(file: string, said: readonly BackupEntry[], found: ReadonlyMap<string, Found>): void {
  for (const entry of said) {
    const there = found.get(entry.path);
    if (there === undefined) throw invalid(file, `${entry.path} is missing`);
    const isSame = 'link' in entry ? there.link === entry.link : there.link === undefined && there.bytes === entry.bytes && there.sha256 === entry.sha256;
    if (!isSame) throw invalid(file, `${entry.path} is not what was packed`);
  }
  const known = new Set(said.map(({ path }) => path));
  const added = [...found.keys()].find((path) => !known.has(path));
  if (added !== undefined || known.size !== said.length) throw invalid(file, `${added ?? 'something'} was added to it`);
}

function invalid(file: string, why: string, cause?: unknown): CommandError {
  return new CommandError('BACKUP_INVALID', `${file} is no whole backup: ${why}; take another one (nothing was changed)`, { cause });
}
