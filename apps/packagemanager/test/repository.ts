// A git repository on this disk, reached as one elsewhere would be: by its address.
import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writePackage, type PackageContent } from './packages.ts';

const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', '-c', 'init.defaultBranch=main', '-c', 'protocol.file.allow=always'];

export interface Repository {
  readonly folder: string;
  readonly url: string;
  readonly git: (...args: readonly string[]) => string;
  /** Writes a package, commits it, and returns the commit; with a tag, that is put on it. */
  readonly commit: (content?: PackageContent, tag?: string) => Promise<string>;
}

export async function newRepository(folder: string): Promise<Repository> {
  await mkdir(folder, { recursive: true });
  const git: Repository['git'] = (...args) => execFileSync('git', ['-C', folder, ...identity, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  git('init', '--quiet');
  return {
    folder,
    url: `git+file://${folder}`,
    git,
    async commit(content = {}, tag) {
      await writePackage(join(folder, '.'), content);
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', 'change');
      if (tag !== undefined) git('tag', '--annotate', tag, '--message', tag);
      return git('rev-parse', 'HEAD');
    },
  };
}
