// A part on the bus, from its registration to its end: what every part's service does around its handlers.
import type { Handlers } from './handlers.ts';
import type { Transport } from './transport.ts';
import { Worker, type BusLog } from './worker.ts';

export interface ServeOptions {
  readonly endpoint: string;
  /** The names it answers to; each is a worker with the same handlers. */
  readonly services: readonly string[];
  readonly handlers: Handlers;
  /** Requests at once, for each name (rule R14). */
  readonly capacity: number;
  readonly log: BusLog;
  readonly transport?: Transport;
  /** Fires when it is to stop. */
  readonly signal: AbortSignal;
  /** Called when all names are registered. */
  readonly onRegistered: () => void | Promise<void>;
  /** Rejects if the part cannot go on. */
  readonly ended?: Promise<void>;
  /** Called before the workers say goodbye, while they still answer. */
  readonly beforeStop?: () => Promise<void>;
}

/** Serves until the signal fires, and then has answered what it held. Throws what `onRegistered` or `ended` throw before. */
export async function serve({ services, signal, onRegistered, ended, beforeStop, ...options }: ServeOptions): Promise<void> {
  const workers = services.map((service) => new Worker({ ...options, service }).start());
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const served = Promise.all(workers.map((worker) => worker.registered({ signal }))).then(onRegistered).then(() => stopped);
  try {
    await Promise.race(ended === undefined ? [served, stopped] : [served, stopped, ended]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    // What the registration or its callback says after the end is of no use any more.
    served.catch(() => {});
    await beforeStop?.();
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}
