// First in, first out, with removal from the middle at no cost: the links stand in the items themselves.

/** An item that can stand in one queue at a time; the links belong to the queue. */
export interface Linked<T extends Linked<T>> {
  previous: T | undefined;
  next: T | undefined;
  queue: LinkedQueue<T> | undefined;
}

export class LinkedQueue<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  /** Appends an item that stands in no queue. */
  push(item: T): void {
    item.previous = this.#last;
    item.next = undefined;
    item.queue = this;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#size += 1;
  }

  /** Puts an item that stands in no queue before one that stands in this, or at the end. */
  insertBefore(item: T, next: T | undefined): void {
    if (next === undefined) return this.push(item);
    item.previous = next.previous;
    item.next = next;
    item.queue = this;
    if (next.previous === undefined) this.#first = item;
    else next.previous.next = item;
    next.previous = item;
    this.#size += 1;
  }

  /** Removes an item; one that stands elsewhere or nowhere is left alone. */
  delete(item: T): void {
    if (item.queue !== this) return;
    if (item.previous === undefined) this.#first = item.next;
    else item.previous.next = item.next;
    if (item.next === undefined) this.#last = item.previous;
    else item.next.previous = item.previous;
    item.previous = undefined;
    item.next = undefined;
    item.queue = undefined;
    this.#size -= 1;
  }

  /** Those that stand here now, in order, whatever becomes of them meanwhile. */
  all(): T[] {
    const items: T[] = [];
    for (let item = this.#first; item !== undefined; item = item.next) items.push(item);
    return items;
  }

  shift(): T | undefined {
    const first = this.#first;
    if (first !== undefined) this.delete(first);
    return first;
  }
}
