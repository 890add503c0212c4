// What of a home makes a house, and so belongs into its backup: settings, the copy of the database, the packages of plugins with
// their links, the name of the host; the keys only if they are asked for. What a start makes anew is left out.
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pluginName } from '@majordomus/contracts';
import { homePaths, isSystemError } from '@majordomus/runtime';
import { sha256Of, type BackupEntry } from './manifest.ts';

/** A file or a link, and where it stands in the backup. */
export interface Source {
  readonly path: string;
  readonly file: string;
}

export interface ContentsOptions {
  readonly home: string;
  /** The copy of the database; a host that has joined another house has none. */
  readonly database: string | undefined;
  readonly withKeys: boolean;
}

export function contentsOf({ home, database, withKeys }: ContentsOptions): Source[] {
  const { settingsFile, packages, run, keys } = homePaths(home);
  const sources: Source[] = [
    ...existing({ path: 'majordomus.toml', file: settingsFile }),
    ...existing({ path: 'run/last-start.json', file: join(run, 'last-start.json') }),
    ...(database === undefined ? [] : [{ path: 'db/majordomus.sqlite', file: database }]),
  ];
  // The staging folder, what is thrown away and the house's own kit have no plugin's name.
  for (const name of namesIn(packages)) if (pluginName.safeParse(name).success && isFolder(join(packages, name))) addTree(sources, `packages/${name}`, join(packages, name), (entry) => !entry.startsWith('.'));
  if (withKeys) addTree(sources, 'keys', keys, (entry) => !entry.endsWith('.new'));
  return sources;
}

/** Whether it says which version of a plugin is installed, or what is under way between two: links and files beside its versions. */
export function saysWhatIsInstalled({ path }: { readonly path: string }): boolean {
  return /^packages\/[^/]+\/[^/]+$/.test(path);
}

/** What says so in a home; again, if something of it goes away meanwhile. */
export async function installedIn(home: string): Promise<BackupEntry[]> {
  for (;;) {
    try {
      return await entriesOf(contentsOf({ home, database: undefined, withKeys: false }).filter(saysWhatIsInstalled));
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
    }
  }
}

/** Reads every file for its checksum. */
export async function entriesOf(sources: readonly Source[]): Promise<BackupEntry[]> {
  const entries: BackupEntry[] = [];
  for (const { path, file } of sources) {
    const status = lstatSync(file);
    if (status.isSymbolicLink()) entries.push({ path, link: readlinkSync(file) });
    else entries.push({ path, bytes: status.size, mode: status.mode & 0o777, sha256: await sha256Of(file) });
  }
  return entries;
}

/** Files and links below a folder; a folder without any is left out. */
function addTree(sources: Source[], path: string, folder: string, isMeant: (name: string) => boolean = () => true): void {
  for (const name of namesIn(folder).filter(isMeant)) {
    const file = join(folder, name);
    const status = lstatSync(file);
    if (status.isDirectory()) addTree(sources, `${path}/${name}`, file);
    else if (status.isFile() || status.isSymbolicLink()) sources.push({ path: `${path}/${name}`, file });
  }
}

function existing(source: Source): Source[] {
  return lstatSync(source.file, { throwIfNoEntry: false })?.isFile() === true ? [source] : [];
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
