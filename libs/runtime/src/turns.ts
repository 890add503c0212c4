// Who changes one thing waits for who changes it now, first come first served; different things do not wait.
import { orAborted } from './abort.ts';

export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Waits for the turn of `key`; disposing of what it returns gives the turn on.
   * @throws the signal's reason if it fires first
   */
  async take(key: string, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const before = this.#last.get(key) ?? Promise.resolve();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const last = before.then(() => ended);
    this.#last.set(key, last);
    void this.#forget(key, last);
    try {
      await orAborted(before, signal);
    } catch (error) {
      end();
      throw error;
    }
    return { [Symbol.dispose]: end };
  }

  async #forget(key: string, last: Promise<void>): Promise<void> {
    await last;
    if (this.#last.get(key) === last) this.#last.delete(key);
  }
}
