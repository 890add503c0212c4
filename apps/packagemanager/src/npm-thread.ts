// The thread in which npm's libraries work, loaded here only, and when needed: they take 40 MB. Nothing of what is
// fetched or installed is run: no script, no `.npm-extension`, no git.
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parentPort as port, workerData } from 'node:worker_threads';
import { reasonOf } from '@majordomus/runtime';
import { limited } from './byte-limit.ts';

export interface NpmSource {
  /** The folder of npm's cache; made when it is not there. */
  readonly cache: string;
  /** The address of the registry; npm's own without it. */
  readonly registry: string | undefined;
  /** How often a request is tried again when the network fails. */
  readonly retries?: number;
}

/** What the thread is given. */
export type NpmRequest = NpmSource & (InstallWork | FetchWork);

/** Installs the dependencies of the package in the folder `path`. */
interface InstallWork {
  readonly work: 'install';
  readonly path: string;
}

/** Brings the archive of a name with a range, or of an address, to `file`. */
interface FetchWork {
  readonly work: 'fetch';
  readonly what: 'registry' | 'address';
  readonly spec: string;
  readonly file: string;
  readonly maxBytes: number;
}

/** What it says at its end. */
export type NpmOutcome =
  | {
    readonly ok: true;
    /** Whether the network did not answer, and the cache did. */
    readonly cached: boolean;
    /** The version that the registry says it is. */
    readonly version?: string;
  }
  | { readonly ok: false; readonly code: string; readonly reason: string; /** Those there are. */ readonly versions?: readonly string[] };

const omit = ['dev', 'peer'];
const { cache, registry, retries = 2, ...request } = workerData as NpmRequest;
const common = {
  cache,
  ...(registry !== undefined && { registry }),
  ignoreScripts: true,
  allowGit: 'none',
  fetchRetries: retries,
  fetchRetryFactor: 2,
  fetchRetryMintimeout: 500,
  fetchTimeout: 60_000,
} as const;

async function run(): Promise<{ readonly version?: string }> {
  if (request.work === 'fetch') return await fetchArchive(request);
  const { default: Arborist } = await import('@npmcli/arborist');
  const arborist = new Arborist({ ...common, path: request.path, ignoreExtension: true, legacyPeerDeps: true, audit: false, fund: false });
  await arborist.reify({ omit, save: false, audit: false });
  return {};
}

async function fetchArchive({ what, spec, file, maxBytes }: FetchWork): Promise<{ readonly version?: string }> {
  const { default: pacote } = await import('pacote');
  // What the registry has now is asked for each time; without a network, npm's cache answers.
  const found = what === 'registry' ? await pacote.manifest(spec, { ...common, preferOnline: true }) : undefined;
  const options = found === undefined ? { ...common, preferOnline: true } : { ...common, resolved: found._resolved, ...(found._integrity !== undefined && { integrity: found._integrity }) };
  // Called again if the cache does not have it, and each time listened to at once: an error without a listener ends the thread.
  await pacote.tarball.stream(spec, (stream) => pipeline(stream, limited(maxBytes), createWriteStream(file)), options);
  return found === undefined ? {} : { version: found.version };
}

/** npm's fetching tells of each request on `process`, and only there that a cached answer was all there was. */
let cached = false;
process.on('log', (level: string, ...told: readonly unknown[]) => {
  if (level === 'http' && told.some((text) => String(text).endsWith('(cache stale)'))) cached = true;
});

async function outcomeOf(): Promise<NpmOutcome> {
  try {
    return { ok: true, ...(await run()), cached };
  } catch (error) {
    const { code, versions } = error as { readonly code?: unknown; readonly versions?: unknown };
    return {
      ok: false,
      code: typeof code === 'string' ? code : '',
      reason: reasonOf(error),
      ...(Array.isArray(versions) && { versions: versions.map(String) }),
    };
  }
}

const outcome = await outcomeOf();
port?.postMessage(outcome);
