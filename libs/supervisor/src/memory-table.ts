// How much memory each supervised process holds, with its group and what it has started, also what it let go of: from /proc where it
// exists, else from ps. It is looked at each second, so that it must cost little: of processes that are not ours only the number is
// read again.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isSystemError, runMarkerVariable } from '@majordomus/runtime';
import { hasProc, pidsInProc, variableOf } from './process-table.ts';

/** One process as the kernel tells of it. */
export interface MemoryRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly residentBytes: number;
}

/** A supervised process. */
export interface MemoryOwner {
  /** Whether what it starts in groups of its own counts for it, too. */
  readonly withDescendants: boolean;
  /** What it and all that it starts carry in their environment. */
  readonly marker?: string;
  /** Past this the shares are counted of what several of its processes have in common. */
  readonly limitBytes?: number | undefined;
}

/** By pid. */
export type MemoryOwners = ReadonlyMap<number, MemoryOwner>;

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

/** After so many looks everybody is read again: a number may have become another's. */
const looksPerWhole = 10;

export class MemoryTable {
  /** Who belonged to nobody when it was looked at. */
  #foreign: ReadonlySet<number> = new Set();
  #looks = 0;

  /**
   * What each owner that runs holds: its resident memory, which counts what several share for each of them. Where that is past the
   * limit the kernel is asked for the shares, which takes longer. Empty while it is not known, as without a free file descriptor.
   */
  async heldBytes(owners: MemoryOwners): Promise<ReadonlyMap<number, number>> {
    const pids = pidsInProc();
    const rows = hasProc ? this.#rowsOf(pids) : await rowsFromPs();
    if (rows === undefined) return new Map();
    const owned = new Map(ownersOf(rows, owners));
    for (const [pid, owner] of markedOf(rows.filter(({ pid }) => !owned.has(pid)), owners)) owned.set(pid, owner);
    this.#foreign = new Set(pids?.filter((pid) => !owned.has(pid)));
    const held = new Map<number, number>();
    for (const [owner, { limitBytes = Infinity }] of owners) {
      const own = rows.filter(({ pid }) => owned.get(pid) === owner);
      const resident = sum(own.map(({ residentBytes }) => residentBytes));
      if (own.length > 0) held.set(owner, resident > limitBytes ? sum(await Promise.all(own.map(shareOf))) : resident);
    }
    return held;
  }

  /** Those that may be somebody's; undefined if it is not known. */
  #rowsOf(pids: readonly number[] | undefined): readonly MemoryRow[] | undefined {
    this.#looks += 1;
    const known: ReadonlySet<number> = this.#looks % looksPerWhole === 0 ? new Set() : this.#foreign;
    try {
      return pids?.filter((pid) => !known.has(pid)).flatMap((pid) => rowFromProc(pid) ?? []);
    } catch {
      return undefined;
    }
  }
}

/** Whose marker each carries: one that left its group and was let go of has no parent of ours any more. */
function markedOf(rows: readonly MemoryRow[], owners: MemoryOwners): [number, number][] {
  const byMarker = new Map([...owners].flatMap(([owner, { marker, withDescendants }]) => (marker === undefined || !withDescendants ? [] : [[marker, owner]])));
  if (byMarker.size === 0) return [];
  return rows.flatMap(({ pid }) => {
    const owner = byMarker.get(variableOf(pid, runMarkerVariable) ?? '');
    return owner === undefined ? [] : [[pid, owner]];
  });
}

/** Its own memory and its part of what it shares; its resident memory where the kernel does not tell. */
async function shareOf({ pid, residentBytes }: MemoryRow): Promise<number> {
  try {
    const kb = /^Pss:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return kb === undefined ? residentBytes : Number(kb) * 1024;
  } catch {
    return residentBytes;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/**
 * Fields 4, 5 and 24 of the kernel's line, counted after the name, which may hold anything; undefined if it ended meanwhile.
 * @throws the file system's error if no file can be opened: then it may well run
 */
function rowFromProc(pid: number): MemoryRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid, parent: Number(fields[1]), group: Number(fields[2]), residentBytes: Number(fields[21]) * pageBytes() };
  } catch (error) {
    if (isSystemError(error, 'EMFILE', 'ENFILE')) throw error;
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
