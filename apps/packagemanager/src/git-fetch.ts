// A package from a git repository: the wanted commit is fetched into a bare clone in the cache, and git itself packs it into
// an archive, which is then read as strictly as any other. Nothing is checked out, so no hook and no script of it runs and
// no submodule is fetched; and git is never given a terminal to ask for a password at.
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { pluginInstall, refuse, type ActionFailure } from '@majordomus/contracts';
import { isSystemError, orAborted, Turns } from '@majordomus/runtime';
import semver from 'semver';
import { growing, limited, TooLarge } from './byte-limit.ts';
import { noteUse } from './cache-age.ts';
import { shownSource, type GitSource } from './source.ts';

const limitMs = 10 * 60_000;
/** How long git and its helpers may take to end when they are told to. */
const endMs = 5000;
/** Under which names the clones keep what was fetched. */
const keptRefs = 'refs/majordomus';
/** git's words for what the network did, and not the repository. */
const networkTrouble = /could not resolve host|failed to connect|couldn't connect|connection (refused|timed out|reset)|network is unreachable|no route to host|operation timed out|timed out|temporary failure|could not read from remote repository/i;
/** git's words for a repository that wants to know who asks. */
const accessDenied = /could not read (username|password)|authentication failed|permission denied|terminal prompts disabled|access denied|host key verification failed/i;
const refMissing = /couldn't find remote ref|not our ref|invalid refspec/i;

export interface GitFetcherOptions {
  /** The folder of the clones; made when it is not there. */
  readonly cache: string;
  /** The name or path of git. */
  readonly program?: string;
}

export interface FetchedCommit {
  readonly commit: string;
  /** Whether the repository did not answer, and the cache of an earlier installation did. */
  readonly cached: boolean;
}

interface GitRun {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export class GitFetcher {
  readonly #cache: string;
  readonly #program: string;
  readonly #turns = new Turns();

  constructor({ cache, program = 'git' }: GitFetcherOptions) {
    this.#cache = cache;
    this.#program = program;
  }

