// The database's own thread: opens the database, does one batch after the other, and ends when it is told to. A slow
// disk blocks this thread only, so that the heartbeats of the main one go on.
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf, StartError, systemClock } from '@majordomus/runtime';
import type { Operation } from '../actions.ts';
import { ConfigurationDatabase } from '../database/database.ts';
import { GuardedDatabase } from '../database/guarded-database.ts';
import type { Loss } from '../file/open-files.ts';
import { roomOf } from '../file/room.ts';
import { closeUntouched, openDatabase, type Opened } from '../recovery/opening.ts';
import { rescue } from '../recovery/rescue.ts';
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts';

/** Between two times that what is due from time to time is done. */
const maintenanceMs = 3_600_000;

function serve(port: NonNullable<typeof parentPort>, { path, keyFile, history, backups, minFreeBytes, isSuspect, hasDiskFailed }: ThreadData): void {
  const tell = (message: FromThread): void => port.postMessage(message);
  const room = roomOf(dirname(path), minFreeBytes);
  let opened: Opened;
  try {
    opened = openDatabase(path, { backups, room, isSuspect, wallMs: systemClock.wallMs() });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    tell({ kind: 'refused', code: error.code, message: error.message });
    return;
  }
  const { connection, told, isWithoutRoom } = opened;
  for (const text of told) tell({ kind: 'trouble', text });
  const database = new ConfigurationDatabase(connection, { keyFile, history });
  for (const text of database.checkKey()) tell({ kind: 'trouble', text });
  const guarded = new GuardedDatabase(database, connection, { room, isWithoutRoom, hasDiskFailed });
  const maintain = (): void => {
    for (const text of database.maintain()) tell({ kind: 'trouble', text });
  };
  const maintenance = setInterval(maintain, maintenanceMs);
  port.on('message', (message: ToThread) => {
    if (message.kind === 'run') {
      const { outcomes, committed, trouble, renew } = guarded.run(message.operations.map((text) => JSON.parse(text) as Operation));
      if (trouble !== undefined) tell({ kind: 'trouble', text: trouble });
      // First, so that nothing more is sent here.
      if (renew !== undefined) tell({ kind: 'renew', ...renew });
      tell({ kind: 'done', outcomes: outcomes.map((outcome) => JSON.stringify(outcome)), committed });
      if (renew === undefined) return;
      if (renew.why === 'damage') closeUntouched(connection);
      else if (renew.why === 'lost files') tell({ kind: 'trouble', text: rescued(connection, renew.loss) });
    }
    clearInterval(maintenance);
    connection.close();
    port.close();
  });
  maintain();
  tell({ kind: 'opened' });
}

/** What a person is told; without room, say, that what was in it is lost. */
function rescued(connection: Opened['connection'], loss: Loss): string {
  try {
    return rescue(connection, loss, systemClock.wallMs());
  } catch (error) {
    return `${loss.text}, and what was in the database could not be written anew: ${reasonOf(error)}`;
  }
}

if (parentPort !== null) serve(parentPort, workerData as ThreadData);
