// What a person who types a source means (docs/packages.md, "Sources"). A path is made absolute, for packagemanager works in another
// folder; a mistyped path is told here, before a registry is asked for it. Pure: it is told what there is.
import { resolve } from 'node:path';
import { CommandError } from './failure.ts';
import { unknownHostText } from './hosts.ts';

/** What there is. */
export interface Surroundings {
  /** The folder that relative paths begin at. */
  readonly folder: string;
  readonly kindOf: (path: string) => 'plugin' | 'folder' | 'file' | undefined;
  /** The folder of a plugin that comes with Majordomus. */
  readonly ownPlugin: (name: string) => string | undefined;
  /** The folder of a plugin that is installed on this host. */
  readonly installed: (name: string) => string | undefined;
  /** The hosts of the house. */
  readonly hosts: readonly string[];
}

export interface ChosenSource {
  /** As packagemanager takes it. */
  readonly source: string;
  /** The host to install on; undefined for this one. */
  readonly on: string | undefined;
  /** What was chosen, where that was a choice. */
  readonly told?: string;
}

const address = /^([a-z][a-z0-9+.-]*:|[^\s/@]+@[^\s/:]+:)/i;
const archive = /\.(tgz|tar\.gz|tar)$/i;
const archives = '.tgz, .tar.gz or .tar';
const bareName = /^[a-z0-9][a-z0-9._-]*$/i;
const hostAndName = /^([a-z0-9][a-z0-9-]*)\.([a-z][a-z0-9-]*)$/;

/** Whether the hosts of the house have to be known to understand what was typed. */
export function mayNameHost(typed: string): boolean {
  return hostAndName.test(typed) && !archive.test(typed);
}

/** @throws CommandError SOURCE_NOT_FOUND, HOST_UNKNOWN, USAGE */
export function chooseSource(typed: string, on: string | undefined, there: Surroundings): ChosenSource {
  const named = mayNameHost(typed) ? hostAndName.exec(typed) : null;
  const [, host = '', name = ''] = named ?? [];
  if (named !== null && there.hosts.includes(host) && there.kindOf(resolve(there.folder, typed)) === undefined) {
    if (on !== undefined && on !== host) throw new CommandError('USAGE', `${typed} is a plugin on ${host}, and --on says ${on}; leave one of them out`);
    return { ...ownOrInstalled(name, there), on: host };
  }
  if (named !== null && (there.installed(name) ?? there.ownPlugin(name)) !== undefined && there.kindOf(resolve(there.folder, typed)) === undefined) {
    throw new CommandError('HOST_UNKNOWN', `${unknownHostText(host, there.hosts)}; a package of the npm registry that is called so is written ${typed}@latest`);
  }
  if (isPath(typed)) return { source: existing(typed, there), on };
  if (bareName.test(typed)) return { ...chosenByName(typed, on, there), on };
  return { source: typed, on };
}

function isPath(typed: string): boolean {
  if (/^(\.{0,2}\/|\.{1,2}$|~)/.test(typed)) return true;
  if (address.test(typed)) return false;
  return archive.test(typed) || (typed.includes('/') && !typed.startsWith('@'));
}

function existing(typed: string, { folder, kindOf }: Surroundings): string {
  const path = resolve(folder, typed);
  const kind = kindOf(path);
  if (kind === undefined) {
    const hint = /^[^./~][^/]*\/[^/]+$/.test(typed) && !archive.test(typed) ? `; a repository of GitHub is written github:${typed}` : '';
    throw new CommandError('SOURCE_NOT_FOUND', `there is no file or folder ${path}${hint}`);
  }
  if (kind === 'file' && !archive.test(path)) throw new CommandError('SOURCE_NOT_FOUND', `${path} is a file, and no archive: ${archives}; give the folder of the plugin, or an archive of it`);
  return path;
}

/** A word without a version: what lies nearest. Nothing that is here is looked for in a registry, where anybody may give a package its name. */
function chosenByName(typed: string, on: string | undefined, there: Surroundings): Omit<ChosenSource, 'on'> {
  const path = resolve(there.folder, typed);
  if (there.kindOf(path) === 'plugin') return { source: path, told: `${typed} is the folder ${path}` };
  const own = there.ownPlugin(typed);
  if (own !== undefined) return { source: own, told: `${typed} is the plugin that comes with Majordomus` };
  const installed = on === undefined ? undefined : there.installed(typed);
  if (installed !== undefined) return { source: installed, told: `${typed} is the plugin that is installed here` };
  const kind = there.kindOf(path);
  if (kind !== undefined) {
    const why = kind === 'file' ? `is a file, and no archive: ${archives}` : 'is a folder, and no plugin: it has no plugin.json';
    throw new CommandError('SOURCE_NOT_FOUND', `${path} ${why}; a package of the npm registry that is called so is written ${typed}@latest`);
  }
  return { source: typed, told: `${typed} is looked for in the npm registry` };
}

/** `attic.diskfree`: the plugin that is here, onto that host. */
function ownOrInstalled(name: string, there: Surroundings): Omit<ChosenSource, 'on'> {
  const installed = there.installed(name);
  if (installed !== undefined) return { source: installed, told: `${name} is the plugin that is installed here` };
  const own = there.ownPlugin(name);
  if (own !== undefined) return { source: own, told: `${name} is the plugin that comes with Majordomus` };
  throw new CommandError('SOURCE_NOT_FOUND', `no plugin ${name} is installed here or comes with Majordomus; give its folder, archive, name@version or git address, and the host with --on`);
}
