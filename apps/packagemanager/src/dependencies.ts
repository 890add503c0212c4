// The dependencies of a package, installed into its own folder by npm's tree builder: no script runs, development and peer
// dependencies are dropped, and nothing in the result leads out of the folder or brings a kit of its own.
import { lstat, readFile, readdir, readlink, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { pluginInstall, refuse, type ActionFailure } from '@majordomus/contracts';
import { exists } from './durable.ts';
import { jsonErrorPosition } from './json-position.ts';
import { runNpm, type NpmSource } from './npm.ts';

const packageFile = 'package.json';
const maxPackageFileBytes = 1024 * 1024;
const kitScope = '@majordomus/';

/** A package.json whose dependencies may be installed. */
export interface PackageJson {
  readonly [key: string]: unknown;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/**
 * Reads what a package depends on, or undefined if that is nothing.
 * @throws ActionFailure PACKAGE_REFUSED for a package.json that is wrong or a range that cannot be installed here
 */
export async function readDependencies(folder: string): Promise<PackageJson | undefined> {
  const path = join(folder, packageFile);
  if (!(await exists(path))) return undefined;
  const stats = await lstat(path);
  if (!stats.isFile() || stats.size > maxPackageFileBytes) throw refused(`${packageFile} is no file of at most ${maxPackageFileBytes / 1024} KiB`);
  const content = parseObject(await readFile(path, 'utf8'));
  const dependencies = rangesIn(content, 'dependencies');
  const optionalDependencies = rangesIn(content, 'optionalDependencies');
  for (const [name, range] of Object.entries({ ...dependencies, ...optionalDependencies })) {
    const problem = rangeProblem(name, range);
    if (problem !== undefined) throw refused(`the dependency ${JSON.stringify(name)}: ${JSON.stringify(range)} ${problem}`);
  }
  const needed = Object.keys(dependencies).length + Object.keys(optionalDependencies).length > 0;
  return needed ? { ...content, dependencies, optionalDependencies } : undefined;
}

/**
 * Installs the dependencies into `<folder>/node_modules`.
 * @returns whether the network did not answer, and the cache of an earlier installation did
 * @throws ActionFailure DEPENDENCIES_FAILED, PACKAGE_REFUSED, STORAGE_FULL; the signal's reason
 */
export async function installDependencies(folder: string, packageJson: PackageJson, npm: NpmSource, signal: AbortSignal): Promise<boolean> {
  // npm would look up development dependencies, too, before it leaves them out; and `workspace:` among them it cannot read.
  const { devDependencies: _dropped, workspaces: _ofTheAuthor, ...content } = packageJson;
  await writeFile(join(folder, packageFile), `${JSON.stringify(content, null, 2)}\n`);
  const outcome = await runNpm({ ...npm, work: 'install', path: folder }, signal);
  if (!outcome.ok) {
    if (outcome.code === 'ENOSPC' || outcome.code === 'EDQUOT') throw refuse(pluginInstall, 'STORAGE_FULL', `there was no room for the dependencies (${outcome.code}); free space on the disk of the home, and install again`);
    throw refuse(
      pluginInstall,
      'DEPENDENCIES_FAILED',
      `the dependencies could not be installed: ${outcome.reason}${outcome.code === '' ? '' : ` (${outcome.code})`}; check their names and ranges in ${packageFile}, and that this host reaches ${npm.registry ?? 'the registry of npm'}`,
    );
  }
  await checkInstalled(folder);
  return outcome.cached;
}

/** What npm made: its links stay inside the folder, also after the folder was renamed, and the kit is the house's. */
async function checkInstalled(top: string): Promise<void> {
  const folders = [top];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const inside = relative(top, path);
      if (/(^|\/)node_modules\/@majordomus$/.test(inside)) {
        throw refused(`a dependency brings a kit of its own (${inside}); it must name the kit in its peerDependencies`);
      }
      if (entry.isDirectory()) folders.push(path);
      if (entry.isSymbolicLink() && leaves(top, dirname(path), await readlink(path))) {
        throw refused(`the dependency ${inside} is a link that leaves the package; take it from a registry, or put it into the package's folder`);
      }
    }
  }
}

function leaves(top: string, from: string, target: string): boolean {
  return isAbsolute(target) || relative(top, resolve(from, target)).split('/').includes('..');
}

function parseObject(text: string): { readonly [key: string]: unknown } {
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    const where = jsonErrorPosition(text);
    throw refused(`${packageFile} is not JSON${where === undefined ? '' : `, line ${where.line}, column ${where.column}`}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw refused(`${packageFile} holds no object`);
  return content as { readonly [key: string]: unknown };
}

function rangesIn(content: { readonly [key: string]: unknown }, field: string): Record<string, string> {
  const ranges = Object.hasOwn(content, field) ? content[field] : {};
  if (typeof ranges !== 'object' || ranges === null || Array.isArray(ranges) || !Object.values(ranges).every((range) => typeof range === 'string')) {
    throw refused(`${field} of ${packageFile} is no object of names and ranges`);
  }
  return ranges as Record<string, string>;
}

/** Why a dependency cannot be installed, or undefined. */
function rangeProblem(name: string, range: string): string | undefined {
  if (name.startsWith(kitScope) || range.startsWith(`npm:${kitScope}`)) return 'is of the house itself, which shares its kit; put it into peerDependencies';
  if (/^(workspace|catalog|link|portal|patch):/.test(range)) return 'has a meaning only in its author’s checkout; give a range of versions, such as ^1.2.0';
  if (/^(git\b|github:|gitlab:|bitbucket:|gist:)/.test(range)) return 'is a git address; give a range of versions, such as ^1.2.0';
  const path = /^(?:file:(?:\/\/)?)(.*)$/.exec(range)?.[1] ?? (/^(\.{0,2}|~)\//.test(range) ? range : undefined);
  if (path !== undefined && (path.startsWith('~') || leaves('/package', '/package', decoded(path)))) {
    return 'is a path that leaves the package; put it into the package’s folder, or give a range of versions';
  }
  return undefined;
}

/** npm reads %2e as a dot. What cannot be decoded counts as a path that leads out. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '/';
  }
}

function refused(reason: string): ActionFailure {
  return refuse(pluginInstall, 'PACKAGE_REFUSED', reason);
}
