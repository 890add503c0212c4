// Those who wait for a process to be in a state: each is answered once, by the state, its signal or the end of the supervision.
import type { ProcessState, ProcessStatus } from '@majordomus/contracts';
import { SupervisorError } from './supervisor-error.ts';

interface Waiter {
  readonly name: string;
  readonly states: readonly ProcessState[];
  readonly resolve: (status: ProcessStatus) => void;
  readonly reject: (error: SupervisorError) => void;
}

export class Waiters {
  readonly #waiters = new Set<Waiter>();
  #closed: SupervisorError | undefined;

  /** @throws SupervisorError ABORTED, or what `reject` or `close` is given */
  async until(name: string, states: readonly ProcessState[], signal: AbortSignal | undefined): Promise<ProcessStatus> {
    if (this.#closed !== undefined) throw this.#closed;
    const { promise, resolve, reject } = Promise.withResolvers<ProcessStatus>();
    const waiter: Waiter = { name, states, resolve, reject };
    const abort = (): void => reject(new SupervisorError('ABORTED', `nobody waits any more for ${name} to be ${states.join(' or ')}`, { cause: signal?.reason }));
    this.#waiters.add(waiter);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    try {
      return await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** The process is in this state now. */
  tell(name: string, status: ProcessStatus): void {
    for (const waiter of this.#waiters) if (waiter.name === name && waiter.states.includes(status.state)) waiter.resolve(status);
  }

  /** Ends the waiting for one process. */
  reject(error: SupervisorError, name: string): void {
    for (const waiter of this.#waiters) if (waiter.name === name) waiter.reject(error);
  }

  /** Ends all waiting, also what would begin from now on. */
  close(error: SupervisorError): void {
    this.#closed = error;
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}
