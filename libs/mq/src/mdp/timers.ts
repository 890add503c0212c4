// The deadlines of a machine, soonest first: a binary heap that knows where each item stands, so that what ended early
// is taken out at once and keeps nothing alive. One heap serves requests, workers and services alike.

/** Something with a deadline. `heapIndex` belongs to the heap; -1 means not in it. */
export interface Timed {
  dueMs: number;
  heapIndex: number;
}

export class Timers<T extends Timed> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The soonest deadline, or Infinity. */
  get nextMs(): number {
    return this.#heap[0]?.dueMs ?? Infinity;
  }

  /** Sets the deadline of an item, which may be in the heap already. */
  set(item: T, dueMs: number): void {
    item.dueMs = dueMs;
    if (item.heapIndex < 0) {
      item.heapIndex = this.#heap.length;
      this.#heap.push(item);
    }
    this.#settle(item);
  }

  /** Takes an item out; one that is not in is left alone. */
  delete(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    last.heapIndex = index;
    this.#heap[index] = last;
    this.#settle(last);
  }

  /** Takes out and returns the soonest item if its deadline has come. */
  takeDue(nowMs: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.delete(first);
    return first;
  }

  #settle(item: T): void {
    const heap = this.#heap;
    const { dueMs } = item;
    let index = item.heapIndex;
    for (;;) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (index === 0 || parent === undefined || parent.dueMs <= dueMs) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      const right = heap[childIndex + 1];
      if (child !== undefined && right !== undefined && right.dueMs < child.dueMs) {
        child = right;
        childIndex += 1;
      }
      if (child === undefined || child.dueMs >= dueMs) break;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(item, index);
  }

  #put(item: T, index: number): void {
    this.#heap[index] = item;
    item.heapIndex = index;
  }
}
