// A thread that copies the database, so that neither the bus nor a write waits for it.
import { parentPort, workerData } from 'node:worker_threads';
import { copyDatabase } from './copy.ts';

export interface CopyData {
  /** Absolute path of the database. */
  readonly path: string;
  /** Absolute path of the copy. */
  readonly target: string;
}

function copy(port: NonNullable<typeof parentPort>, { path, target }: CopyData): void {
  port.postMessage(copyDatabase(path, target));
}

if (parentPort !== null) copy(parentPort, workerData as CopyData);
