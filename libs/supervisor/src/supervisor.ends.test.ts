// What is left when the supervising process itself is killed, suspended or done: nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessStatus } from '@majordomus/contracts';
import { describe, expect, it, vi } from 'vitest';
import { gone, printedPid, runs, stray, testHome, type TestHome } from '../test/children.ts';
import { guardOf } from '../test/guard-of.ts';
import type { HostArguments } from '../test/host.ts';
import { deathSignalPrefix } from './program.ts';

const hostProgram = join(import.meta.dirname, '..', 'test', 'host.ts');

/** Starts a supervising process with one child. */
function startHost(home: TestHome, code: string, options: Partial<HostArguments['options']> = {}) {
  const args: HostArguments = {
    options: { owner: 'test', runFolder: home.runFolder, logsFolder: home.logsFolder, ...options },
    program: home.program('child', code),
    cwd: home.folder,
  };
  const host = spawn(process.execPath, [hostProgram, JSON.stringify(args)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: host.stdout })[Symbol.asyncIterator]();
  stray(host.pid);
  return {
    host,
    /** The next status that it prints. */
    status: async (): Promise<ProcessStatus & { readonly pid: number }> => {
      const { value } = await lines.next() as { value: string };
      const status = JSON.parse(value) as ProcessStatus;
      return { ...status, pid: stray(status.pid) };
    },
    say: (line: string) => void host.stdin.write(`${line}\n`),
    /** SIGKILL to its guard. */
    killGuard: () => void process.kill(stray(guardOf(stray(host.pid))), 'SIGKILL'),
  };
}

const hasProc = existsSync('/proc/self/environ');

/** Notices nothing of its supervisor's end: it neither reads nor writes. */
const deaf = `tell({ state: 'ready' }); stay();`;
const steady = `tell({ state: 'ready' }); keepAlive(); endWithSupervisor();`;

describe('the supervising process', () => {
  it('that is done has no timer, no handle and no process left: it ends by itself', async () => {
    const home = testHome();
    const { host, status, say } = startHost(home, steady);
    const { pid } = await status();
    say('end');
    expect(await once(host, 'exit')).toEqual([0, null]);
    expect(runs(pid)).toBe(false);
    expect(existsSync(join(home.runFolder, 'child.json'))).toBe(false);
  });

  it.skipIf(!existsSync('/proc/self/environ'))('that is done has ended also what its children let go of', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('child', `
      import { spawn } from 'node:child_process';
      console.log(spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }).pid);
      ${steady}
    `));
    supervisor.start('child');
    const pid = await printedPid(supervisor, 'child');
    expect(runs(pid)).toBe(true);
    await supervisor[Symbol.asyncDispose]();
    await gone(pid);
  });

  it.skipIf(deathSignalPrefix().length === 0)('that is killed with -9 takes its children with it, also those that do not look at their standard input', async () => {
    const { host, status } = startHost(testHome(), deaf);
    const { pid } = await status();
    host.kill('SIGKILL');
    await gone(pid);
  });

  it.runIf(hasProc)('that is killed with -9 together with its guard ends its children where there is no setpriv: their standard input closes', async () => {
    const { host, status, killGuard } = startHost(testHome(), steady, { deathSignal: false });
    const { pid } = await status();
    killGuard();
    host.kill('SIGKILL');
    await gone(pid);
  });

  it.runIf(hasProc)('that was killed with -9 together with its guard ends, when it starts again, first what was left of the run before', async () => {
    const home = testHome();
    const { host, status, killGuard } = startHost(home, deaf, { deathSignal: false });
    const { pid } = await status();
    killGuard();
    host.kill('SIGKILL');
    await once(host, 'exit');
    await home.open({ owner: 'another' });
    expect(runs(pid)).toBe(true);
    const supervisor = await home.open();
    expect(runs(pid)).toBe(false);
    supervisor.add(home.spec('child', steady));
    supervisor.start('child');
    expect(await supervisor.settled('child')).toMatchObject({ state: 'running', restarts: 0 });
  });

  it('that was suspended does not take its own gap for the silence of its children', async () => {
    const { host, status, say } = startHost(testHome(), steady, { settings: { aliveLimitMs: 1000 } });
    const { pid } = await status();
    host.kill('SIGSTOP');
    // The time itself is what is tested: twice as long as a child may be silent.
    await delay(2000);
    host.kill('SIGCONT');
    for (let turn = 0; turn < 5; turn += 1) {
      say('status');
      expect(await status()).toMatchObject({ state: 'running', pid, restarts: 0, lastError: '' });
    }
    say('end');
    expect(await once(host, 'exit')).toEqual([0, null]);
  });
});

