// An archive as a file: read whole by tar in strict mode and judged (archive-rules.ts) before anything of it is written,
// then unpacked. What tar would leave out in silence ends the reading, so that a package is all there or not at all.
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ActionFailure, pluginInstall, refuse } from '@majordomus/contracts';
import { isSystemError, reasonOf } from '@majordomus/runtime';
import { Parser, type ReadEntry } from 'tar';
import { ArchiveRules } from './archive-rules.ts';
import type { CopyLimits } from './package-copy.ts';

const blockBytes = 512;
/** Where every tar archive of the last decades says that it is one. */
const magicAt = 257;
/** What tar adds to an entry: its header, padding, and extended headers now and then. */
const overheadBytes = 4 * blockBytes;
const endOfArchiveBytes = 1024 * 1024;

export interface UnpackOptions {
  readonly limits: CopyLimits;
  readonly signal: AbortSignal;
}

/**
 * Unpacks what is below the one folder of an archive into `folder`, which must be there and empty.
 * @throws ActionFailure ARCHIVE_INVALID, PACKAGE_REFUSED, before anything was written; the signal's reason; what a failed write throws
 */
export async function unpackArchive(file: string, folder: string, options: UnpackOptions): Promise<void> {
  const rules = new ArchiveRules(options.limits);
  await readArchive(file, options, async (entry) => {
    rules.add(entry);
    entry.resume();
  });
  rules.end();
  await readArchive(file, options, (entry, stopped) => writeEntry(entry, folder, stopped));
}

/** Gives the entries to `take` one after another; each must be read to its end, or given up when the signal fires. */
async function readArchive(file: string, { limits, signal }: UnpackOptions, take: (entry: ReadEntry, stopped: AbortSignal) => Promise<void>): Promise<void> {
  const failed = new AbortController();
  // An entry that is being written gets no more bytes once another has failed, so that it would wait for them for ever.
  const stopped = AbortSignal.any([signal, failed.signal]);
  const fail = (error: unknown): void => failed.abort(error);
  const taken: Promise<void>[] = [];
  let isWhole = false;
  const parser = new Parser({ strict: true });
  parser.on('error', (error: Error) => fail(damaged(reasonOf(error))));
  parser.on('eof', () => (isWhole = true));
  parser.on('ignoredEntry', (entry: ReadEntry) => fail(refuse(pluginInstall, 'PACKAGE_REFUSED', `${JSON.stringify(entry.path)} of the archive is something that tar does not know (${entry.type})`)));
  parser.on('entry', (entry: ReadEntry) => taken.push(take(entry, stopped).catch((error: unknown) => {
    fail(error);
    entry.resume();
  })));
  try {
    for await (const chunk of plainTar(file, limits.bytes + limits.entries * overheadBytes + endOfArchiveBytes)) {
      signal.throwIfAborted();
      const isReady = parser.write(chunk);
      failed.signal.throwIfAborted();
      if (!isReady) await once(parser, 'drain', { signal: stopped });
    }
    const ended = once(parser, 'end', { signal: stopped });
    parser.end();
    await ended;
    await Promise.all(taken);
  } catch (error) {
    fail(error);
    await Promise.allSettled(taken);
    signal.throwIfAborted();
    throw asFailure(failed.signal.reason);
  }
  failed.signal.throwIfAborted();
  if (!isWhole) throw damaged('its end is missing');
}

/** The bytes of the archive, unpacked if it is a gzip; no more of them than `maxBytes`. */
async function* plainTar(file: string, maxBytes: number): AsyncGenerator<Buffer> {
  const source = createReadStream(file);
  const stream = (await isGzip(file)) ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => stream.destroy(error));
  let bytes = 0;
  let first = Buffer.alloc(0);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw refuse(pluginInstall, 'PACKAGE_REFUSED', `the archive is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB when it is unpacked; leave out what the plugin does not need to run`);
      if (first.length >= blockBytes) {
        yield chunk;
        continue;
      }
      first = Buffer.concat([first, chunk]);
      if (first.length < blockBytes) continue;
      checkMagic(first);
      yield first;
    }
    if (first.length < blockBytes) throw damaged(bytes === 0 ? 'it is empty' : 'it is no tar archive');
  } finally {
    source.destroy();
    stream.destroy();
  }
}

function checkMagic(first: Buffer): void {
  if (first.subarray(0, blockBytes).every((byte) => byte === 0)) throw damaged('it is empty');
  if (first.toString('latin1', magicAt, magicAt + 5) !== 'ustar') throw damaged(first.toString('latin1', 0, 2) === 'PK' ? 'it is a zip file; make a .tgz of it' : 'it is no tar archive');
  if (isGzipHead(first)) throw damaged('it is packed twice');
}

async function isGzip(file: string): Promise<boolean> {
  await using handle = await open(file);
  const head = Buffer.alloc(2);
  await handle.read(head, 0, 2, 0);
  return isGzipHead(head);
}

function isGzipHead(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** What the rules let through: a file or a folder below the one folder of the archive. */
async function writeEntry(entry: ReadEntry, folder: string, stopped: AbortSignal): Promise<void> {
  const inside = entry.path.split('/').filter((part) => part !== '' && part !== '.').slice(1);
  const place = join(folder, ...inside);
  if (entry.type === 'Directory' || entry.type === 'GNUDumpDir') {
    await mkdir(place, { recursive: true });
    entry.resume();
    return;
  }
  await mkdir(dirname(place), { recursive: true });
  stopped.throwIfAborted();
  const isProgram = ((entry.mode ?? 0) & 0o111) !== 0;
  await pipeline(entry as AsyncIterable<Buffer>, createWriteStream(place, { flags: 'wx', mode: isProgram ? 0o755 : 0o644 }), { signal: stopped });
}

function asFailure(error: unknown): unknown {
  if (error instanceof ActionFailure) return error;
  // zlib's own: the gzip ends too early, or is none in the middle.
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) return damaged(reasonOf(error));
  if (isSystemError(error)) return error;
  return damaged(reasonOf(error));
}

function damaged(reason: string): ActionFailure {
  return refuse(pluginInstall, 'ARCHIVE_INVALID', `the archive cannot be read: ${reason}; make it again, or fetch it again`);
}
