// Who runs on this machine: what makes a process this very one and not another with the same number. From /proc where
// it exists, else from ps.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export const hasProc = existsSync('/proc/self/stat');

/** What tells this process from any other that has had or will have its pid; undefined if none runs under it. */
export function identityOf(pid: number): string | undefined {
  return hasProc ? identityFromProc(pid) : identityFromPs(pid);
}

/** Whether a process that has not ended (a zombie has) runs under the pid with this identity. */
export function isRunning(pid: number, identity: string): boolean {
  return identityOf(pid) === identity;
}

/**
 * The pids of the processes that carry a variable with such a value in their environment; none without /proc, nor while no file
 * can be opened.
 */
export function pidsWithVariable(name: string, isMeant: (value: string) => boolean): number[] {
  return (pidsInProc() ?? []).filter((pid) => {
    const value = variableOf(pid, name);
    return value !== undefined && isMeant(value);
  });
}

/** Everybody that runs; undefined where there is no /proc, or while no file can be opened: then it is not known. */
export function pidsInProc(): number[] | undefined {
  if (!hasProc) return undefined;
  try {
    return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number);
  } catch {
    return undefined;
  }
}

/** What the environment of a process had for a variable when it started; undefined where there is none, or it cannot be seen. */
export function variableOf(pid: number, name: string): string | undefined {
  const start = `${name}=`;
  return readText(`/proc/${pid}/environ`)?.split('\0').find((variable) => variable.startsWith(start))?.slice(start.length);
}

/** How many processes the kernel has killed for want of memory since the machine was booted; 0 where that is not told. */
export function memoryKills(): number {
  return Number(/^oom_kill (\d+)$/m.exec(readText('/proc/vmstat') ?? '')?.[1] ?? 0);
}

/** The boot and the clock tick of its start: field 22 of the kernel's line, counted after the name, which may hold anything. */
function identityFromProc(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields ?? [];
  const startTicks = fields?.[19];
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  return `${readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''} ${startTicks}`;
}

/** Exported for its test: the second in which it started. */
export function identityFromPs(pid: number): string | undefined {
  try {
    const [state, ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim().split(/\s+/);
    return started.length === 0 || state?.startsWith('Z') === true ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
