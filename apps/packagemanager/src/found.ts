// What stands on the disk under a package's name, read and never changed: by its links, and by the manifest and the record of a
// release. Whatever a hand or a crash left there, reading it does not fail.
import { basename, join } from 'node:path';
import type { InstalledPackage, Manifest } from '@majordomus/contracts';
import { reasonOf } from '@majordomus/runtime';
import { exists, linkTarget } from './durable.ts';
import { engineProblem } from './engine.ts';
import { readManifest } from './manifest-file.ts';
import { readRecord, type ReleaseRecord } from './release-record.ts';
import { shownSource } from './source.ts';

/** What stands under a package's name: nothing, something that cannot be used, or a package. */
export type Found =
  | { readonly state: 'absent' }
  | { readonly state: 'damaged'; readonly reason: string }
  | { readonly state: 'installed'; readonly installed: InstalledPackage; readonly manifest: Manifest; readonly release: string; readonly record: ReleaseRecord | undefined };

/** What the folder of a package has in use. It never fails: what cannot be read is damaged. */
export async function findCurrent(folder: string, majordomusVersion: string): Promise<Found> {
  const current = join(folder, 'current');
  try {
    const release = await linkTarget(current);
    if (release === undefined) return (await exists(current)) ? damaged(`${current} is no link`) : { state: 'absent' };
    if (!isReleaseName(release)) return damaged(`${current} points out of the package: ${release}`);
    return await findRelease(folder, release, majordomusVersion);
  } catch (error) {
    return damaged(`${current}: ${reasonOf(error)}`);
  }
}

/** The release that was in use before; it never fails. */
export async function findPrevious(folder: string, majordomusVersion: string): Promise<Found> {
  const [release, current] = await Promise.all(['previous', 'current'].map((link) => linkTarget(join(folder, link)).catch(() => undefined)));
  return release === undefined || release === current || !isReleaseName(release) ? { state: 'absent' } : await findRelease(folder, release, majordomusVersion);
}

/** A release of a package, in use or not. It never fails: what cannot be read is damaged. */
export async function findRelease(packageFolder: string, release: string, majordomusVersion: string): Promise<Found> {
  const name = basename(packageFolder);
  const folder = join(packageFolder, release);
  try {
    const manifest = await readManifest(folder);
    const { version, description } = manifest;
    if (manifest.name !== name) return damaged(`${folder} holds the plugin ${manifest.name}`);
    const record = await readRecord(folder);
    const unfit = engineProblem(manifest, majordomusVersion);
    return { state: 'installed', manifest, release, record, installed: { name, version, description, folder, ...shownRecord(record), ...(unfit !== undefined && { unfit }) } };
  } catch (error) {
    return damaged(`${folder}: ${reasonOf(error)}`);
  }
}

/** What may be told of a record. */
function shownRecord(record: ReleaseRecord | undefined): Pick<InstalledPackage, 'source' | 'integrity' | 'commit'> {
  if (record === undefined) return {};
  const { source, integrity, commit } = record;
  return { source: shownSource(source), ...(integrity !== undefined && { integrity }), ...(commit !== undefined && { commit }) };
}

function damaged(reason: string): Found {
  return { state: 'damaged', reason };
}

/** The name of a folder beside the link: nothing that leads elsewhere. */
function isReleaseName(target: string): boolean {
  return target !== '' && !target.startsWith('.') && !target.includes('/');
}
