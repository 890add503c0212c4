// What the actions on the configuration do: values checked against the stored schema, secrets masked or in clear, and
// the way back. Synchronous, inside the transaction of its caller; it opens no file.
import type { Database, Statement } from 'better-sqlite3';
import {
  configGet, configRevert, configSet, configurationProblems, maskedSecret, partProblems, problemsText, refuse, withDefaults,
  type configDelete, type configHistory, type configList, type ConfigurationItems, type FieldProblems, type JsonValue, type RequestOf, type ResultOf,
} from '@majordomus/contracts';
import type { Clock } from '@majordomus/runtime';
import { SecretUnreadable } from '../secrets/secrets.ts';
import type { History } from './history.ts';
import type { Owner } from './place.ts';
import type { Schemas } from './schemas.ts';
import { parseValue, shownChanges, shownValues } from './shown-values.ts';
import { isSecret, type StoredValues } from './stored-values.ts';

interface ConfigurationRow extends Owner {
  readonly keys: number;
}

export class Configuration {
  readonly #values: StoredValues;
  readonly #schemas: Schemas;
  readonly #history: History;
  readonly #clock: Clock;
  readonly #configurations: Statement<[], ConfigurationRow>;

  constructor(connection: Database, values: StoredValues, schemas: Schemas, history: History, clock: Clock) {
    this.#values = values;
    this.#schemas = schemas;
    this.#history = history;
    this.#clock = clock;
    this.#configurations = connection.prepare('SELECT host, plugin, count(*) AS keys FROM config GROUP BY host, plugin ORDER BY host, plugin');
  }

