// What a person names as a source, told apart by npm's own parser (docs/packages.md, "Sources"). Pure: whether it is there
// is seen when it is fetched.
import { isAbsolute } from 'node:path';
import { pluginInstall, refuse, type ActionFailure } from '@majordomus/contracts';
import { reasonOf, shownSource } from '@majordomus/runtime';
import npa from 'npm-package-arg';

export { shownSource };

/** Where a package comes from. */
export type Source =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'archive'; readonly path: string }
  /** A name of the npm registry, with what follows its "@". */
  | { readonly kind: 'registry'; readonly name: string; readonly range: string }
  /** The address of an archive. */
  | { readonly kind: 'address'; readonly url: string }
  | GitSource
  /** What another host has brought here. */
  | { readonly kind: 'upload'; readonly id: string };

export interface GitSource {
  readonly kind: 'git';
  /** As `git fetch` takes it. */
  readonly repository: string;
  readonly wanted:
    | { readonly kind: 'head' }
    /** A branch, a tag or a whole commit. */
    | { readonly kind: 'ref'; readonly ref: string }
    /** The newest tag that is a version in this range. */
    | { readonly kind: 'range'; readonly range: string };
  /** A folder of the repository, relative; undefined for its top. */
  readonly folder: string | undefined;
}

type PackageArgument = ReturnType<typeof npa>;

const archiveName = /\.(tgz|tar\.gz|tar)$/i;
const uploadPrefix = 'upload:';
const bareUrl = { noGitPlus: true, noCommittish: true } as const;
const supported = 'a source is the absolute path of a folder or an archive (.tgz, .tar.gz, .tar), a name of the npm registry (name@^1), an https:// address of an archive, or a git address (git+https://…#v1, github:user/repo)';

/** Tells the kinds of sources apart. @throws ActionFailure SOURCE_NOT_FOUND */
export function parseSource(text: string): Source {
  if (/[\0-\x1f\x7f]/.test(text)) throw notFound(text, 'has a control character in it');
  if (isAbsolute(text)) return { kind: archiveName.test(text) ? 'archive' : 'folder', path: text };
  if (/^(\.{1,2}|~)(\/|$)/.test(text) || archiveName.test(text) && !/^[a-z+]+:/i.test(text)) throw notFound(text, 'is no absolute path');
  if (text.startsWith(uploadPrefix)) return { kind: 'upload', id: text.slice(uploadPrefix.length) };
  if (/^[^@:/]+\/[^:/]+$/.test(text)) throw notFound(text, `is no absolute path, and a repository of GitHub is written github:${text}`);
  return fromNpm(text, parsed(text));
}

function fromNpm(text: string, argument: PackageArgument): Source {
  switch (argument.type) {
    case 'tag':
    case 'version':
    case 'range':
      if (argument.name === undefined) throw notFound(text, 'is no name of a package');
      return { kind: 'registry', name: argument.name, range: argument.rawSpec };
    case 'remote':
      return { kind: 'address', url: argument.fetchSpec ?? text };
    case 'git':
      return gitSource(text, argument);
    default:
      throw notFound(text, 'is of a kind that is not supported');
  }
}

function gitSource(text: string, { hosted, fetchSpec, gitCommittish, gitRange, gitSubdir }: PackageArgument): GitSource {
  const repository = hosted === undefined ? fetchSpec : hosted.default === 'shortcut' ? hosted.https(bareUrl) : hosted.toString(bareUrl);
  if (repository === null || repository.startsWith('-')) throw notFound(text, 'is no address of a git repository');
  const folder = gitSubdir?.replace(/^\/+|\/+$/g, '');
  if (folder?.split('/').includes('..') === true) throw notFound(text, 'has a path that leaves the repository');
  // npm's parser drops what it does not know, and the head would be installed in its place.
  const unknown = (text.split('#')[1] ?? '').split('::').find((part) => part.includes(':') && !/^(semver|path):/.test(part));
  if (unknown !== undefined) throw notFound(text, `has ${JSON.stringify(unknown)} after the "#", where a ref, semver:RANGE and path:FOLDER can stand, with "::" between them`);
  if (gitCommittish?.startsWith('-') === true) throw notFound(text, 'has a ref that begins with "-"');
  return {
    kind: 'git',
    repository: repository.replace(/^git\+/, ''),
    wanted: gitRange !== undefined ? { kind: 'range', range: gitRange } : gitCommittish ? { kind: 'ref', ref: gitCommittish } : { kind: 'head' },
    folder: folder === '' ? undefined : folder,
  };
}

function parsed(text: string): PackageArgument {
  try {
    return npa(text, '/');
  } catch (error) {
    throw notFound(text, `is no source: ${reasonOf(error)}`);
  }
}

function notFound(text: string, why: string): ActionFailure {
  return refuse(pluginInstall, 'SOURCE_NOT_FOUND', shownSource(`${JSON.stringify(text)} ${why}; ${supported}`));
}
