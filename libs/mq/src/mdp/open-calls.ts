// The open calls of a client, by their correlation ids (docs/protocol.md, rule C1). Not a Map: V8 makes the table of one whose entries
// come and go anew all the time, and each old table keeps what stood in it, and the next table, alive until the whole heap is collected.

interface Numbered {
  /** A number of four bytes. */
  readonly id: number;
}

const idLimit = 2 ** 32;
const fewSlots = 64;

export class OpenCalls<T extends Numbered> {
  /** A call stands at its id modulo the length, a power of two; half of the places are free at the least. */
  #slots: (T | undefined)[] = emptySlots(fewSlots);
  #lastId: number;
  #size = 0;

  /** @param lastId after which its ids come */
  constructor(lastId = 0) {
    this.#lastId = lastId;
  }

  get size(): number {
    return this.#size;
  }

  /** An id whose place is free; it comes again only after 2^32 others. */
  freshId(): number {
    do this.#lastId = (this.#lastId + 1) % idLimit;
    while (this.#slots[this.#lastId % this.#slots.length] !== undefined);
    return this.#lastId;
  }

  /** Adds a call under the fresh id that it was given last. */
  add(call: T): void {
    if (2 * this.#size >= this.#slots.length) this.#grow();
    this.#slots[call.id % this.#slots.length] = call;
    this.#size += 1;
  }

  get(id: number): T | undefined {
    const call = this.#slots[id % this.#slots.length];
    return call?.id === id ? call : undefined;
  }

  /** Takes a call out; one that is not here is left alone. */
  delete(call: T): void {
    if (this.get(call.id) !== call) return;
    this.#slots[call.id % this.#slots.length] = undefined;
    this.#size -= 1;
  }

  /** Those that are open now, in the order in which they were made, whatever becomes of them meanwhile. */
  all(): T[] {
    // Of two ids the one is older from which it is less than half the way round to the other.
    return this.#slots.filter((call) => call !== undefined).sort((one, other) => (one.id - other.id) | 0);
  }

  /** What stood in different places still does in twice as many. */
  #grow(): void {
    const slots = emptySlots<T>(2 * this.#slots.length);
    for (const call of this.#slots) if (call !== undefined) slots[call.id % slots.length] = call;
    this.#slots = slots;
  }
}

function emptySlots<T>(length: number): (T | undefined)[] {
  return Array.from({ length }, () => undefined);
}
