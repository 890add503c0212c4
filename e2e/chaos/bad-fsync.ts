// The fsync calls of a running process, made slow or made to fail from outside, by strace.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const letGoLimitMs = 1000;

export function hasStrace(): boolean {
  return spawnSync('strace', ['--version']).status === 0;
}

export type FsyncFault = { readonly delayMs: number } | { readonly error: 'EIO' };

/** Attaches to all threads of the process; undefined if it is gone. What it gives lets go again. */
export async function spoilFsync(pid: number, fault: FsyncFault): Promise<(() => Promise<void>) | undefined> {
  const how = 'error' in fault ? `error=${fault.error}` : `delay_enter=${fault.delayMs * 1000}`;
  const strace = spawn('strace', ['-f', '-p', String(pid), '-e', 'trace=fsync,fdatasync', '-e', `inject=fsync,fdatasync:${how}`, '-o', '/dev/null'], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const killNow = (): void => void strace.kill('SIGKILL');
  process.once('exit', killNow);
  const ended = once(strace, 'exit').then(() => process.off('exit', killNow));
  const attached = await Promise.race([once(strace.stderr, 'data').then(([said]) => String(said).includes('attached')), ended.then(() => false)]);
  // One whose process was killed under it may wait for ever; the kernel detaches what a dead strace held.
  const letGo = async (): Promise<void> => {
    strace.kill('SIGTERM');
    const limit = setTimeout(killNow, letGoLimitMs);
    await ended;
    clearTimeout(limit);
  };
  if (!attached) {
    await letGo();
    return undefined;
  }
  strace.stderr.resume();
  return letGo;
}
