// Asks disks for their space in a process of its own (ask-disks.ts), within a bound. Nothing that a disk does holds this
// process, a thread of it, or the answers of the other disks.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ActionFailure } from '@majordomus/plugin';
import { isInside } from './mount-table.ts';
import type { Space } from './space.ts';

export type Answer =
  | { readonly space: Space; /** The path without links. */ readonly realPath: string }
  /** `NO_ANSWER`, or the code of the system: `ENOENT`. */
  | { readonly code: string };

export interface DiskAskerOptions {
  /** How long a disk may take to answer, from when the process that asks it has started. */
  readonly timeoutMs?: number;
  /** The program that asks. */
  readonly program?: string;
  /** Ends a process that hangs. One that waits for a disk may stay until the disk answers, whatever it is sent. */
  readonly kill?: (child: ChildProcess) => void;
}

/** How long the process may take to start, which on a busy machine is longer than a disk takes. */
const startLimitMs = 5000;
const noAnswer: Answer = { code: 'NO_ANSWER' };
/** Most processes that may be left hanging; each holds some 40 MB. */
const maxHanging = 4;
/** The most threads that libuv takes. */
const maxThreads = 1024;

export class DiskAsker {
  readonly #timeoutMs: number;
  readonly #program: string;
  readonly #kill: (child: ChildProcess) => void;
  /** The paths that killed processes which are still there were waiting for. */
  readonly #hanging = new Map<ChildProcess, readonly string[]>();

  constructor({ timeoutMs = 2000, program = fileURLToPath(new URL('ask-disks.ts', import.meta.url)), kill = (child) => void child.kill('SIGKILL') }: DiskAskerOptions = {}) {
    this.#timeoutMs = timeoutMs;
    this.#program = program;
    this.#kill = kill;
  }

  /**
   * Asks for all paths at once; gives an answer for each, in their order, after the bounds at the latest. What still hangs
   * from an earlier time, and all that is inside it, is not asked again.
   * @throws ActionFailure COMMAND_FAILED if no process can be started; the signal's reason, at once when it aborts
   */
  async ask(paths: readonly string[], signal: AbortSignal): Promise<Answer[]> {
    signal.throwIfAborted();
    const asked = this.#hanging.size < maxHanging ? [...new Set(paths)].filter((path) => !this.#hangs(path)) : [];
    const answers = asked.length === 0 ? new Map<string, Answer>() : await this.#run(asked, signal);
    return paths.map((path) => answers.get(path) ?? noAnswer);
  }

  #hangs(path: string): boolean {
    return [...this.#hanging.values()].some((waited) => waited.some((folder) => isInside(path, folder)));
  }

  async #run(paths: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Answer>> {
    const answers = new Map<string, Answer>();
    const child = spawn(process.execPath, [this.#program, ...paths], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // A thread for each, so that those that hang leave the others theirs.
      env: { ...process.env, UV_THREADPOOL_SIZE: String(Math.min(paths.length, maxThreads)) },
    });
    createInterface({ input: child.stdout }).once('line', () => boundAnswers()).on('line', (line) => {
      const { index, answer } = parseLine(line);
      const path = paths[index];
      if (path !== undefined) answers.set(path, answer);
    });
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
    // Also when the caller has gone: what is still there by then, although it was killed, hangs.
    const giveUp = (): void => {
      this.#hanging.set(child, paths.filter((path) => !answers.has(path)));
      this.#kill(child);
      resolve();
    };
    let bound = setTimeout(giveUp, startLimitMs);
    // It has started: the time of the disks begins.
    const boundAnswers = (): void => {
      if (this.#hanging.has(child)) return;
      clearTimeout(bound);
      bound = setTimeout(giveUp, this.#timeoutMs);
    };
    const leave = (): void => {
      this.#kill(child);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    child.once('error', (cause) => {
      clearTimeout(bound);
      reject(new ActionFailure('COMMAND_FAILED', `the process that asks the disks cannot be started: ${cause.message}`, {}, { cause }));
    });
    child.once('close', () => {
      clearTimeout(bound);
      this.#hanging.delete(child);
      resolve();
    });
    try {
      await ended;
    } finally {
      signal.removeEventListener('abort', leave);
    }
    return answers;
  }
}

/** A process that is killed while it writes leaves half a line; that is no answer. */
function parseLine(line: string): { readonly index: number; readonly answer: Answer } {
  try {
    const { index, ...answer } = JSON.parse(line) as { index: number } & Answer;
    return { index, answer };
  } catch {
    return { index: -1, answer: noAnswer };
  }
}
