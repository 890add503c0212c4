// A damaged database: what can be read of it goes into a new one, what cannot is taken from its history and the newest backup, and the
// damaged files are set aside. Everything is read from copies, so that the damaged files stay as they were found; what is lost is told
// in a notice, which is part of the new database.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { isSystemError, reasonOf, StartError, systemReason } from '@majordomus/runtime';
import { backupsIn } from '../backup/backup-files.ts';
import { applicationId } from '../file/connection.ts';
import { migrate, migrations, versionOf } from '../file/migrations.ts';
import { sqliteCode } from '../file/sqlite-code.ts';
import { copyDamaged, keysIn, openDamaged } from './damaged-copy.ts';
import { closeHistory, fill, raiseSequences } from './filling.ts';
import { addNotice } from './notices.ts';
import { recoveryNotice, recoveryReport, reportFile } from './recovery-notice.ts';
import { salvage } from './salvage.ts';
import { finishReplacement, freePlace, replaceDamaged, workingFile } from './set-aside.ts';
import { shapesOf } from './table-shape.ts';

export interface Recovery {
  /** What a person is told. */
  readonly text: string;
  /** Where the damaged files are. */
  readonly place: string;
}

export interface RecoveryOptions {
  /** The folder of the daily backups. */
  readonly backups: string;
  readonly wallMs: number;
  /** Called before each step that changes the disk: where a test lets the process die. */
  readonly beforeStep?: (step: RecoveryStep) => void;
}

export const recoverySteps = ['copy', 'make', 'read', 'fill', 'tell', 'replace'] as const;
export type RecoveryStep = (typeof recoverySteps)[number];

/**
 * Replaces a damaged database by what can be had of it. The old or the new one is there if it is interrupted.
 * @param damage what was found, in SQLite's words
 * @throws StartError CANNOT_START if there is no room for it, or it cannot be written; nothing was changed then
 */
export function recover(path: string, damage: string, { backups, wallMs, beforeStep = () => {} }: RecoveryOptions): Recovery {
  const working = workingFile(path);
  const sources = `${working}-source`;
  const place = freePlace(path, wallMs);
  try {
    finishReplacement(path);
    beforeStep('copy');
    const copy = copyDamaged(path, sources);
    beforeStep('make');
    const { text, report } = makeDatabase(working, { path, damage, place, copy, backups, wallMs, beforeStep });
    beforeStep('replace');
    replaceDamaged(path, working, place);
    rmSync(sources, { recursive: true, force: true });
    const trouble = report === undefined ? '' : writeReport(reportFile(place), report);
    return { text: `${text}${trouble}`, place };
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    const why = isSystemError(cause) ? systemReason(cause) : reasonOf(cause);
    throw new StartError('CANNOT_START', `${path} is damaged (${damage}), and what is in it cannot be recovered: ${why}; nothing was changed: ${sqliteCode(cause) === 'SQLITE_FULL' || isSystemError(cause, 'ENOSPC', 'EDQUOT') ? 'free some room on its disk, and start again' : 'put a backup in its place (domus restore), or move it away together with its -wal and -shm files'}`, { cause });
  }
}

/** The database is recovered by now, with it or without. Gives what is added for the log. */
function writeReport(file: string, report: string): string {
  try {
    writeFileSync(file, report, { mode: 0o600 });
    return '';
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return `; but ${file} was not written (${systemReason(error)})`;
  }
}

interface Making extends Required<RecoveryOptions> {
  readonly path: string;
  readonly damage: string;
  readonly place: string;
  /** Of the damaged file. */
  readonly copy: string;
}

/** Makes the new database in `working`; gives the notice that is in it, and the report. */
function makeDatabase(working: string, { path, damage, place, copy, backups, wallMs, beforeStep }: Making): { readonly text: string; readonly report: string | undefined } {
  const target = new Sqlite(working);
  let source: Database | undefined;
  let backup: NamedDatabase | undefined;
  try {
    target.pragma(`application_id = ${applicationId}`);
    migrate(target);
    source = openDamaged(copy, target);
    // The history is filled before the values that are taken from it.
    const shapes = shapesOf(target).sort((one, other) => Number(one.name === 'config') - Number(other.name === 'config'));
    beforeStep('read');
    backup = newestWhole(backups);
    const keys = keysIn(copy, source);
    const found = new Map(shapes.map((shape) => [shape, salvage(source, shape, keys)]));
    beforeStep('fill');
    const filled = target.transaction(() => fill(target, found, backup?.connection)).immediate();
    raiseSequences(target, source);
    if (filled.some(({ table, isWhole }) => !isWhole && table.startsWith('config'))) closeHistory(target);
    beforeStep('tell');
    const story = { path, damage, place, filled, backup: backup?.name };
    const text = recoveryNotice(story);
    addNotice(target, wallMs, text);
    return { text, report: recoveryReport(story) };
  } finally {
    backup?.connection.close();
    source?.close();
    target.close();
  }
}

interface NamedDatabase {
  readonly name: string;
  readonly connection: Database;
}

/** The newest of the backups that is whole, ours, and not newer than this program. */
function newestWhole(backups: string): NamedDatabase | undefined {
  for (const { file: name } of backupsIn(backups).toReversed()) {
    let connection: Database | undefined;
    try {
      connection = new Sqlite(join(backups, name), { readonly: true, fileMustExist: true });
      const isUsable = connection.pragma('application_id', { simple: true }) === applicationId && versionOf(connection) <= migrations.length && connection.pragma('quick_check(1)', { simple: true }) === 'ok';
      if (isUsable) return { name, connection };
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
    }
    connection?.close();
  }
  return undefined;
}
