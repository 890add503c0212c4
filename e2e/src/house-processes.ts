// The processes of one house as the kernel knows them, without asking the house: its parts, its plugins, and how long they
// waited for a processor.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface HouseProcess {
  /** The part or the plugin; `up` is `domus up` itself. */
  readonly name: string;
  readonly pid: number;
  /** Tells it from a later process with the same pid. */
  readonly identity: string;
  /** As in proc_pid_stat(5): `T` is suspended. */
  readonly state: string;
}

/** The parts and plugins that run, and were started with this home. */
export function houseProcesses(home: string): HouseProcess[] {
  const packages = `${join(home, 'packages')}/`;
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).flatMap((entry) => {
    const pid = Number(entry);
    const stat = read(pid, 'stat');
    // What follows the name of the program, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = ''] = fields;
    if (state === '' || state === 'Z' || state === 'X') return [];
    // What a plugin starts is in its folder, too, and does not lead the group.
    const name = (Number(fields[2]) === pid ? pluginOf(pid, packages) : undefined) ?? partOf(pid, home);
    return name === undefined ? [] : [{ name, pid, identity: `${pid}@${fields[19] ?? ''}`, state }];
  });
}

/** A plugin runs in its package's folder, which may have been removed meanwhile. */
function pluginOf(pid: number, packages: string): string | undefined {
  try {
    const folder = readlinkSync(`/proc/${pid}/cwd`);
    return folder.startsWith(packages) ? folder.slice(packages.length).split('/')[0] : undefined;
  } catch {
    return undefined;
  }
}

function partOf(pid: number, home: string): string | undefined {
  const command = read(pid, 'cmdline');
  const part = /\/apps\/([a-z]+)\/src\/main\.ts\0/.exec(command)?.[1];
  if (part === 'cli') return command.includes('\0up\0') && (command + read(pid, 'environ')).includes(`${home}\0`) ? 'up' : undefined;
  return command.includes(`\0${home}\0`) ? part : undefined;
}

/** How long a process stood ready to run without a processor (its main thread), in milliseconds; 0 where the kernel does not count. */
export function waitedForProcessorMs(pid: number): number {
  return Number(read(pid, 'schedstat').split(' ')[1] ?? 0) / 1e6;
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
