// What the keys of the writers may hold: the last acknowledged value or one that was tried later. Pure. Each key has one writer,
// which writes growing numbers, one after the other.

/** How a write ended: it is on disk; it was refused, and the code promises that nothing was changed; or nobody knows. */
export type WriteEnd = 'acknowledged' | 'refused' | 'unknown';

interface Key {
  acknowledged: number;
  attempted: number;
  readonly refused: Set<number>;
}

/** What was known of a key when a read began. */
export interface ReadBegin {
  readonly key: string;
  readonly atLeast: number;
}

export class ConfigModel {
  readonly #keys = new Map<string, Key>();
  #acknowledged = 0;
  #reads = 0;

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get reads(): number {
    return this.#reads;
  }

  get keys(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** A write begins; gives the number to be written. */
  attempt(key: string): number {
    const known = this.#key(key);
    known.attempted += 1;
    return known.attempted;
  }

  ended(key: string, value: number, end: WriteEnd): void {
    const known = this.#key(key);
    if (end === 'refused') known.refused.add(value);
    if (end !== 'acknowledged') return;
    known.acknowledged = value;
    this.#acknowledged += 1;
    for (const refused of known.refused) if (refused < value) known.refused.delete(refused);
  }

  readBegins(key: string): ReadBegin {
    return { key, atLeast: this.#key(key).acknowledged };
  }

  /** What is wrong with what was read, or undefined; a key that is not set is 0. */
  readEnds({ key, atLeast }: ReadBegin, value: unknown): string | undefined {
    const { attempted, refused } = this.#key(key);
    this.#reads += 1;
    if (typeof value !== 'number' || !Number.isInteger(value)) return `${key} holds ${JSON.stringify(value)}, which nobody wrote`;
    if (value < atLeast) return `${key} holds ${value}, and ${atLeast} had been acknowledged`;
    if (value > attempted) return `${key} holds ${value}, and ${attempted} is the last that was tried`;
    if (refused.has(value)) return `${key} holds ${value}, which was refused as changing nothing`;
    return undefined;
  }

  #key(key: string): Key {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const added: Key = { acknowledged: 0, attempted: 0, refused: new Set() };
    this.#keys.set(key, added);
    return added;
  }
}
