// The database's own thread: opens the database, does one batch after the other, and ends when it is told to. A slow
// disk blocks this thread only, so that the heartbeats of the main one go on.
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { StartError, systemClock } from '@majordomus/runtime';
import type { Operation } from '../actions.ts';
import { ConfigurationDatabase } from '../database/database.ts';
import { GuardedDatabase } from '../database/guarded-database.ts';
import { roomOf } from '../file/room.ts';
import { closeUntouched, leaveForNextStart, openDatabase, type Opened } from '../recovery/opening.ts';
import { Rescuer } from './rescuer.ts';
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts';

/** Between two times that what is due from time to time is done. */
const maintenanceMs = 3_600_000;

function serve(port: NonNullable<typeof parentPort>, { path, keyFile, history, backups, minFreeBytes, isSuspect, notice, hasDiskFailed, settleMs }: ThreadData): void {
  const tell = (message: FromThread): void => port.postMessage(message);
  const room = roomOf(dirname(path), minFreeBytes);
  let opened: Opened;
  try {
    opened = openDatabase(path, { backups, room, isSuspect, notice, wallMs: systemClock.wallMs() });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    tell({ kind: 'refused', code: error.code, message: error.message });
    return;
  }
  const { connection, told, isWithoutRoom } = opened;
  for (const text of told) tell({ kind: 'trouble', text });
  const database = new ConfigurationDatabase(connection, { keyFile, history });
  for (const text of database.checkKey()) tell({ kind: 'trouble', text });
  const guarded = new GuardedDatabase(database, connection, { room, isWithoutRoom, hasDiskFailed, settleMs });
  const rescuer = new Rescuer(guarded, systemClock, tell);
  const maintain = (): void => {
    for (const text of guarded.maintain()) tell({ kind: 'trouble', text });
  };
  const maintenance = setInterval(maintain, maintenanceMs);
  port.on('message', (message: ToThread) => {
    if (message.kind === 'run') {
      const { outcomes, committed, trouble, renew: due } = guarded.run(message.operations.map((text) => JSON.parse(text) as Operation));
      if (trouble !== undefined) tell({ kind: 'trouble', text: trouble });
      // What is open is all there is of the database until it is written anew.
      const notice = due?.why === 'lost files' ? rescuer.rescue(due.text) : due?.notice;
      const renew = due?.why === 'lost files' && notice === undefined ? undefined : due;
      // First, so that nothing more is sent here.
      if (renew !== undefined) tell({ kind: 'renew', ...renew, ...(notice !== undefined && { notice }) });
      tell({ kind: 'done', outcomes: outcomes.map((outcome) => JSON.stringify(outcome)), committed });
      if (renew === undefined) return;
      if (renew.why === 'damage' || renew.why === 'overwritten') closeUntouched(connection);
    } else {
      const renew = guarded.lastLook();
      if (renew?.why === 'lost files') rescuer.rescue(renew.text, { isLast: true });
      if (renew?.why === 'overwritten') {
        const text = renew.notice ?? renew.text;
        tell({ kind: 'failure', text });
        leaveForNextStart(path, text);
        closeUntouched(connection);
      }
    }
    clearInterval(maintenance);
    connection.close();
    port.close();
  });
  maintain();
  tell({ kind: 'opened' });
}

if (parentPort !== null) serve(parentPort, workerData as ThreadData);
