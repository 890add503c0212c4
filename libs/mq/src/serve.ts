// A part on the bus, from its registration to its end: what every part's service does around its handlers.
import type { Handlers } from './handlers.ts';
import { BusError } from './mdp/errors.ts';
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
  /** Told why, when the broker has been gone for a moment; the part goes on, and comes back by itself. */
  readonly onLost?: (reason: string) => void;
  /** Called after `onLost`, when all names are registered again. */
  readonly onBack?: () => void;
  /** Rejects if the part cannot go on. */
  readonly ended?: Promise<void>;
  /** Called before the workers say goodbye, while they still answer. */
  readonly beforeStop?: () => Promise<void>;
}

/** A broker that is started again is found again in less, and there is nothing to tell. */
const lostGraceMs = 1500;

/**
 * Serves until the signal fires, and then has answered what it held. Throws what `onRegistered` or `ended` throw before.
 * @throws BusError SUPERSEDED when a newer instance has taken over one of the names (rule R15)
 */
export async function serve({ services, signal, onRegistered, onLost, onBack, ended, beforeStop, ...options }: ServeOptions): Promise<void> {
  using presence = new Presence({
    onLost: () => {
      const reason = `the broker at ${options.endpoint} does not answer`;
      options.log.info({}, reason);
      onLost?.(reason);
    },
    onBack: () => {
      options.log.info({}, `the broker at ${options.endpoint} answers again`);
      onBack?.();
    },
  });
  const superseded = Promise.withResolvers<never>();
  superseded.promise.catch(() => {});
  const workers = services.map((service) => new Worker({
    ...options,
    service,
    onPresence: (isRegistered) => presence.of(service, isRegistered),
    // A part without one of its names is of no use (rule R15).
    onSuperseded: () => superseded.reject(new BusError('SUPERSEDED', `a newer instance of ${service} has taken over; this one ends`, { service, action: '' })),
  }).start());
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const served = Promise.all(workers.map((worker) => worker.registered({ signal }))).then(onRegistered).then(() => stopped);
  try {
    await Promise.race([served, stopped, superseded.promise, ...(ended === undefined ? [] : [ended])]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    // What the registration or its callback says after the end is of no use any more.
    served.catch(() => {});
    await beforeStop?.();
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

/** Whether all names of a part are registered, told without what lasts only a moment. */
class Presence implements Disposable {
  readonly #tell: { readonly onLost: () => void; readonly onBack: () => void };
  readonly #lost = new Set<string>();
  #grace: NodeJS.Timeout | undefined;
  #isTold = false;

  constructor(tell: { readonly onLost: () => void; readonly onBack: () => void }) {
    this.#tell = tell;
  }

  of(service: string, isRegistered: boolean): void {
    if (!isRegistered) {
      this.#lost.add(service);
      this.#grace ??= setTimeout(() => {
        this.#isTold = true;
        this.#tell.onLost();
      }, lostGraceMs);
      return;
    }
    this.#lost.delete(service);
    if (this.#lost.size > 0) return;
    this[Symbol.dispose]();
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#tell.onBack();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#grace);
    this.#grace = undefined;
  }
}
