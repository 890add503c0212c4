// The archive of a name with a range, or of an address, fetched by npm's libraries; and what a person is told when it
// cannot be.
import { pluginInstall, refuse, type ActionFailure } from '@majordomus/contracts';
import { runNpm, type NpmSource } from './npm.ts';
import type { NpmOutcome } from './npm-thread.ts';
import { shownSource, type Source } from './source.ts';

const maxVersionsTold = 8;

export interface FetchedArchive {
  /** The version that the registry says it is; undefined for an address. */
  readonly version: string | undefined;
  /** Whether the network did not answer, and the cache did. */
  readonly cached: boolean;
}

type RegistrySource = Extract<Source, { kind: 'registry' | 'address' }>;

/**
 * Writes the archive to `file`.
 * @throws ActionFailure SOURCE_NOT_FOUND, FETCH_FAILED, INTEGRITY_MISMATCH, PACKAGE_REFUSED, STORAGE_ERROR; the signal's reason
 */
export async function fetchArchive(source: RegistrySource, file: string, npm: NpmSource, maxBytes: number, signal: AbortSignal): Promise<FetchedArchive> {
  const spec = source.kind === 'registry' ? `${source.name}@${source.range}` : source.url;
  const outcome = await runNpm({ ...npm, work: 'fetch', what: source.kind, spec, file, maxBytes }, signal);
  if (!outcome.ok) throw failureOf(source, outcome, npm.registry ?? 'the registry of npm');
  return { version: outcome.version, cached: outcome.cached };
}

function failureOf(source: RegistrySource, { code, reason, versions = [] }: Extract<NpmOutcome, { ok: false }>, registry: string): ActionFailure {
  const what = source.kind === 'registry' ? source.name : shownSource(source.url);
  const where = source.kind === 'registry' ? registry : new URL(source.url).host;
  switch (code) {
    case 'E404':
      return refuse(pluginInstall, 'SOURCE_NOT_FOUND', source.kind === 'registry' ? `${registry} has no package ${what}; check its name` : `there is nothing at ${what}; check the address`);
    case 'ETARGET':
    case 'ENOVERSIONS':
      return refuse(pluginInstall, 'SOURCE_NOT_FOUND', `${registry} has no version of ${what} that is ${source.kind === 'registry' ? source.range : ''}; it has ${versionsText(versions)}`);
    case 'E401':
    case 'E403':
      return refuse(pluginInstall, 'FETCH_FAILED', `${where} does not give ${what} to everybody (${code}); give an archive instead, or take it from a registry that is open to this host`);
    case 'EINTEGRITY':
      return refuse(pluginInstall, 'INTEGRITY_MISMATCH', `${what} is not what ${where} says that it is: ${reason}; do not install it before you know why`);
    case 'TOO_LARGE':
      return refuse(pluginInstall, 'PACKAGE_REFUSED', `${what} is refused: ${reason}; leave out what the plugin does not need to run`);
    case 'ENOSPC':
    case 'EACCES':
    case 'EROFS':
    case 'EDQUOT':
      return refuse(pluginInstall, 'STORAGE_ERROR', `${what} could not be written: ${shownSource(reason)}; free space or make the folder writable, and install again`);
    default:
      return refuse(pluginInstall, 'FETCH_FAILED', `${what} could not be fetched from ${where}: ${shownSource(reason)}${code === '' ? '' : ` (${code})`}; see that this host reaches it; what was never fetched here is not in the cache`);
  }
}

function versionsText(versions: readonly string[]): string {
  if (versions.length === 0) return 'none';
  return `${versions.length > maxVersionsTold ? '…, ' : ''}${versions.slice(-maxVersionsTold).join(', ')}`;
}
