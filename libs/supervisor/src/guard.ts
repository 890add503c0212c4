// One small process per supervisor that outlives it and kills what it has started (docs/architecture.md, "Supervision"):
// the kernel's death signal reaches direct children only, and a process that is blocked or stopped does not see its standard
// input close. It is a shell script, guard.sh; here it is started, told, and started again should it end.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Log } from '@majordomus/runtime';

const script = fileURLToPath(new URL('guard.sh', import.meta.url));
const shell = '/bin/sh';
/** The pause before another is started; it doubles with each that did not last. */
const firstAgainMs = 1000;
const againLimitMs = 60_000;
/** Who ran for so long was started well. */
const lastedMs = 5000;
const endLimitMs = 1000;

export interface GuardOptions {
  /** What everything that it is to kill carries in its environment. */
  readonly marker: string;
  /** Whose guard it is, for who looks at the list of processes. */
  readonly whose: string;
  readonly log: Log;
}

export class Guard implements AsyncDisposable {
  readonly #options: GuardOptions;
  readonly #groups = new Set<number>();
  #child: ChildProcess | undefined;
  #startedMs = 0;
  #again: NodeJS.Timeout | undefined;
  #againMs = firstAgainMs;
  #isOver = false;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#start();
  }

  /** A process group that is to be killed if the supervisor is gone. */
  watch(group: number): void {
    this.#groups.add(group);
    this.#say(`watch ${group}`);
  }

  /** The group has ended; its number may be another's soon. */
  forget(group: number): void {
    this.#groups.delete(group);
    this.#say(`forget ${group}`);
  }

  /** Lets the guard go, who then kills nothing. May be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#again);
    const child = this.#child;
    if (child === undefined || child.pid === undefined) return;
    const limit = setTimeout(() => child.kill('SIGKILL'), endLimitMs);
    child.stdin?.end('end\n');
    child.ref();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    clearTimeout(limit);
  }

  #say(line: string): void {
    if (this.#child?.stdin?.writable === true) this.#child.stdin.write(`${line}\n`);
  }

  #start(): void {
    const { marker, whose } = this.#options;
    this.#startedMs = performance.now();
    // A session of its own, and nothing in its environment by which it would be taken for one of those that it kills.
    const child: ChildProcess = spawn(shell, [script, marker, whose], {
      cwd: '/', env: { PATH: process.env['PATH'] }, detached: true, stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child = child;
    child.once('error', (error) => this.#ended(error.message));
    child.once('exit', (code, signal) => this.#ended(signal === null ? `exit code ${code}` : `killed by ${signal}`));
    // There is no pipe where none could be made, as without a free file descriptor; then it is nobody, and its error comes.
    if (child.pid === undefined) return;
    child.stdin?.on('error', () => {});
    // It does not hold up a process that has nothing else to do.
    child.unref();
    if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
    for (const group of this.#groups) this.#say(`watch ${group}`);
  }

  #ended(why: string): void {
    if (this.#isOver) return;
    this.#child = undefined;
    if (performance.now() - this.#startedMs >= lastedMs) this.#againMs = firstAgainMs;
    // Once: where there is no shell it is so each time.
    if (this.#againMs === firstAgainMs) this.#options.log.warn(`the guard, which ends what would be left behind, ended: ${why}; another is started, and again and again if it ends at once`);
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#start(), this.#againMs).unref();
    this.#againMs = Math.min(this.#againMs * 2, againLimitMs);
  }
}
