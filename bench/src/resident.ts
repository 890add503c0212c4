// The memory of a process as Linux counts it.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Resident {
  /** All that is in memory, what it shares with others included. */
  readonly bytes: number;
  /** What nobody else has. */
  readonly privateBytes: number;
}

const lookMs = 250;
const limitMs = 6000;
/** In one second. */
const settledChange = 0.005;

function residentOf(pid: number): Resident {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytes = (field: string): number => Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { bytes: bytes('Rss'), privateBytes: bytes('Private_Clean') + bytes('Private_Dirty') };
}

/** Once it changes no more, or after 6 s. */
export async function settledResident(pid: number): Promise<Resident> {
  const before = [residentOf(pid)];
  for (const endMs = performance.now() + limitMs; performance.now() < endMs;) {
    await sleep(lookMs);
    const now = residentOf(pid);
    const then = before.at(-4);
    if (then !== undefined && Math.abs(now.bytes - then.bytes) <= then.bytes * settledChange) return now;
    before.push(now);
  }
  return residentOf(pid);
}
