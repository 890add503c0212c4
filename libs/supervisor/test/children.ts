// Real programs for the tests to supervise, in a folder of its own for each test, and the means to see whether they are gone.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessState } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { afterEach, vi } from 'vitest';
import { identityOf } from '../src/process-table.ts';
import type { ProcessSpec } from '../src/process-spec.ts';
import { Supervisor, type SupervisorOptions } from '../src/supervisor.ts';

const prelude = `
import { writeSync } from 'node:fs';
const tell = (message) => writeSync(3, JSON.stringify(message) + '\\n');
const keepAlive = () => setInterval(() => tell({ state: 'alive' }), 50);
const stay = () => setInterval(() => {}, 60_000);
const endWithSupervisor = () => process.stdin.on('end', () => process.exit(0)).resume();
`;

/** Ready at once, alive, and gone with its supervisor. */
export const steady = `tell({ state: 'ready' }); keepAlive(); endWithSupervisor();`;
/** Says nothing, and is gone with its supervisor. */
export const silent = `stay(); endWithSupervisor();`;

/** The states that a process goes through from now on. */
export function statesOf(supervisor: Supervisor, name: string): ProcessState[] {
  const states: ProcessState[] = [];
  supervisor.onChange((change) => {
    if (change.name === name && change.status.state !== change.before.state) states.push(change.status.state);
  });
  return states;
}

export function pidOf(supervisor: Supervisor, name: string): number {
  return stray(supervisor.get(name).pid);
}

/** The pid that a program prints as the only thing on a line. */
export async function printedPid(supervisor: Supervisor, name: string): Promise<number> {
  return await vi.waitFor(() => {
    const line = supervisor.logs(name, { lines: 100 }).lines.find((text) => /^\d+$/.test(text));
    if (line === undefined) throw new TypeError('no pid is printed yet');
    return stray(Number(line));
  }, { timeout: 8000, interval: 10 });
}

export class TestHome implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'majordomus-supervisor-'));
  readonly runFolder = join(this.folder, 'run');
  readonly logsFolder = join(this.folder, 'logs');
  readonly #supervisors: Supervisor[] = [];

  async open(options: Partial<SupervisorOptions> = {}): Promise<Supervisor> {
    const supervisor = await Supervisor.open({ owner: 'test', runFolder: this.runFolder, logsFolder: this.logsFolder, log: silentLog, ...options });
    this.#supervisors.push(supervisor);
    return supervisor;
  }

  /** Writes a program; it can use `tell`, `keepAlive`, `stay` and `endWithSupervisor`. */
  program(name: string, code: string): string {
    const path = join(this.folder, `${name}.mjs`);
    writeFileSync(path, `${prelude}${code}\n`);
    return path;
  }

  spec(name: string, code: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
    return { name, command: [process.execPath, this.program(name, code)], cwd: this.folder, env: process.env, ...more };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const supervisor of this.#supervisors) await supervisor[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const homes: TestHome[] = [];
const strays: number[] = [];

/** A home that is taken down after the test. */
export function testHome(): TestHome {
  const home = new TestHome();
  homes.push(home);
  return home;
}

/** To be killed after the test if it should still be there. */
export function stray(pid: number | null | undefined): number {
  // 0 and what is negative would be whole groups, our own among them.
  if (typeof pid !== 'number' || !(pid > 1)) throw new TypeError(`${pid} is no process`);
  strays.push(pid);
  return pid;
}

afterEach(async () => {
  for (const home of homes.splice(0)) await home[Symbol.asyncDispose]();
  for (const pid of strays.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone, as it should be.
    }
  }
});

export function runs(pid: number): boolean {
  return identityOf(pid) !== undefined;
}

export async function gone(pid: number, limitMs = 8000): Promise<void> {
  await vi.waitFor(() => {
    if (runs(pid)) throw new TypeError(`process ${pid} still runs`);
  }, { timeout: limitMs, interval: 10 });
}