/** A child of the child that has left its group, with the descriptors of nobody, and ignores all it can; its pid is printed. */
const lettingGo = `
  const { spawn } = await import('node:child_process');
  console.log(spawn(process.execPath, ['-e', 'for (const name of ["SIGTERM", "SIGHUP"]) process.on(name, () => {}); setInterval(() => {}, 60_000)'], { detached: true, stdio: 'ignore' }).pid);`;

describe('the guard, where there is no setpriv', () => {
  const noDeathSignal = { deathSignal: false };
  /** The pid that the child has printed into its log. */
  const printed = async (home: TestHome): Promise<number> => await vi.waitFor(() => {
    const line = readFileSync(join(home.logsFolder, 'child.log'), 'utf8').split('\n').find((text) => /^\d+$/.test(text));
    return stray(Number(line));
  }, { timeout: 8000, interval: 10 });

  it('ends a blocked child within 2 s after its supervisor was killed with -9', async () => {
    const { host, status } = startHost(testHome(), `tell({ state: 'ready' }); for (;;);`, noDeathSignal);
    const { pid } = await status();
    host.kill('SIGKILL');
    await gone(pid, 2000);
  });

  it('ends a stopped child, too', async () => {
    const { host, status } = startHost(testHome(), steady, noDeathSignal);
    const { pid } = await status();
    process.kill(pid, 'SIGSTOP');
    host.kill('SIGKILL');
    await gone(pid, 2000);
  });

  it.runIf(hasProc)('ends what a blocked child has started in a session of its own', async () => {
    const home = testHome();
    const { host, status } = startHost(home, `${lettingGo} tell({ state: 'ready' }); for (;;);`, noDeathSignal);
    const { pid } = await status();
    const grandchild = await printed(home);
    host.kill('SIGKILL');
    await gone(pid, 2000);
    await gone(grandchild, 2000);
  });

  it.runIf(hasProc)('is gone itself when it has done so', async () => {
    const { host, status } = startHost(testHome(), deaf, noDeathSignal);
    await status();
    const guard = stray(guardOf(stray(host.pid)));
    host.kill('SIGKILL');
    await gone(guard);
  });

  it.runIf(hasProc)('that was killed is replaced by one that knows what runs', async () => {
    const { host, status, say, killGuard } = startHost(testHome(), deaf, noDeathSignal);
    const { pid } = await status();
    const before = guardOf(stray(host.pid));
    killGuard();
    await vi.waitFor(() => expect(guardOf(stray(host.pid)) ?? before).not.toBe(before), { timeout: 8000, interval: 20 });
    // It is told what runs in the turn in which it is started; who answers has ended that turn.
    say('status');
    await status();
    host.kill('SIGKILL');
    await gone(pid, 2000);
  });

  it.runIf(hasProc)('kills nobody, and is gone, when its supervisor ends in order', async () => {
    const { host, status, say } = startHost(testHome(), steady, noDeathSignal);
    const { pid } = await status();
    const guard = stray(guardOf(stray(host.pid)));
    say('end');
    expect(await once(host, 'exit')).toEqual([0, null]);
    expect(runs(guard)).toBe(false);
    expect(runs(pid)).toBe(false);
  });
});
