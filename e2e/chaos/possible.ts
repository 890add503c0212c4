// What this machine and this user cannot do to a house.
import { hasStrace } from './bad-fsync.ts';
import type { BlowKind } from './schedule.ts';
import { Tmpfs } from './tmpfs.ts';

/** Of these kinds the ones that cannot be done, with the reason. */
export function impossible(kinds: readonly BlowKind[]): ReadonlyMap<BlowKind, string> {
  const why: Partial<Record<BlowKind, string>> = {};
  if (kinds.includes('full') && !Tmpfs.canMount()) why.full = 'only root can mount a small disk';
  if (!hasStrace()) why.slow = why.broken = 'strace is not installed';
  return new Map(kinds.flatMap((kind) => (why[kind] === undefined ? [] : [[kind, why[kind]] as const])));
}
