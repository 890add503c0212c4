// How much memory each supervised process holds, with its group and what it has started: from /proc where it exists, else from
// ps. It is looked at each second, so that it must cost little: of processes that are not ours only the number is read again.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** One process as the kernel tells of it. */
export interface MemoryRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly residentBytes: number;
}

/** Supervised processes by pid; the value says whether what they start in groups of their own counts for them, too. */
export type MemoryOwners = ReadonlyMap<number, { readonly withDescendants: boolean }>;

/**
 * Whose memory each process is, by pid: that of the owner in whose group it is, or from whom it descends. What is nobody's is missing.
 * Pure; rows may be of a moment in which parents were already gone.
 */
export function ownersOf(rows: readonly MemoryRow[], owners: MemoryOwners): ReadonlyMap<number, number> {
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const found = new Map<number, number | undefined>();
  const ownerOf = (pid: number): number | undefined => {
    if (found.has(pid)) return found.get(pid);
    // Whoever asks for it in a circle finds nobody.
    found.set(pid, undefined);
    const row = byPid.get(pid);
    if (row === undefined) return undefined;
    const own = owners.has(pid) ? pid : owners.has(row.group) ? row.group : undefined;
    const ofParent = own === undefined ? ownerOf(row.parent) : undefined;
    const owner = own ?? (ofParent !== undefined && owners.get(ofParent)?.withDescendants === true ? ofParent : undefined);
    found.set(pid, owner);
    return owner;
  };
  return new Map(rows.flatMap(({ pid }) => {
    const owner = ownerOf(pid);
    return owner === undefined ? [] : [[pid, owner]];
  }));
}

const hasProc = existsSync('/proc/self/stat');
/** After so many looks everybody is read again: a number may have become another's. */
const looksPerWhole = 10;

export class MemoryTable {
  /** Who belonged to nobody when it was looked at. */
  #foreign: ReadonlySet<number> = new Set();
  #looks = 0;

  /** The resident bytes of each owner that runs. */
  async residentBytes(owners: MemoryOwners): Promise<ReadonlyMap<number, number>> {
    this.#looks += 1;
    const known: ReadonlySet<number> = this.#looks % looksPerWhole === 0 ? new Set() : this.#foreign;
    const pids = hasProc ? readdirSync('/proc').map(Number).filter((pid) => pid > 0) : [];
    const rows = hasProc ? pids.flatMap((pid) => (known.has(pid) ? [] : (rowFromProc(pid) ?? []))) : await rowsFromPs();
    const owned = ownersOf(rows, owners);
    this.#foreign = new Set(pids.filter((pid) => !owned.has(pid)));
    const bytes = new Map<number, number>();
    for (const { pid, residentBytes } of rows) {
      const owner = owned.get(pid);
      if (owner !== undefined) bytes.set(owner, (bytes.get(owner) ?? 0) + residentBytes);
    }
    return bytes;
  }
}

/** Fields 4, 5 and 24 of the kernel's line, counted after the name, which may hold anything. */
function rowFromProc(pid: number): MemoryRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid, parent: Number(fields[1]), group: Number(fields[2]), residentBytes: Number(fields[21]) * pageBytes() };
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

/** Exported for its test. */
export async function rowsFromPs(): Promise<readonly MemoryRow[]> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,rss='], { encoding: 'utf8' });
    return stdout.trim().split('\n').map((line) => {
      const [pid = 0, parent = 0, group = 0, residentKb = 0] = line.trim().split(/\s+/).map(Number);
      return { pid, parent, group, residentBytes: residentKb * 1024 };
    });
  } catch {
    // Without ps the memory is unknown, and no limit is enforced.
    return [];
  }
}

let page: number | undefined;

/** 4 KiB on most machines, and 16 or 64 KiB on some. */
function pageBytes(): number {
  page ??= readPageBytes();
  return page;
}

function readPageBytes(): number {
  try {
    return Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return 4096;
  }
}
