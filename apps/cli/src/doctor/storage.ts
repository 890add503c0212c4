// What the house has to tell until somebody has seen it, whether its database is backed up each day, and who can read its key.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { noticeList } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { homePaths } from '@majordomus/runtime';
import { shellWord } from '../shell-word.ts';
import { domus, noted, ok, problem, type Finding, type Patient } from './finding.ts';

const timeoutMs = 3000;
const dayMs = 86_400_000;
/** A clock that is set by a little is the same clock; dbmanager takes it so, too. */
const futureMs = 60 * 60 * 1000;
/** A machine that is off at night makes one a day all the same; two days without are a sign. */
const oldDays = 2;

export async function checkNotices(patient: Patient): Promise<Finding[]> {
  const { broker } = patient;
  if (broker === undefined) return [];
  await using client = new Client({ endpoint: broker });
  try {
    const { notices } = await client.call(noticeList, {}, { timeoutMs });
    return notices.map(({ id, text }) => noted('notice', text, `when you have seen to it: ${domus(patient, `acknowledge ${id}`)}`));
  } catch (error) {
    if (error instanceof CallError) return [];
    throw error;
  }
}

export function checkBackups(patient: Patient, nowMs: number): Finding[] {
  const { home, running } = patient;
  const what = 'backups';
  const { backups, database } = homePaths(home);
  if (running?.join !== undefined || !existsSync(database)) return [];
  const all = backupsIn(backups);
  const future = all.filter(({ atMs }) => atMs > nowMs + futureMs);
  const found = future.map(({ file }) => noted(what, `${file} in ${backups} is dated in the future`, 'see that the clock is right; if it is, it was ahead when that was made, and newer ones take its place'));
  const newestMs = Math.max(...all.filter((one) => !future.includes(one)).map(({ atMs }) => atMs));
  const advice = `the house makes one a day while it runs; see: ${domus(patient, 'logs dbmanager')}`;
  if (newestMs === -Infinity) return [...found, noted(what, `none yet in ${backups}`, advice)];
  const days = Math.floor((nowMs - newestMs) / dayMs);
  if (days >= oldDays) return [...found, noted(what, `the newest daily backup of the database is ${days} days old`, advice)];
  return [...found, ok(what, `the newest daily backup of the database is of ${new Date(newestMs).toISOString()}`)];
}

export function checkKeys({ home }: Pick<Patient, 'home'>): Finding[] {
  const what = 'keys';
  const file = join(homePaths(home).keys, 'secrets.key');
  if (!existsSync(file)) return [];
  return [(statSync(file).mode & 0o077) === 0 ? ok(what, `only its owner can read ${file}`) : problem(what, `${file}, which opens the secrets, can be read by others`, `chmod 600 ${shellWord(file)}`)];
}

/** With the times in their names, as dbmanager gives them. */
function backupsIn(folder: string): { readonly file: string; readonly atMs: number }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((file) => {
    const [, date, hours, minutes, seconds] = /^majordomus-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z\.sqlite$/.exec(file) ?? [];
    const atMs = Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`);
    return Number.isNaN(atMs) ? [] : [{ file, atMs }];
  });
}
