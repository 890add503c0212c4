// The disks of this host: what is mounted, and how full it is.
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { ActionFailure } from '@majordomus/plugin';
import { DiskAsker, type Answer } from './disk-asker.ts';
import { isDisk, mountOf, parseMountTable, withoutBindMounts, type Mount } from './mount-table.ts';
import type { Space } from './space.ts';

/** A disk and how full it is, or why that cannot be said. */
export type Disk = { readonly mountPoint: string; readonly device: string; readonly fileSystem: string } & (Space | { readonly problem: string });

export type Check = {
  readonly path: string;
  readonly mountPoint: string;
  readonly usedPercent: number;
  readonly limit: number;
  /** Whether no more than the limit is used. */
  readonly ok: boolean;
};

export interface DisksOptions {
  /** The file that holds the mount table. */
  readonly mountTable?: string;
  readonly asker?: DiskAsker;
}

export class Disks {
  readonly #mountTable: string;
  readonly #asker: DiskAsker;

  constructor({ mountTable = '/proc/self/mounts', asker = new DiskAsker() }: DisksOptions = {}) {
    this.#mountTable = mountTable;
    this.#asker = asker;
  }

  /** What is mounted. @throws ActionFailure COMMAND_FAILED on a system without such a table */
  async mounts(): Promise<Mount[]> {
    try {
      return parseMountTable(await readFile(this.#mountTable, 'utf8'));
    } catch (cause) {
      throw new ActionFailure('COMMAND_FAILED', `the mount table ${this.#mountTable} cannot be read; diskfree works on Linux`, {}, { cause });
    }
  }

  /** The disks of this host; with `all`, also what is no disk or another host's. */
  async list(all: boolean, signal: AbortSignal): Promise<Disk[]> {
    const mounts = await this.mounts();
    const chosen = withoutBindMounts(all ? mounts : mounts.filter(isDisk));
    const answers = await this.#asker.ask(chosen.map(({ mountPoint }) => mountPoint), signal);
    return chosen.map(({ mountPoint, device, fileSystem }, index) => ({ mountPoint, device, fileSystem, ...spaceOrProblem(answers[index]) }));
  }

  /**
   * Whether the disk that holds `path`, an absolute path, is used up to `limit` percent at the most.
   * @throws ActionFailure COMMAND_FAILED
   */
  async check(path: string, limit: number, signal: AbortSignal): Promise<Check> {
    const mounts = await this.mounts();
    // Its disk is asked too: one that hangs is then known by its mount point, and no other path in it is asked again.
    const disk = mountOf(mounts, posix.normalize(path))?.mountPoint ?? path;
    const [, answer] = await this.#asker.ask([disk, path], signal);
    if (answer === undefined || 'code' in answer) throw new ActionFailure('COMMAND_FAILED', `${path}: ${problemOf(answer?.code)}`);
    const mount = mountOf(mounts, answer.realPath);
    if (mount === undefined) throw new ActionFailure('COMMAND_FAILED', `${path} (${answer.realPath}) is in nothing that is mounted`);
    const { usedPercent } = answer.space;
    return { path, mountPoint: mount.mountPoint, usedPercent, limit, ok: usedPercent <= limit };
  }
}

function spaceOrProblem(answer: Answer | undefined): Space | { readonly problem: string } {
  return answer === undefined || 'code' in answer ? { problem: problemOf(answer?.code) } : answer.space;
}

function problemOf(code = 'NO_ANSWER'): string {
  switch (code) {
    case 'NO_ANSWER': return 'the disk does not answer';
    case 'ENOENT': case 'ENOTDIR': return 'there is no such file or folder';
    case 'EACCES': return 'the user that the plugin runs as may not look there';
    default: return `the disk answered with the error ${code}`;
  }
}
