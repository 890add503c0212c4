// The highest epochs of services that have neither workers nor requests now (docs/protocol.md, rule R15): a service that is
// forgotten must not lose its epoch, and names that come and go must not fill the memory (rule R13).

export class RememberedEpochs {
  readonly #limit: number;
  /** The least recently kept first; a look is no use. */
  readonly #byKey = new Map<string, number>();

  /** @param limit how many are remembered */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The epoch of a service, if it is remembered here. */
  get(key: string): number | undefined {
    return this.#byKey.get(key);
  }

  /** The same, of a service that is in use again and keeps it from now on. */
  take(key: string): number | undefined {
    const epoch = this.#byKey.get(key);
    this.#byKey.delete(key);
    return epoch;
  }

  /** A service is forgotten; its epoch is not. */
  keep(key: string, epoch: number): void {
    this.#byKey.set(key, epoch);
    if (this.#byKey.size <= this.#limit) return;
    const [oldest] = this.#byKey.keys();
    if (oldest !== undefined) this.#byKey.delete(oldest);
  }
}
