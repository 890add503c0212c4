// On what was measured, and what else it did meanwhile.
import { statfsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';

/** Numbers of linux/magic.h. */
const fileSystems: ReadonlyMap<number, string> = new Map([[0xef53, 'ext4'], [0x01021994, 'tmpfs, which is no disk'], [0x58465342, 'xfs'], [0x9123683e, 'btrfs'], [0x794c7630, 'overlayfs']]);

export function machineText(folder: string): string {
  const { type } = statfsSync(folder);
  const load = loadavg().map((value) => value.toFixed(1)).join(' ');
  return `${new Date().toISOString().slice(0, 16)}Z, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} processors, Linux ${release()}, Node ${process.version}, ${fileSystems.get(type) ?? `file system 0x${type.toString(16)}`}; load ${load}`;
}
