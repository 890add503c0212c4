// Who runs this process when it is a script of npm or pnpm. A SIGTERM to `npx pnpm start` ends only npx, and leaves what it
// started; so a house that was started that way watches the processes above it. Linux only: elsewhere nobody is watched.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const maxLevels = 8;
const managers = /^(npm|npx|pnpm)\b/;

/** The processes between this one and the outermost package manager that runs it; none if no script runs it. */
export function launcherPids(env: NodeJS.ProcessEnv = process.env): readonly number[] {
  if (env['npm_lifecycle_event'] === undefined) return [];
  const pids: number[] = [];
  let outermost = 0;
  let pid = process.ppid;
  while (pid > 1 && pids.length < maxLevels) {
    pids.push(pid);
    if (isPackageManager(pid)) outermost = pids.length;
    pid = parentOf(pid);
  }
  return pids.slice(0, outermost);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function isPackageManager(pid: number): boolean {
  const [program = '', script = ''] = readProc(pid, 'cmdline').split('\0');
  // npm puts its arguments into its name: `npm exec domus up --home /srv/house`.
  return managers.test(basename(program)) || managers.test(program) || (basename(program) === 'node' && managers.test(basename(script)));
}

function parentOf(pid: number): number {
  const stat = readProc(pid, 'stat');
  // The name, in parentheses, may hold anything; state and parent follow its last one.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
