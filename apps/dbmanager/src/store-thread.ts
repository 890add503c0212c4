// The database's own thread: opens the database, does one batch after the other, and ends when it is told to. A slow
// disk blocks this thread only, so that the heartbeats of the main one go on.
import { parentPort, workerData } from 'node:worker_threads';
import { StartError } from '@majordomus/runtime';
import { openConnection } from './connection.ts';
import { ConfigurationDatabase } from './database.ts';
import type { FromThread, Operation, ToThread } from './operation.ts';

/** What the store gives to its thread. */
export interface ThreadData {
  /** Absolute path of the database file. */
  readonly path: string;
}

function serve(port: NonNullable<typeof parentPort>, { path }: ThreadData): void {
  const tell = (message: FromThread): void => port.postMessage(message);
  let connection;
  try {
    connection = openConnection(path);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    tell({ kind: 'refused', code: error.code, message: error.message });
    return;
  }
  const open = connection;
  const database = new ConfigurationDatabase(open);
  port.on('message', (message: ToThread) => {
    if (message.kind === 'run') {
      const { outcomes, committed } = database.run(message.operations.map((text) => JSON.parse(text) as Operation));
      tell({ kind: 'done', outcomes: outcomes.map((outcome) => JSON.stringify(outcome)), committed });
      return;
    }
    open.close();
    port.close();
  });
  tell({ kind: 'opened' });
}

if (parentPort !== null) serve(parentPort, workerData as ThreadData);
