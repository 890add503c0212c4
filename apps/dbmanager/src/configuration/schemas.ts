// The schemas of the plugins: what types their values, and says which of them are secrets. What a schema marks is encrypted in the
// same transaction. Synchronous, inside the transaction of its caller.
import type { Database, Statement } from 'better-sqlite3';
import { refuse, schemaGet, type ConfigurationItems, type RequestOf, type ResultOf, type schemaSet } from '@majordomus/contracts';
import type { Clock } from '@majordomus/runtime';
import type { Scrub } from '../secrets/scrub.ts';
import type { StoredValues } from './stored-values.ts';

interface SchemaRow {
  readonly version: string;
  readonly items: string;
}

export class Schemas {
  readonly #values: StoredValues;
  readonly #scrub: Scrub;
  readonly #clock: Clock;
  readonly #one: Statement<[string], SchemaRow>;
  readonly #all: Statement<[], SchemaRow & { readonly plugin: string }>;
  readonly #set: Statement<[string, string, string, number]>;

  constructor(connection: Database, values: StoredValues, scrub: Scrub, clock: Clock) {
    this.#values = values;
    this.#scrub = scrub;
    this.#clock = clock;
    this.#one = connection.prepare('SELECT version, items FROM plugin_schema WHERE plugin = ?');
    this.#all = connection.prepare('SELECT plugin, version, items FROM plugin_schema');
    this.#set = connection.prepare(`
      INSERT INTO plugin_schema (plugin, version, items, updated_ms) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET version = excluded.version, items = excluded.items, updated_ms = excluded.updated_ms`);
  }

  /** From now on these items type the plugin's values; what is stored stays, fitting or not, and what they mark as secret is encrypted. */
  set({ plugin, version, items }: RequestOf<typeof schemaSet>): ResultOf<typeof schemaSet> {
    this.#set.run(plugin, version, JSON.stringify(items), this.#now());
    if (this.#values.convert(plugin, items)) this.#scrub.demand(this.#now());
    return { plugin };
  }

  get({ plugin }: RequestOf<typeof schemaGet>): ResultOf<typeof schemaGet> {
    const schema = this.#one.get(plugin);
    if (schema === undefined) throw refuse(schemaGet, 'SCHEMA_NOT_FOUND', `no schema of ${plugin} is known; is the plugin installed?`);
    return { plugin, version: schema.version, items: parseItems(schema.items) };
  }

  itemsOf(plugin: string): ConfigurationItems | undefined {
    const schema = this.#one.get(plugin);
    return schema === undefined ? undefined : parseItems(schema.items);
  }

  /** Encrypts what the stored schemas mark, where an older version kept it as plain text. */
  sealMarked(): void {
    const schemas = this.#all.all().map(({ plugin, items }) => ({ plugin, items: parseItems(items) }));
    const marking = schemas.filter(({ items }) => Object.values(items).some(({ secret }) => secret === true));
    if (marking.map(({ plugin, items }) => this.#values.convert(plugin, items)).includes(true)) this.#scrub.demand(this.#now());
  }

  #now(): number {
    return Math.trunc(this.#clock.wallMs());
  }
}

// Only this class writes this column, from checked data, so what is read is of that type.
const parseItems = (text: string): ConfigurationItems => JSON.parse(text) as ConfigurationItems;
