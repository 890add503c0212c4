// A supervising process that cannot open a file any more: it goes on, and what it cannot see it does not know.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { steady, testHome } from '../test/children.ts';
import type { HostArguments } from '../test/host.ts';
import type { OutOfFilesReport } from '../test/out-of-files.ts';

const canLimit = spawnSync('prlimit', ['--version']).status === 0;
const program = join(import.meta.dirname, '..', 'test', 'out-of-files.ts');

describe.skipIf(!canLimit && process.env['CI'] !== 'true')('a supervising process without a free file descriptor (needs prlimit)', () => {
  it('notes the end of a child, knows no memory, waits for another guard, and starts the child again when it can', { timeout: 30_000 }, () => {
    const home = testHome();
    const args: HostArguments = {
      options: { owner: 'test', runFolder: home.runFolder, logsFolder: home.logsFolder }, program: home.program('child', steady), cwd: home.folder,
    };
    const { stdout, stderr } = spawnSync('prlimit', ['--nofile=100:100', process.execPath, program, JSON.stringify(args)], { encoding: 'utf8', timeout: 25_000 });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout) as OutOfFilesReport).toEqual({ guarded: true, whileNone: [], state: expect.stringMatching(/backoff|failed/) as string, lastError: 'killed by SIGKILL', after: 1 });
  });
});