  /**
   * Writes what is wanted of the repository to `file`, as a tar archive with one folder around it. Neither the archive nor
   * what the clone grows by is larger than `maxBytes`; of what is too large nothing is kept.
   * @throws ActionFailure SOURCE_NOT_FOUND, FETCH_FAILED, PACKAGE_REFUSED; the signal's reason; what a failed write throws
   */
  async fetch(source: GitSource, file: string, maxBytes: number, signal: AbortSignal): Promise<FetchedCommit> {
    const clone = join(this.#cache, createHash('sha256').update(source.repository).digest('hex').slice(0, 32));
    using _turn = await this.#turns.take(clone, signal);
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    const attempt = async (): Promise<FetchedCommit> => {
      await this.#init(clone, bounded);
      const fetched = await growing(clone, maxBytes, bounded, (watched) => this.#fetchCommit(source, clone, watched));
      await this.#archive(source, clone, fetched.commit, file, maxBytes, bounded);
      await noteUse(clone);
      return fetched;
    };
    try {
      try {
        return await attempt();
      } catch (error) {
        if (bounded.aborted || error instanceof TooLarge || !(await this.#isDamaged(clone, bounded))) throw error;
        // A power cut did this, or the disk: what is in a cache is fetched anew.
        await rm(clone, { recursive: true, force: true, maxRetries: 5 });
        return await attempt();
      }
    } catch (error) {
      // Who stops does not wait: the next fetch removes what this one leaves (removeCutOff).
      signal.throwIfAborted();
      if (error instanceof TooLarge || !(await this.#keepsAny(clone))) await rm(clone, { recursive: true, force: true, maxRetries: 5 });
      if (bounded.aborted) throw refuse(pluginInstall, 'FETCH_FAILED', `${shownSource(source.repository)} could not be fetched: git took longer than ${limitMs / 60_000} minutes`);
      if (error instanceof TooLarge) throw refuse(pluginInstall, 'PACKAGE_REFUSED', `${shownSource(source.repository)} is refused: ${error.message}; leave out what the plugin does not need to run`, {}, { cause: error });
      throw error;
    }
  }

  async #init(clone: string, signal: AbortSignal): Promise<void> {
    if ((await this.#git(['--git-dir', clone, 'rev-parse', '--git-dir'], signal)).code === 0) return await removeCutOff(clone);
    await rm(clone, { recursive: true, force: true });
    await mkdir(clone, { recursive: true });
    const { code, errors } = await this.#git(['init', '--quiet', '--bare', '--template=', clone], signal);
    if (code !== 0) throw refuse(pluginInstall, 'STORAGE_ERROR', `git could not make ${clone}: ${reasonIn(errors)}`);
  }

  /** Whether git itself finds the clone broken: only asked after a failure, for it reads everything. */
  async #isDamaged(clone: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#git(['--git-dir', clone, 'fsck', '--full', '--no-dangling', '--no-progress'], signal)).code !== 0;
  }

  /** Whether an earlier fetch is there, for when the network is not. */
  async #keepsAny(clone: string): Promise<boolean> {
    const kept = this.#git(['--git-dir', clone, 'for-each-ref', '--count=1', keptRefs], AbortSignal.timeout(endMs));
    return await kept.then(({ code, output }) => code === 0 && output !== '', () => false);
  }

  /** Fetches one commit and keeps it under a name of its own, where it is found again when the network is not there. */
  async #fetchCommit(source: GitSource, clone: string, signal: AbortSignal): Promise<FetchedCommit> {
    const kept = `${keptRefs}/${createHash('sha256').update(JSON.stringify(source.wanted)).digest('hex').slice(0, 32)}`;
    const keptCommit = async (): Promise<string> => (await this.#git(['--git-dir', clone, 'rev-parse', '--verify', '--quiet', `${kept}^{commit}`], signal)).output.trim();
    const former = await keptCommit();
    // A commit never becomes another one.
    if (former !== '' && source.wanted.kind === 'ref' && source.wanted.ref === former) return { commit: former, cached: false };
    const ref = await this.#refOf(source, clone, signal);
    const { code, errors } = ref.ok
      ? await this.#git(['--git-dir', clone, 'fetch', '--quiet', '--no-tags', '--depth=1', '--no-recurse-submodules', '--', source.repository, `+${ref.ref}:${kept}`], signal)
      : ref;
    if (code === 0) return { commit: await keptCommit(), cached: false };
    if (former !== '' && networkTrouble.test(errors) && !accessDenied.test(errors)) return { commit: former, cached: true };
    throw fetchFailure(source, errors);
  }

  /** What is asked of the repository; for a range, the newest tag that is in it. */
  async #refOf({ repository, wanted }: GitSource, clone: string, signal: AbortSignal): Promise<{ readonly ok: true; readonly ref: string } | ({ readonly ok: false } & GitRun)> {
    if (wanted.kind === 'head') return { ok: true, ref: 'HEAD' };
    if (wanted.kind === 'ref') return { ok: true, ref: wanted.ref };
    const listed = await this.#git(['--git-dir', clone, 'ls-remote', '--quiet', '--tags', '--refs', '--', repository], signal);
    if (listed.code !== 0) return { ok: false, ...listed };
    const tags = listed.output.split('\n').flatMap((line) => /\trefs\/tags\/(.+)$/.exec(line)?.[1] ?? []);
    const best = semver.maxSatisfying(tags.filter((tag) => semver.valid(tag) !== null), wanted.range);
    if (best === null) {
      throw refuse(pluginInstall, 'SOURCE_NOT_FOUND', `${shownSource(repository)} has no tag that is a version in ${wanted.range}; it has ${tags.length === 0 ? 'no tags' : tags.slice(-8).join(', ')}`);
    }
    return { ok: true, ref: `refs/tags/${best}` };
  }

  async #archive({ repository, folder }: GitSource, clone: string, commit: string, file: string, maxBytes: number, signal: AbortSignal): Promise<void> {
    const tree = folder === undefined ? commit : `${commit}:${folder}`;
    const child = this.#spawn(['--git-dir', clone, 'archive', '--format=tar', '--prefix=package/', tree], signal);
    const [errors, code] = await Promise.all([text(child.stderr), exitCode(child), pipeline(child.stdout, limited(maxBytes), createWriteStream(file), { signal })]);
    if (code !== 0) {
      throw refuse(pluginInstall, 'SOURCE_NOT_FOUND', `git cannot pack ${folder === undefined ? 'the commit' : `the folder ${folder} of the commit`} ${commit} of ${shownSource(repository)}: ${reasonIn(errors)}`);
    }
  }

  async #git(args: readonly string[], signal: AbortSignal): Promise<GitRun> {
    const child = this.#spawn(args, signal);
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    child.once('close', () => close());
    try {
      const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), exitCode(child)]);
      return { output, errors, code };
    } catch (cause) {
      if (isSystemError(cause, 'ENOENT')) {
        throw refuse(pluginInstall, 'FETCH_FAILED', `the program ${this.#program} is not on this host, and a git address needs it; install git, or give an archive`, {}, { cause });
      }
      // Told to end, it and its helpers may write for a moment yet to the clone, which is removed next.
      if (signal.reason instanceof TooLarge) await orAborted(closed, AbortSignal.timeout(endMs)).catch(() => {});
      throw cause;
    }
  }

