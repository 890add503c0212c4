// The rules of the daily backups, by the time in their names and the clock on the wall, which may jump. Pure but for `backupsIn`.
import { readdirSync } from 'node:fs';
import { isSystemError } from '@majordomus/runtime';

export interface BackupFile {
  /** Its name in the folder of the backups. */
  readonly file: string;
  readonly atMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;
/** A clock that is set by a little is the same clock. */
const futureMs = 60 * 60 * 1000;

/** The name of a backup that is made now; it sorts by time. */
export function backupName(wallMs: number): string {
  return `majordomus-${new Date(wallMs).toISOString().replaceAll(':', '-').replace(/\.\d+Z$/, 'Z')}.sqlite`;
}

/** The time in the name of a backup; undefined for any other file. */
function backupTime(file: string): number | undefined {
  const [, date, hours, minutes, seconds] = /^majordomus-(\d{4,6}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z\.sqlite$/.exec(file) ?? [];
  if (date === undefined) return undefined;
  const atMs = Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** The backups of a folder, the oldest first; none if it is not there. */
export function backupsIn(folder: string): BackupFile[] {
  try {
    return readdirSync(folder).flatMap((file) => {
      const atMs = backupTime(file);
      return atMs === undefined ? [] : [{ file, atMs }];
    }).sort((a, b) => a.atMs - b.atMs);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** Whether no backup was made within the last day. One from the future says nothing: the clock was ahead when it was made. */
export function isDue(backups: readonly BackupFile[], wallMs: number): boolean {
  return !backups.some(({ atMs }) => atMs > wallMs - dayMs && atMs <= wallMs + futureMs);
}

/**
 * Those that go, so that `keep` stay: the oldest. What was damaged or lost may be in those alone that are older than the notice of it:
 * of these as many stay, for the first notice and for the last, so that there are never more than three times `keep`. A notice from the
 * future, or older than all of them, was made when the clock was wrong: then the oldest stay, which alone are surely from before it.
 * @param noticesMs the times of the notices that nobody has acknowledged
 */
export function surplus(backups: readonly BackupFile[], wallMs: number, keep: number, noticesMs: readonly number[] = []): BackupFile[] {
  const newest = newestFirst(backups, wallMs);
  const isWrong = (noticeMs: number): boolean => noticeMs > wallMs + futureMs || newest.every(({ atMs }) => atMs > noticeMs);
  const kept = new Set(newest.slice(0, keep));
  const before = noticesMs.some(isWrong)
    ? newest.slice(-2 * keep)
    : [Math.max(...noticesMs), Math.min(...noticesMs)].flatMap((noticeMs) => newest.filter(({ atMs }) => atMs <= noticeMs).slice(0, keep));
  for (const one of before) kept.add(one);
  return newest.filter((one) => !kept.has(one));
}

/**
 * Those from the future count as older than all others, else a clock that was ahead once would have every later backup thrown
 * away; of them, too, the newest come first.
 */
export function newestFirst(backups: readonly BackupFile[], wallMs: number): BackupFile[] {
  const isFuture = ({ atMs }: BackupFile): boolean => atMs > wallMs + futureMs;
  const byAge = (a: BackupFile, b: BackupFile): number => b.atMs - a.atMs;
  return [...backups.filter((one) => !isFuture(one)).sort(byAge), ...backups.filter(isFuture).sort(byAge)];
}
