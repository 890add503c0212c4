// Each request has exactly one answer (docs/protocol.md, rules R7 and W3): what is owed, and what was given, by a key that the
// answer carries back. Pure.

export class Accounts {
  readonly #owed = new Map<string, number>();
  /** May be answered, or not: cancelled, or its connection is gone. */
  readonly #open = new Map<string, number>();
  #unasked: string | undefined;

  /** A request that must be answered once. */
  owe(key: string): void {
    add(this.#owed, key, 1);
  }

  /** What is owed to it needs no answer any more. */
  release(key: string): void {
    add(this.#open, key, this.#owed.get(key) ?? 0);
    this.#owed.delete(key);
  }

  /** The same for all keys of which this is so. */
  releaseWhere(isSo: (key: string) => boolean): void {
    for (const key of [...this.#owed.keys()].filter(isSo)) this.release(key);
  }

  isOwed(key: string): boolean {
    return this.#owed.has(key);
  }

  /** An answer came. */
  answered(key: string): void {
    if (take(this.#owed, key) || take(this.#open, key)) return;
    this.#unasked ??= key;
  }

  get isSettled(): boolean {
    return this.#owed.size === 0;
  }

  /** What is wrong as soon as it is seen: an answer that nobody is owed. */
  get problem(): string | undefined {
    return this.#unasked === undefined ? undefined : `there was an answer that was not asked for, or a second one, to ${this.#unasked.slice(0, 300)}`;
  }

  /** What is still owed, for a person. */
  get missing(): string {
    const [first = ''] = this.#owed.keys();
    return `${[...this.#owed.values()].reduce((sum, count) => sum + count, 0)} requests have no answer, the first is ${first.slice(0, 300)}`;
  }
}

function add(to: Map<string, number>, key: string, count: number): void {
  if (count > 0) to.set(key, (to.get(key) ?? 0) + count);
}

function take(from: Map<string, number>, key: string): boolean {
  const count = from.get(key) ?? 0;
  if (count > 1) from.set(key, count - 1);
  else from.delete(key);
  return count > 0;
}
