// The processes of this machine, as far as the tests ask: which belong to a home, and whether one still runs.
import { readdirSync, readFileSync } from 'node:fs';

export interface Seen {
  readonly pid: number;
  readonly command: string;
}

/** Every process that has the text in its command line or its environment; a zombie has neither. */
export function processesWith(text: string): Seen[] {
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number).filter((pid) => pid !== process.pid).flatMap((pid) => {
    const command = read(pid, 'cmdline').replaceAll('\0', ' ').trim();
    return command.includes(text) || read(pid, 'environ').includes(text) ? [{ pid, command }] : [];
  });
}

/** Whether a process runs; one that ended and was not collected does not. */
export function isRunning(pid: number): boolean {
  const stat = read(pid, 'stat');
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state !== '' && state !== 'Z' && state !== 'X';
}

/** SIGKILL, to one that may have ended by itself. */
export function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
