// Stored values as they are answered: secrets masked or in clear, and named, so that a caller knows which is which.
import { configGet, maskedSecret, refuse, type configHistory, type ConfigurationItems, type JsonValue, type ResultOf } from '@majordomus/contracts';
import { SecretUnreadable } from '../secrets/secrets.ts';
import type { Change } from './history.ts';
import type { Owner, Place } from './place.ts';
import { isSecret, type StoredValue, type StoredValues } from './stored-values.ts';

interface Showing {
  readonly items: ConfigurationItems | undefined;
  /** Secrets in clear. */
  readonly reveal: boolean;
}

interface ShownValues {
  readonly data: Record<string, JsonValue>;
  readonly masked?: string[];
  readonly revealed?: string[];
  readonly unreadable?: string[];
}

type History = ResultOf<typeof configHistory>;

/**
 * Without `reveal` a secret that cannot be decrypted is masked as all are, and named; with it there is no answer, since
 * a plugin must not start without its password in silence.
 * @throws ActionFailure SECRET_UNREADABLE
 */
export function shownValues(values: StoredValues, owner: Owner, stored: readonly StoredValue[], { items, reveal }: Showing): ShownValues {
  const data: [key: string, value: JsonValue][] = [];
  const named = { masked: [] as string[], revealed: [] as string[], unreadable: [] as string[] };
  const lost: (readonly [key: string, why: SecretUnreadable])[] = [];
  for (const { key, value } of stored) {
    const place = { ...owner, key };
    if (!isSecret(items, key, value)) {
      data.push([key, parseValue(value)]);
      continue;
    }
    const plain = plainOf(values, place, value);
    // What the schema does not have any more, nobody reads.
    if (reveal && plain instanceof SecretUnreadable && (items === undefined || Object.hasOwn(items, key))) lost.push([key, plain]);
    const isRevealed = reveal && !(plain instanceof SecretUnreadable);
    data.push([key, isRevealed ? parseValue(plain) : maskedSecret]);
    named[isRevealed ? 'revealed' : 'masked'].push(key);
    if (plain instanceof SecretUnreadable) named.unreadable.push(key);
  }
  if (lost.length > 0) throw unreadable(owner, lost);
  // Not by assignment: a key may be called __proto__.
  return { data: Object.fromEntries(data), ...Object.fromEntries(Object.entries(named).filter(([, keys]) => keys.length > 0)) };
}

/** A change whose secrets cannot be decrypted is masked even with `reveal`: the others are still told. */
export function shownChanges(values: StoredValues, owner: Owner, changes: readonly Change[], showing: Showing): Pick<History, 'changes' | 'revealed'> {
  const shown = changes.map((change) => shownChange(values, owner, change, showing));
  const revealed = showing.reveal ? changes.filter((change, index) => isHidden(change, showing.items) && shown[index]?.masked !== true) : [];
  return { changes: shown, ...(revealed.length > 0 && { revealed: [...new Set(revealed.map(({ key }) => key))] }) };
}

function shownChange(values: StoredValues, owner: Owner, stored: Change, { items, reveal }: Showing): History['changes'][number] {
  const { change, key, at_ms: atMs, by } = stored;
  const isMasked = isHidden(stored, items) && !reveal;
  const sides = ([['old', stored.old], ['new', stored.new]] as const).flatMap(([side, text]) => {
    if (text === null) return [];
    const plain = isMasked ? undefined : plainOf(values, { ...owner, key }, text);
    return [[side, typeof plain === 'string' ? parseValue(plain) : undefined] as const];
  });
  const masked = sides.some(([, value]) => value === undefined);
  return {
    change,
    key,
    ...Object.fromEntries(sides.map(([side, value]) => [side, value === undefined ? maskedSecret : value])),
    atMs,
    ...(by !== null && { by }),
    ...(masked && { masked }),
  };
}

function isHidden({ key, old, new: after }: Change, items: ConfigurationItems | undefined): boolean {
  return isSecret(items, key, old) || isSecret(items, key, after);
}

// Only dbmanager writes these texts, from checked data, so what is read is of that type.
export const parseValue = (text: string): JsonValue => JSON.parse(text) as JsonValue;

function plainOf(values: StoredValues, place: Place, text: string): string | SecretUnreadable {
  try {
    return values.plain(place, text);
  } catch (error) {
    if (error instanceof SecretUnreadable) return error;
    throw error;
  }
}

function unreadable({ host, plugin }: Owner, lost: readonly (readonly [key: string, why: SecretUnreadable])[]): Error {
  const keys = lost.map(([key]) => key);
  const [what, them] = keys.length === 1 ? ['secret', 'it'] : ['secrets', 'them'];
  const commands = keys.map((key) => `domus config set ${plugin} ${key} VALUE`);
  return refuse(configGet, 'SECRET_UNREADABLE', `${plugin} on ${host}: the ${what} ${keys.join(', ')} cannot be decrypted: ${lost[0]?.[1].message ?? ''}; or set ${them} again: ${commands.join('; ')}`, { keys });
}