  get({ host, plugin, key, reveal = false }: RequestOf<typeof configGet>): ResultOf<typeof configGet> {
    const owner = { host, plugin };
    const items = this.#schemas.itemsOf(plugin);
    if (key === undefined) {
      const shown = shownValues(this.#values, owner, this.#values.all(owner), { items, reveal });
      const data = withDefaults(items ?? {}, shown.data);
      return { ...owner, ...shown, data, defaults: Object.keys(data).filter((name) => !Object.hasOwn(shown.data, name)) };
    }
    const value = this.#values.one(owner, key);
    if (value !== undefined) {
      const { data, ...ways } = shownValues(this.#values, owner, [{ key, value }], { items, reveal });
      return { ...owner, key, value: data[key] ?? null, ...ways };
    }
    const fallback = items !== undefined && Object.hasOwn(items, key) ? items[key]?.default : undefined;
    // What stands in a plugin's package for everyone to read is no secret.
    if (fallback !== undefined) return { ...owner, key, value: fallback, default: true };
    throw refuse(configGet, 'CONFIG_NOT_FOUND', `${plugin} on ${host} has no value for ${key}: ${whyNot(plugin, key, items)}`);
  }

  /** A stored value that a later schema refuses stays as it is; only what is written is checked. */
  set({ host, plugin, by, ...rest }: RequestOf<typeof configSet>): ResultOf<typeof configSet> {
    const values = 'data' in rest ? rest.data : { [rest.key]: rest.value };
    const forgotten = 'data' in rest ? (rest.forget ?? []) : [];
    const items = this.#schemas.itemsOf(plugin);
    const fields = { ...problemsOf(plugin, items, values), ...this.#maskProblems({ host, plugin }, items, values) };
    if (Object.keys(fields).length > 0) throw invalid(configSet, { host, plugin }, fields);
    const texts = new Map<string, string | null>(forgotten.map((key) => [key, null]));
    for (const [key, value] of Object.entries(values)) texts.set(key, JSON.stringify(value));
    this.#values.change({ host, plugin }, texts, items, { atMs: this.#now(), by });
    return { host, plugin };
  }

  delete({ host, plugin, key, by }: RequestOf<typeof configDelete>): ResultOf<typeof configDelete> {
    const keys = key === undefined ? this.#values.all({ host, plugin }).map(({ key: name }) => name) : [key];
    const deleted = this.#values.change({ host, plugin }, new Map(keys.map((name) => [name, null])), undefined, { atMs: this.#now(), by });
    return { host, plugin, deleted: deleted.length };
  }

  list(): ResultOf<typeof configList> {
    return { configurations: this.#configurations.all() };
  }

  history({ host, plugin, key, before, limit, reveal = false }: RequestOf<typeof configHistory>): ResultOf<typeof configHistory> {
    const owner = { host, plugin };
    const items = this.#schemas.itemsOf(plugin);
    const changes = this.#history.page(owner, { key, before, limit });
    return { ...owner, latest: this.#history.latest, ...shownChanges(this.#values, owner, changes, { items, reveal }) };
  }

  revert({ host, plugin, key, to, by }: RequestOf<typeof configRevert>): ResultOf<typeof configRevert> {
    const owner = { host, plugin };
    const { latest } = this.#history;
    if (to > latest) throw refuse(configRevert, 'HISTORY_NOT_FOUND', `there is no change ${to} yet; the newest is ${latest}; nothing was changed`);
    const pruned = this.#history.prunedTo(owner);
    if (to < pruned) {
      throw refuse(configRevert, 'HISTORY_NOT_FOUND', `the history of ${plugin} on ${host} up to change ${pruned} is not kept any more, so it cannot be as it was after change ${to}; nothing was changed`);
    }
    const items = this.#schemas.itemsOf(plugin);
    const texts = this.#textsAt(owner, key, to);
    const values = this.#plainValues(owner, texts);
    const fields = problemsOf(plugin, items, values);
    if (Object.keys(fields).length > 0) throw invalid(configRevert, owner, fields);
    return { host, plugin, changed: this.#values.change(owner, texts, items, { atMs: this.#now(), by }) };
  }

  /** The text that stands for a secret is not one. */
  #maskProblems(owner: Owner, items: ConfigurationItems | undefined, values: Readonly<Record<string, JsonValue>>): FieldProblems {
    const masked = Object.keys(values).filter((key) => values[key] === maskedSecret && isSecret(items, key, this.#values.one(owner, key)));
    return Object.fromEntries(masked.map((key) => [key, 'is the text that stands for a secret that is not shown; give the secret itself, or leave the key out']));
  }

  /** What differs from now, as it was just after the change `to`, as it was stored then: what was a secret then is one again. */
  #textsAt(owner: Owner, key: string | undefined, to: number): Map<string, string | null> {
    const texts = this.#history.valuesAt(owner, key, to);
    return new Map([...texts].filter(([name, text]) => text !== (this.#values.one(owner, name) ?? null)));
  }

  /** @throws ActionFailure SECRET_UNREADABLE */
  #plainValues(owner: Owner, texts: ReadonlyMap<string, string | null>): Record<string, JsonValue> {
    const values: [string, JsonValue][] = [];
    const lost: string[] = [];
    for (const [name, text] of texts) {
      if (text === null) continue;
      try {
        values.push([name, parseValue(this.#values.plain({ ...owner, key: name }, text))]);
      } catch (error) {
        if (!(error instanceof SecretUnreadable)) throw error;
        lost.push(name);
      }
    }
    if (lost.length > 0) throw refuse(configRevert, 'SECRET_UNREADABLE', `${owner.plugin} on ${owner.host}: ${lost.join(', ')} of then cannot be decrypted; nothing was changed`);
    return Object.fromEntries(values);
  }

  #now(): number {
    return Math.trunc(this.#clock.wallMs());
  }
}

/** By the schema of a plugin; a part of the house has its own rules. */
function problemsOf(plugin: string, items: ConfigurationItems | undefined, values: Readonly<Record<string, JsonValue>>): FieldProblems {
  return items === undefined ? partProblems(plugin, values) : configurationProblems(items, values);
}

function invalid(contract: typeof configSet | typeof configRevert, { host, plugin }: Owner, fields: FieldProblems): Error {
  return refuse(contract, 'CONFIG_INVALID', `${plugin} on ${host}: ${problemsText(fields)}; nothing was changed`, { fields });
}

function whyNot(plugin: string, key: string, items: ConfigurationItems | undefined): string {
  if (items === undefined) return `it is not set, and no schema of ${plugin} is known; set it with config.set`;
  if (!Object.hasOwn(items, key)) return `its schema has no such key; known: ${Object.keys(items).join(', ') || 'none'}`;
  return 'it is not set, and its schema has no default; set it with config.set';
}
