// The values as they are stored: each change of one stands in the history, in the same transaction, and secrets are
// encrypted in both. Texts here are JSON, or encrypted JSON; what they mean is not this file's business.
import type { Database, Statement } from 'better-sqlite3';
import type { ConfigurationItems } from '@majordomus/contracts';
import { isSealed, SecretUnreadable, type Secrets } from '../secrets/secrets.ts';
import type { History } from './history.ts';
import type { Owner, Place } from './place.ts';

export interface StoredValue {
  readonly key: string;
  readonly value: string;
}

interface ChangedTexts extends Place {
  readonly change: number;
  readonly old: string | null;
  readonly new: string | null;
}

/** What is to be stored under each key: JSON, or a text that was stored before, which stays encrypted if it was; null forgets it. */
export type Texts = ReadonlyMap<string, string | null>;

export class StoredValues {
  readonly #secrets: Secrets;
  readonly #history: History;
  readonly #values: Statement<[string, string], StoredValue>;
  readonly #value: Statement<[string, string, string], string>;
  readonly #set: Statement<[string, string, string, string, number]>;
  readonly #delete: Statement<[string, string, string]>;
  readonly #ofPlugin: Statement<[string], Place & { readonly value: string }>;
  readonly #convert: Statement<[string, string, string, string]>;
  readonly #changesOfPlugin: Statement<[string], ChangedTexts>;
  readonly #convertChange: Statement<[string | null, string | null, number]>;

  constructor(connection: Database, secrets: Secrets, history: History) {
    this.#secrets = secrets;
    this.#history = history;
    this.#values = connection.prepare('SELECT key, value FROM config WHERE host = ? AND plugin = ? ORDER BY key');
    this.#value = connection.prepare<[string, string, string], string>('SELECT value FROM config WHERE host = ? AND plugin = ? AND key = ?').pluck();
    this.#set = connection.prepare(`
      INSERT INTO config (host, plugin, key, value, updated_ms) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value, updated_ms = excluded.updated_ms`);
    this.#delete = connection.prepare('DELETE FROM config WHERE host = ? AND plugin = ? AND key = ?');
    this.#ofPlugin = connection.prepare('SELECT host, plugin, key, value FROM config WHERE plugin = ?');
    this.#convert = connection.prepare('UPDATE config SET value = ? WHERE host = ? AND plugin = ? AND key = ?');
    this.#changesOfPlugin = connection.prepare('SELECT change, host, plugin, key, old, new FROM config_history WHERE plugin = ?');
    this.#convertChange = connection.prepare('UPDATE config_history SET old = ?, new = ? WHERE change = ?');
  }

  /** By key, in order. */
  all({ host, plugin }: Owner): readonly StoredValue[] {
    return this.#values.all(host, plugin);
  }

  one({ host, plugin }: Owner, key: string): string | undefined {
    return this.#value.get(host, plugin, key);
  }

  /** The JSON of a stored text. @throws SecretUnreadable */
  plain(place: Place, text: string): string {
    return isSealed(text) ? this.#secrets.open(place, text) : text;
  }

  /** Stores what differs, and keeps it in the history; gives the keys that it changed. @throws KeyUnusable */
  change({ host, plugin }: Owner, texts: Texts, items: ConfigurationItems | undefined, { atMs, by = null }: { readonly atMs: number; readonly by?: string | null | undefined }): string[] {
    const changed: string[] = [];
    for (const [key, text] of texts) {
      const place = { host, plugin, key };
      const old = this.one(place, key) ?? null;
      const stored = text === null ? null : this.#sealedIfSecret(place, old, text, items);
      if (old === stored || this.#isSameSecret(place, old, stored)) continue;
      if (stored === null) this.#delete.run(host, plugin, key);
      else this.#set.run(host, plugin, key, stored, atMs);
      this.#history.add({ ...place, old, new: stored, at_ms: atMs, by });
      changed.push(key);
    }
    return changed;
  }

  /**
   * Encrypts what these items mark as secret, in the history too. What they do not mark stays as it is: whoever brings a
   * schema must not be given secrets by that. Gives whether anything was encrypted. @throws KeyUnusable
   */
  convert(plugin: string, items: ConfigurationItems): boolean {
    let hasSealed = false;
    const converted = (place: Place, text: string | null): string | null => {
      const item = Object.hasOwn(items, place.key) ? items[place.key] : undefined;
      if (text === null || item?.secret !== true || isSealed(text)) return text;
      hasSealed = true;
      return this.#secrets.seal(place, text);
    };
    for (const { value, ...place } of this.#ofPlugin.all(plugin)) {
      const stored = converted(place, value);
      if (stored !== null && stored !== value) this.#convert.run(stored, place.host, place.plugin, place.key);
    }
    for (const { change, old, new: after, ...place } of this.#changesOfPlugin.all(plugin)) {
      const [storedOld, storedNew] = [converted(place, old), converted(place, after)];
      if (storedOld !== old || storedNew !== after) this.#convertChange.run(storedOld, storedNew, change);
    }
    return hasSealed;
  }

  /** A key that the schema has is encrypted if the schema says so; one that it has not, if it was. */
  #sealedIfSecret(place: Place, old: string | null, text: string, items: ConfigurationItems | undefined): string {
    const item = items !== undefined && Object.hasOwn(items, place.key) ? items[place.key] : undefined;
    const isToSeal = item === undefined ? old !== null && isSealed(old) : item.secret === true;
    return isToSeal && !isSealed(text) ? this.#secrets.seal(place, text) : text;
  }

  /** The same secret is another text each time that it is encrypted. */
  #isSameSecret(place: Place, old: string | null, stored: string | null): boolean {
    return old !== null && stored !== null && isSealed(old) && isSealed(stored) && this.#openedIfReadable(place, old) === this.#openedIfReadable(place, stored);
  }

  /** What cannot be decrypted as it is. */
  #openedIfReadable(place: Place, text: string): string {
    try {
      return this.#secrets.open(place, text);
    } catch (error) {
      if (error instanceof SecretUnreadable) return text;
      throw error;
    }
  }
}

/** Whether the value of a key is a secret: its schema says so, or one did when it was set. */
export function isSecret(items: ConfigurationItems | undefined, key: string, stored: string | null | undefined): boolean {
  const item = items !== undefined && Object.hasOwn(items, key) ? items[key] : undefined;
  return item?.secret === true || (stored !== null && stored !== undefined && isSealed(stored));
}
