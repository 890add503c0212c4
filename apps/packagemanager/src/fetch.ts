// From a source to a folder on this disk that holds the package: each kind of source in its own way. An archive, however it
// came, is brought into the workspace first, and judged and unpacked there; a folder is left where it is.
import { copyFile, mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionFailure, pluginInstall, refuse } from '@majordomus/contracts';
import { systemReason } from '@majordomus/runtime';
import { unpackArchive } from './archive.ts';
import { exists } from './durable.ts';
import type { GitFetcher } from './git-fetch.ts';
import { checkIntegrity, checkIntegrityForm, hashFile } from './integrity.ts';
import { manifestFile, manifestInvalid } from './manifest-file.ts';
import type { NpmSource } from './npm.ts';
import type { CopyLimits } from './package-copy.ts';
import type { Effect } from './effects.ts';
import type { ReleaseRecord } from './release-record.ts';
import { fetchArchive } from './registry-fetch.ts';
import { parseSource, shownSource, type Source } from './source.ts';
import type { Uploads } from './uploads.ts';

export interface FetcherOptions {
  readonly npm: NpmSource;
  readonly git: GitFetcher;
  readonly uploads: Uploads;
  readonly limits: CopyLimits;
}

export interface FetchOptions {
  /** Makes an empty folder for what is fetched; called only if there is anything to fetch. */
  readonly workspace: () => Promise<string>;
  /** Called before each effect; throws when it is not to happen. */
  readonly before: (effect: Effect) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A package on this disk. */
export interface FetchedPackage {
  readonly folder: string;
  readonly record: ReleaseRecord;
  /** The version that the registry says it is. */
  readonly version: string | undefined;
  /** Whether the network did not answer, and the cache of an earlier installation did. */
  readonly cached: boolean;
}

/** A source that was checked as far as that goes before anything is fetched. */
export interface ResolvedSource {
  readonly text: string;
  readonly source: Source;
  readonly integrity: string | undefined;
}

interface Fetched {
  readonly source?: string;
  readonly commit?: string;
  readonly version?: string | undefined;
  readonly cached?: boolean;
}

export class Fetcher {
  readonly #options: FetcherOptions;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** @throws ActionFailure SOURCE_NOT_FOUND, INTEGRITY_INVALID, MANIFEST_INVALID */
  async resolve(text: string, integrity: string | undefined): Promise<ResolvedSource> {
    const source = parseSource(text);
    if (integrity !== undefined) {
      if (source.kind === 'folder' || source.kind === 'git') {
        throw refuse(pluginInstall, 'INTEGRITY_INVALID', `${shownSource(JSON.stringify(text))} is ${source.kind === 'git' ? 'a git address; give the whole commit after "#" instead' : 'a folder, and integrity is that of an archive; leave it out'}`);
      }
      checkIntegrityForm(integrity);
    }
    if (source.kind === 'folder') return { text, integrity, source: { kind: 'folder', path: await packageFolder(source.path) } };
    if (source.kind === 'archive') await checkArchive(source.path, this.#options.limits.bytes);
    return { text, source, integrity };
  }

  /** @throws ActionFailure with a code of `plugin.install`; the signal's reason; what a failed write throws */
  async fetch({ text, source, integrity: expected }: ResolvedSource, { workspace, before, signal }: FetchOptions): Promise<FetchedPackage> {
    if (source.kind === 'folder') return { folder: source.path, record: { kind: 'folder', source: text }, version: undefined, cached: false };
    const { limits } = this.#options;
    const place = await workspace();
    const archive = join(place, 'archive');
    const folder = join(place, 'package');
    await before('fetch');
    const { source: origin = text, commit, version, cached = false } = await this.#bring(source, archive, signal);
    const isPacked = source.kind !== 'git';
    const integrity = isPacked ? await hashFile(archive) : undefined;
    if (integrity !== undefined) checkIntegrity(shownSource(origin), expected, integrity);
    await before('unpack');
    await mkdir(folder);
    await unpackArchive(archive, folder, { limits, signal });
    if (!(await exists(join(folder, manifestFile)))) throw noPlugin(shownSource(text));
    const record: ReleaseRecord = { kind: source.kind, source: origin, ...(integrity !== undefined && { integrity }), ...(commit !== undefined && { commit }) };
    return { folder, record, version, cached };
  }

  async #bring(source: Exclude<Source, { kind: 'folder' }>, file: string, signal: AbortSignal): Promise<Fetched> {
    const { npm, git, uploads, limits } = this.#options;
    switch (source.kind) {
      case 'archive':
        await copyFile(source.path, file);
        // It may have grown since it was looked at.
        await checkArchive(file, limits.bytes);
        return {};
      case 'registry':
      case 'address':
        return await fetchArchive(source, file, npm, limits.bytes, signal);
      case 'git':
        return await git.fetch(source, file, limits.bytes, signal);
      case 'upload':
        return { source: (await uploads.take(source.id, file)).origin };
      default:
        return source satisfies never;
    }
  }
}

function noPlugin(what: string): ActionFailure {
  return refuse(pluginInstall, 'MANIFEST_INVALID', `${what} is no plugin of Majordomus: it has no ${manifestFile}; see that it is what you meant`, { fields: { [manifestFile]: 'is missing' } });
}

/** The real path of the folder to install from. */
async function packageFolder(path: string): Promise<string> {
  return await reading(path, async () => {
    const folder = await realpath(path);
    if (!(await stat(folder)).isDirectory()) throw notFound(path, 'is no folder, and the name of an archive ends with .tgz, .tar.gz or .tar');
    // Said before anything is copied: somebody gave the wrong folder, perhaps a large one.
    if (!(await exists(join(folder, manifestFile)))) throw manifestInvalid({ [manifestFile]: `is missing in ${folder}` });
    return folder;
  });
}

async function checkArchive(path: string, maxBytes: number): Promise<void> {
  await reading(path, async () => {
    const stats = await stat(path);
    if (!stats.isFile()) throw notFound(path, 'is no file');
    if (stats.size > maxBytes) throw refuse(pluginInstall, 'PACKAGE_REFUSED', `${path} is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB; leave out what the plugin does not need to run`);
  });
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof ActionFailure ? error : notFound(path, `cannot be read: ${systemReason(error)}`);
  }
}

function notFound(path: string, why: string): ActionFailure {
  return refuse(pluginInstall, 'SOURCE_NOT_FOUND', `${JSON.stringify(path)} ${why}; give the absolute path of a folder with a plugin.json, or of an archive of one`);
}
