// What is left when the supervising process itself is killed, suspended or done: nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessStatus } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { gone, printedPid, runs, stray, testHome, type TestHome } from '../test/children.ts';
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
  };
}

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

  it('that is killed with -9 ends its children where there is no setpriv: their standard input closes', async () => {
    const { host, status } = startHost(testHome(), steady, { deathSignal: false });
    const { pid } = await status();
    host.kill('SIGKILL');
    await gone(pid);
  });

  it('that starts again after a kill -9 ends first what was left of the run before', async () => {
    const home = testHome();
    const { host, status } = startHost(home, deaf, { deathSignal: false });
    const { pid } = await status();
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
    const { host, status, say } = startHost(testHome(), steady, { settings: { aliveLimitMs: 500 } });
    const { pid } = await status();
    host.kill('SIGSTOP');
    // The time itself is what is tested: twice as long as a child may be silent.
    await delay(1000);
    host.kill('SIGCONT');
    for (let turn = 0; turn < 5; turn += 1) {
      say('status');
      expect(await status()).toMatchObject({ state: 'running', pid, restarts: 0, lastError: '' });
    }
    say('end');
    expect(await once(host, 'exit')).toEqual([0, null]);
  });
});
