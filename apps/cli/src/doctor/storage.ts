// What the house has to tell until somebody has seen it, and whether its database is backed up each day.
import { existsSync, readdirSync } from 'node:fs';
import { noticeList } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { homePaths } from '@majordomus/runtime';
import { domus, noted, ok, type Finding, type Patient } from './finding.ts';

const timeoutMs = 3000;
const dayMs = 86_400_000;
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
  const newestMs = newestBackup(backups);
  const advice = `the house makes one a day while it runs; see: ${domus(patient, 'logs dbmanager')}`;
  if (newestMs === undefined) return [noted(what, `none yet in ${backups}`, advice)];
  const days = Math.floor((nowMs - newestMs) / dayMs);
  if (days >= oldDays) return [noted(what, `the newest daily backup of the database is ${days} days old`, advice)];
  return [ok(what, `the newest daily backup of the database is of ${new Date(newestMs).toISOString()}`)];
}

/** By the names of the files, as dbmanager gives them. */
function newestBackup(folder: string): number | undefined {
  if (!existsSync(folder)) return undefined;
  const times = readdirSync(folder).flatMap((name) => {
    const [, date, hours, minutes, seconds] = /^majordomus-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z\.sqlite$/.exec(name) ?? [];
    return date === undefined ? [] : [Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`)];
  });
  return times.length === 0 ? undefined : Math.max(...times);
}
