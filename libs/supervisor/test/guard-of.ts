// Which process is the guard of a supervising one.
import { readdirSync, readFileSync } from 'node:fs';

/** The process that guards what a supervising process has started; undefined while it has none. */
export function guardOf(supervisorPid: number): number | undefined {
  return readdirSync('/proc').map(Number).filter((pid) => pid > 1).find((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      return parent === supervisorPid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('guard.sh');
    } catch {
      return false;
    }
  });
}
