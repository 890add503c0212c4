// Tries to write lost files of the database anew until it is done: meanwhile the connection is all there is of them. Each try is a copy
// of everything, so they are not as many as the requests.
import { isSystemError, reasonOf, systemReason, type Clock } from '@majordomus/runtime';
import type { GuardedDatabase } from '../database/guarded-database.ts';
import type { FromThread } from './thread-messages.ts';

/** Between two tries at least. */
const pauseMs = 500;

export class Rescuer {
  readonly #guarded: GuardedDatabase;
  readonly #clock: Clock;
  readonly #tell: (message: FromThread) => void;
  #nextMs = -Infinity;
  #told: string | undefined;

  constructor(guarded: GuardedDatabase, clock: Clock, tell: (message: FromThread) => void) {
    this.#guarded = guarded;
    this.#clock = clock;
    this.#tell = tell;
  }

  /**
   * What a person is told when it is done: then the connection is closed. Why it could not be is told once.
   * @param what became of the files
   */
  rescue(what: string, { isLast = false } = {}): string | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#nextMs && !isLast) return undefined;
    try {
      const text = this.#guarded.rescue({ wallMs: this.#clock.wallMs(), isLast });
      if (text !== undefined) this.#tell({ kind: 'trouble', text });
      return text;
    } catch (error) {
      const why = isSystemError(error) ? systemReason(error) : reasonOf(error);
      const text = `${what}, and what was in the database cannot be written anew: ${why}; ${isLast ? 'it is lost' : 'it is read on and not written to, and this is tried again each second: do not stop the house before'}`;
      if (text !== this.#told) this.#tell({ kind: 'failure', text });
      this.#told = text;
      return undefined;
    } finally {
      this.#nextMs = this.#clock.monotonicMs() + pauseMs;
    }
  }
}
