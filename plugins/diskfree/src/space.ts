// How full a file system is, in the numbers that df shows. Pure.

/** What statfs(2) tells of a file system, counted in units of `frsize` bytes. */
export interface BlockCounts {
  /** Node 22 does not tell it. */
  readonly frsize?: bigint | undefined;
  /** The size in which it is best read; nearly everywhere the same. */
  readonly bsize: bigint;
  readonly blocks: bigint;
  readonly bfree: bigint;
  readonly bavail: bigint;
}

/** Bytes, exact up to 2^53 (8 PiB). */
export type Space = {
  readonly size: number;
  readonly used: number;
  /** What a user other than root may still write; used and free together are less than size where some is reserved. */
  readonly free: number;
  /** As df computes it: used of used and free together, rounded up; 0 for a file system without any blocks. */
  readonly usedPercent: number;
};

export function spaceOf({ bsize, frsize = bsize, blocks, bfree, bavail }: BlockCounts): Space {
  const used = blocks - bfree;
  const writable = used + bavail;
  return {
    size: Number(blocks * frsize),
    used: Number(used * frsize),
    free: Number(bavail * frsize),
    usedPercent: writable <= 0n ? 0 : Number((used * 100n + writable - 1n) / writable),
  };
}
