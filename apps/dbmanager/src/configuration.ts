// What the actions on the configuration do: values checked against the stored schema, secrets masked or in clear, and
// the way back. Synchronous, inside the transaction of its caller; it opens no file.
import type { Database, Statement } from 'better-sqlite3';
import {
  configGet, configRevert, configSet, configurationProblems, maskedSecret, problemsText, refuse, schemaGet, withDefaults,
  type ConfigurationItems, type FieldProblems, type JsonValue,
} from '@majordomus/contracts';
import type { Clock } from '@majordomus/runtime';
import type { History } from './history.ts';
import type { OperationData, OperationResult } from './operation.ts';
import { SecretUnreadable } from './secrets.ts';
import { parseValue, shownChanges, shownValues } from './shown-values.ts';
import { isSecret, type Owner, type StoredValues } from './stored-values.ts';

interface SchemaRow {
  readonly version: string;
  readonly items: string;
}

interface ConfigurationRow {
  readonly host: string;
  readonly plugin: string;
  readonly keys: number;
}

export class Configuration {
  readonly #values: StoredValues;
  readonly #history: History;
  readonly #clock: Clock;
  readonly #configurations: Statement<[], ConfigurationRow>;
  readonly #schema: Statement<[string], SchemaRow>;
  readonly #schemas: Statement<[], SchemaRow & { readonly plugin: string }>;
  readonly #setSchema: Statement<[string, string, string, number]>;

  constructor(connection: Database, values: StoredValues, history: History, clock: Clock) {
    this.#values = values;
    this.#history = history;
    this.#clock = clock;
    this.#configurations = connection.prepare('SELECT host, plugin, count(*) AS keys FROM config GROUP BY host, plugin ORDER BY host, plugin');
    this.#schema = connection.prepare('SELECT version, items FROM plugin_schema WHERE plugin = ?');
    this.#schemas = connection.prepare('SELECT plugin, version, items FROM plugin_schema');
    this.#setSchema = connection.prepare(`
      INSERT INTO plugin_schema (plugin, version, items, updated_ms) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET version = excluded.version, items = excluded.items, updated_ms = excluded.updated_ms`);
  }

  get({ host, plugin, key, reveal = false }: OperationData<'config.get'>): OperationResult<'config.get'> {
    const owner = { host, plugin };
    const items = this.#itemsOf(plugin);
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
  set({ host, plugin, by, ...rest }: OperationData<'config.set'>): OperationResult<'config.set'> {
    const values = 'data' in rest ? rest.data : { [rest.key]: rest.value };
    const forgotten = 'data' in rest ? (rest.forget ?? []) : [];
    const items = this.#itemsOf(plugin);
    const fields = { ...(items !== undefined && configurationProblems(items, values)), ...this.#maskProblems({ host, plugin }, items, values) };
    if (Object.keys(fields).length > 0) throw invalid(configSet, { host, plugin }, fields);
    const texts = new Map<string, string | null>(forgotten.map((key) => [key, null]));
    for (const [key, value] of Object.entries(values)) texts.set(key, JSON.stringify(value));
    this.#values.change({ host, plugin }, texts, items, { atMs: this.#now(), by });
    return { host, plugin };
  }

  delete({ host, plugin, key, by }: OperationData<'config.delete'>): OperationResult<'config.delete'> {
    const keys = key === undefined ? this.#values.all({ host, plugin }).map(({ key: name }) => name) : [key];
    const deleted = this.#values.change({ host, plugin }, new Map(keys.map((name) => [name, null])), undefined, { atMs: this.#now(), by });
    return { host, plugin, deleted: deleted.length };
  }

  list(): OperationResult<'config.list'> {
    return { configurations: this.#configurations.all() };
  }

  history({ host, plugin, key, before, limit, reveal = false }: OperationData<'config.history'>): OperationResult<'config.history'> {
    const owner = { host, plugin };
    const items = this.#itemsOf(plugin);
    const changes = this.#history.page(owner, { key, before, limit });
    return { ...owner, latest: this.#history.latest, ...shownChanges(this.#values, owner, changes, { items, reveal }) };
  }

  revert({ host, plugin, key, to, by }: OperationData<'config.revert'>): OperationResult<'config.revert'> {
    const owner = { host, plugin };
    const { latest } = this.#history;
    if (to > latest) throw refuse(configRevert, 'HISTORY_NOT_FOUND', `there is no change ${to} yet; the newest is ${latest}; nothing was changed`);
    const pruned = this.#history.prunedTo(owner);
    if (to < pruned) {
      throw refuse(configRevert, 'HISTORY_NOT_FOUND', `the history of ${plugin} on ${host} up to change ${pruned} is not kept any more, so it cannot be as it was after change ${to}; nothing was changed`);
    }
    const items = this.#itemsOf(plugin);
    const texts = this.#textsAt(owner, key, to);
    const values = this.#plainValues(owner, texts);
    const fields = items === undefined ? {} : configurationProblems(items, values);
    if (Object.keys(fields).length > 0) throw invalid(configRevert, owner, fields);
    return { host, plugin, changed: this.#values.change(owner, texts, items, { atMs: this.#now(), by }) };
  }

  /** From now on these items type the plugin's values, and what they mark is encrypted. Gives whether stored plain text was. */
  schemaSet({ plugin, version, items }: OperationData<'schema.set'>): boolean {
    this.#setSchema.run(plugin, version, JSON.stringify(items), this.#now());
    return this.#values.convert(plugin, items);
  }

  schemaGet({ plugin }: OperationData<'schema.get'>): OperationResult<'schema.get'> {
    const schema = this.#schema.get(plugin);
    if (schema === undefined) throw refuse(schemaGet, 'SCHEMA_NOT_FOUND', `no schema of ${plugin} is known; is the plugin installed?`);
    return { plugin, version: schema.version, items: parseItems(schema.items) };
  }

  /** Encrypts what the stored schemas mark, where an older version kept it as plain text. Gives whether there was any. */
  sealMarked(): boolean {
    const marking = this.#schemas.all().filter(({ items }) => Object.values(parseItems(items)).some(({ secret }) => secret === true));
    return marking.map(({ plugin, items }) => this.#values.convert(plugin, parseItems(items))).includes(true);
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

  #itemsOf(plugin: string): ConfigurationItems | undefined {
    const schema = this.#schema.get(plugin);
    return schema === undefined ? undefined : parseItems(schema.items);
  }

  #now(): number {
    return Math.trunc(this.#clock.wallMs());
  }
}

// Only this class writes this column, from checked data, so what is read is of that type.
const parseItems = (text: string): ConfigurationItems => JSON.parse(text) as ConfigurationItems;

function invalid(contract: typeof configSet | typeof configRevert, { host, plugin }: Owner, fields: FieldProblems): Error {
  return refuse(contract, 'CONFIG_INVALID', `${plugin} on ${host}: ${problemsText(fields)}; nothing was changed`, { fields });
}

function whyNot(plugin: string, key: string, items: ConfigurationItems | undefined): string {
  if (items === undefined) return `it is not set, and no schema of ${plugin} is known; set it with config.set`;
  if (!Object.hasOwn(items, key)) return `its schema has no such key; known: ${Object.keys(items).join(', ') || 'none'}`;
  return 'it is not set, and its schema has no default; set it with config.set';
}
