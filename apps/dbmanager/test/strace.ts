// strace for the tests: it watches the system calls of a process from outside, and lets some of them be slow or fail for
// as long as it is attached. Where it is missing or may not trace, tests are skipped with the reason; not under CI=true.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** Why nothing can be traced here; undefined if it can. */
export const cannotTrace: string | undefined = whyNot();

function whyNot(): string | undefined {
  if (process.env['CI'] === 'true') return undefined;
  const { status, error, stderr } = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
  if (error !== undefined) return 'strace is not installed (package strace)';
  return status === 0 ? undefined : `strace may not trace: ${stderr.trim()}`;
}

/** What the judge of a trace needs: each sync and each write, with all bytes, and the names of the files. */
const judged = ['-f', '-tt', '-y', '-x', '-s', '131072', '-e', 'trace=fsync,fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg'];

/** Runs a program in such a way that its whole life stands in the file; strace is its grandchild, so that it can be killed as ever. */
export const tracedFromStart = (file: string): readonly string[] => ['strace', '-D', ...judged, '-o', file, '--'];

/** The same for its syncs alone, which slows nothing else down. */
export const syncsCounted = (file: string): readonly string[] => ['strace', '-D', '-f', '--seccomp-bpf', '-y', '-e', 'trace=fsync,fdatasync', '-o', file, '--'];

export interface Strace extends AsyncDisposable {
  /** Lets go of the process, which goes on as if nothing had been; resolves when the trace is written. */
  detach(): Promise<void>;
}

/** Writes what a process does to a file, from now on. */
export const traced = (pid: number, file: string): Promise<Strace> => attach(pid, [...judged, '-o', file]);

/**
 * Does harm to the system calls of a process, in the language of strace: `inject=fsync:error=EIO`; with `path` only to
 * those of a file.
 */
export function harmed(pid: number, inject: string, path?: string): Promise<Strace> {
  return attach(pid, ['-f', '-o', '/dev/null', '-e', inject, ...(path === undefined ? [] : ['-P', path])]);
}

async function attach(pid: number, args: readonly string[]): Promise<Strace> {
  const child = spawn('strace', [...args, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = once(child, 'close');
  const detach = async (): Promise<void> => {
    child.kill('SIGTERM');
    await closed;
  };
  let said = '';
  const attached = new Promise<void>((resolve) => {
    child.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes(`Process ${pid} attached`)) resolve();
    });
  });
  const failed = closed.then((): never => {
    throw new TypeError(`strace cannot attach: ${said}`);
  });
  failed.catch(() => {});
  await Promise.race([attached, failed]);
  return { detach, [Symbol.asyncDispose]: detach };
}
