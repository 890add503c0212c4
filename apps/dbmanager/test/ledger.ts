// Writers that count, and what each of them was told: after a crash, what is stored is judged by it. A writer has one
// write under way at most, so what is stored is what it heard last, or the one after.
import type { JsonObject, JsonValue } from '@majordomus/contracts';

/** One writer's configuration, as it is read: all values, and its newest changes, newest first. */
export interface Stored {
  readonly data: JsonObject;
  readonly changes: readonly { readonly key: string; readonly old?: JsonValue | undefined; readonly new?: JsonValue | undefined }[];
}

export const ownerOf = (writer: number): { host: string; plugin: string } => ({ host: 'load', plugin: `writer${writer}` });

/** How far back a reader looks in the history: two writes. */
export const historyDepth = 6;

/** The values of one write: several keys, so that half of it would show, now and then too long for a row's own page. */
export const valuesOf = (number: number): { number: number; same: number; text: string } => ({
  number,
  same: number,
  text: `${number} `.repeat(number % 7 === 0 ? 300 : 10),
});

/** The number that was written last; 0 if there is none. */
export const numberIn = ({ data }: Pick<Stored, 'data'>): number => (typeof data['number'] === 'number' ? data['number'] : 0);

export class Ledger {
  readonly #acknowledged = new Map<number, number>();

  /** How many writes were acknowledged. */
  writes = 0;

  acknowledge(writer: number, number: number): void {
    this.#acknowledged.set(writer, number);
    this.writes++;
  }

  /** What is wrong with what is stored. From then on that must stay, since it has been read. */
  problemsOf(writer: number, stored: Stored): string[] {
    const acknowledged = this.#acknowledged.get(writer) ?? 0;
    const number = numberIn(stored);
    this.#acknowledged.set(writer, number);
    const problems: string[] = [];
    if (number !== acknowledged && number !== acknowledged + 1) problems.push(`${acknowledged} was acknowledged, and ${number} is stored`);
    const whole = number === 0 ? {} : valuesOf(number);
    if (!isSame(stored.data, whole)) problems.push(`half of a write is stored: ${shown(stored.data)}`);
    for (const key of Object.keys(valuesOf(1)) as (keyof ReturnType<typeof valuesOf>)[]) {
      const changes = stored.changes.filter((change) => change.key === key);
      if (changes.length === 0 && number > 0) problems.push(`no history of ${key}`);
      for (const [age, change] of changes.entries()) {
        const then = number - age;
        if (change.new !== valuesOf(then)[key]) problems.push(`the history of ${key} has ${shown(change.new)} where ${then} was written`);
        if (change.old !== (then === 1 ? undefined : valuesOf(then - 1)[key])) problems.push(`the history of ${key} has ${shown(change.old)} before ${then}`);
      }
    }
    return problems.map((problem) => `writer ${writer}: ${problem}`);
  }
}

const isSame = (one: JsonObject, other: JsonObject): boolean =>
  Object.keys(one).length === Object.keys(other).length && Object.entries(one).every(([key, value]) => value === other[key]);
const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 100);