  #spawn(args: readonly string[], signal: AbortSignal) {
    return spawn(this.#program, ['-c', 'core.hooksPath=/dev/null', '-c', 'gc.auto=0', '-c', 'fetch.unpackLimit=1', '-c', 'http.lowSpeedLimit=100', '-c', 'http.lowSpeedTime=60', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      env: {
        ...withoutGit(process.env),
        LC_ALL: 'C',
        // Whoever would ask for a name, a password or a passphrase fails instead.
        GIT_TERMINAL_PROMPT: '0',
        GIT_ASKPASS: '',
        SSH_ASKPASS_REQUIRE: 'never',
        GIT_SSH_COMMAND: `${process.env['GIT_SSH_COMMAND'] ?? 'ssh'} -o BatchMode=yes -o ConnectTimeout=30`,
        GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
      },
    });
  }
}

/** Removes what a fetch that was cut off left in the clone: packs that git would keep for weeks, and locks that it would respect for ever. */
async function removeCutOff(clone: string): Promise<void> {
  for (const entry of await readdir(clone, { recursive: true, withFileTypes: true })) {
    const isCutOff = entry.name.endsWith('.lock') || (entry.name.startsWith('tmp_') && entry.parentPath.endsWith(join('objects', 'pack')));
    if (isCutOff && entry.isFile()) await rm(join(entry.parentPath, entry.name), { force: true });
  }
}

/** The variables by which a git that runs us, such as a hook, would turn ours to its own repository. */
function withoutGit(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|COMMON_DIR|NAMESPACE)$/.test(name)));
}

async function exitCode(child: ReturnType<typeof spawn>): Promise<number> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

function fetchFailure(source: GitSource, errors: string): ActionFailure {
  const repository = shownSource(source.repository);
  const { wanted } = source;
  if (wanted.kind === 'ref' && refMissing.test(errors)) {
    return refuse(pluginInstall, 'SOURCE_NOT_FOUND', `${repository} has no branch, tag or whole commit ${JSON.stringify(wanted.ref)}; check what follows the "#"`);
  }
  if (accessDenied.test(errors)) {
    return refuse(pluginInstall, 'FETCH_FAILED', `${repository} is not open to this host, and nobody can be asked for a password: ${reasonIn(errors)}; use an ssh key or a credential helper of the user that packagemanager runs as, or give an archive`);
  }
  return refuse(pluginInstall, 'FETCH_FAILED', `${repository} could not be fetched: ${reasonIn(errors)}; check the address, and that this host reaches it`);
}

/** The lines in which git says why, as one. */
function reasonIn(errors: string): string {
  const lines = errors.split('\n').map((line) => line.replace(/^(fatal|error|remote): /, '').trim().replace(/\.$/, '')).filter((line) => line !== '' && !/^(Please make sure|and the repository exists)/.test(line));
  return shownSource(lines.slice(0, 3).join('; ').slice(0, 500)) || 'git gave no reason';
}
