// Does the operations: SQL, and the check of values against the stored schema inside the same transaction as the
// write. Synchronous, for the database's own thread; it opens no file and starts no transaction that outlives a call.
import type { Database, Statement, Transaction } from 'better-sqlite3';
import {
  ActionFailure, configGet, configSet, configurationProblems, problemsText, refuse, schemaGet, withDefaults,
  type ConfigurationItems, type JsonValue,
} from '@majordomus/contracts';
import { reasonOf, systemClock, type Clock } from '@majordomus/runtime';
import { sqliteCode } from './connection.ts';
import { integrityOf } from './integrity.ts';
import { actions, writes, type ActionName, type Operation, type OperationData, type OperationResult, type Outcome } from './operation.ts';

interface ValueRow {
  readonly key: string;
  readonly value: string;
}

interface SchemaRow {
  readonly version: string;
  readonly items: string;
}

interface ConfigurationRow {
  readonly host: string;
  readonly plugin: string;
  readonly keys: number;
}

/** What a batch came to. */
export interface BatchResult {
  readonly outcomes: readonly Outcome[];
  /** Whether a write was committed, and so synced to disk. */
  readonly committed: boolean;
}

/** The configuration of a house over an open connection, which stays its caller's. */
export class ConfigurationDatabase {
  readonly #connection: Database;
  readonly #clock: Clock;
  readonly #values: Statement<[string, string], ValueRow>;
  readonly #value: Statement<[string, string, string], string>;
  readonly #setValue: Statement<[string, string, string, string, number]>;
  readonly #deleteValue: Statement<[string, string, string]>;
  readonly #deleteValues: Statement<[string, string]>;
  readonly #configurations: Statement<[], ConfigurationRow>;
  readonly #schema: Statement<[string], SchemaRow>;
  readonly #setSchema: Statement<[string, string, string, number]>;
  readonly #savepoint: Transaction<(operation: Operation) => OperationResult<ActionName>>;
  readonly #transaction: Transaction<(operations: readonly Operation[]) => Outcome[]>;

  constructor(connection: Database, clock: Clock = systemClock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#values = connection.prepare('SELECT key, value FROM config WHERE host = ? AND plugin = ? ORDER BY key');
    this.#value = connection.prepare<[string, string, string], string>('SELECT value FROM config WHERE host = ? AND plugin = ? AND key = ?').pluck();
    this.#setValue = connection.prepare(`
      INSERT INTO config (host, plugin, key, value, updated_ms) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value, updated_ms = excluded.updated_ms`);
    this.#deleteValue = connection.prepare('DELETE FROM config WHERE host = ? AND plugin = ? AND key = ?');
    this.#deleteValues = connection.prepare('DELETE FROM config WHERE host = ? AND plugin = ?');
    this.#configurations = connection.prepare('SELECT host, plugin, count(*) AS keys FROM config GROUP BY host, plugin ORDER BY host, plugin');
    this.#schema = connection.prepare('SELECT version, items FROM plugin_schema WHERE plugin = ?');
    this.#setSchema = connection.prepare(`
      INSERT INTO plugin_schema (plugin, version, items, updated_ms) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET version = excluded.version, items = excluded.items, updated_ms = excluded.updated_ms`);
    // Inside the other one, a transaction of the binding is a savepoint.
    this.#savepoint = connection.transaction((operation) => this.#do(operation));
    this.#transaction = connection.transaction((operations) => operations.map((operation) => this.#attempt(operation)));
  }

  /**
   * Does a batch in order. All that it writes is one transaction, on disk when this returns; an operation that is
   * refused undoes only itself. If the commit fails, every write is refused and what was read is read again.
   */
  run(operations: readonly Operation[]): BatchResult {
    const isWrite = operations.map(writes);
    if (!isWrite.includes(true)) return { outcomes: operations.map((operation) => this.#attempt(operation)), committed: false };
    try {
      const outcomes = this.#transaction.immediate(operations);
      return { outcomes, committed: outcomes.some(({ done }, index) => done && isWrite[index] === true) };
    } catch (error) {
      // Inside a transaction that cannot be rolled back nothing would ever be committed again.
      if (this.#connection.inTransaction) throw error;
      return { outcomes: operations.map((operation) => (writes(operation) ? storageFailure(operation, error) : this.#attempt(operation))), committed: false };
    }
  }

  #attempt(operation: Operation): Outcome {
    const inBatch = this.#connection.inTransaction;
    try {
      return { done: true, result: inBatch && writes(operation) ? this.#savepoint(operation) : this.#do(operation) };
    } catch (error) {
      // SQLite ended the whole transaction by itself (a full disk, say): nothing of the batch stands.
      if (inBatch && !this.#connection.inTransaction) throw error;
      return error instanceof ActionFailure ? refused(error) : storageFailure(operation, error);
    }
  }

  #do(operation: Operation): OperationResult<ActionName> {
    switch (operation.action) {
      case 'config.get':
        return this.#get(operation.data);
      case 'config.set':
        return this.#set(operation.data);
      case 'config.delete':
        return this.#delete(operation.data);
      case 'config.list':
        return { configurations: this.#configurations.all() };
      case 'schema.set':
        return this.#schemaSet(operation.data);
      case 'schema.get':
        return this.#schemaGet(operation.data);
      case 'database.check':
        return integrityOf(this.#connection);
      default:
        return operation satisfies never;
    }
  }

  #get({ host, plugin, key }: OperationData<'config.get'>): OperationResult<'config.get'> {
    const items = this.#itemsOf(plugin);
    if (key === undefined) {
      const values = Object.fromEntries(this.#values.all(host, plugin).map(({ key, value }) => [key, parseValue(value)]));
      const data = withDefaults(items ?? {}, values);
      return { host, plugin, data, defaults: Object.keys(data).filter((name) => !Object.hasOwn(values, name)) };
    }
    const stored = this.#value.get(host, plugin, key);
    if (stored !== undefined) return { host, plugin, key, value: parseValue(stored) };
    const fallback = items !== undefined && Object.hasOwn(items, key) ? items[key]?.default : undefined;
    if (fallback !== undefined) return { host, plugin, key, value: fallback, default: true };
    throw refuse(configGet, 'CONFIG_NOT_FOUND', `${plugin} on ${host} has no value for ${key}: ${whyNot(plugin, key, items)}`);
  }

  /** A stored value that a later schema refuses stays as it is; only what is written is checked. */
  #set({ host, plugin, ...rest }: OperationData<'config.set'>): OperationResult<'config.set'> {
    const values = 'data' in rest ? rest.data : { [rest.key]: rest.value };
    const items = this.#itemsOf(plugin);
    const fields = items === undefined ? {} : configurationProblems(items, values);
    if (Object.keys(fields).length > 0) {
      throw refuse(configSet, 'CONFIG_INVALID', `${plugin} on ${host}: ${problemsText(fields)}; nothing was changed`, { fields });
    }
    const now = Math.trunc(this.#clock.wallMs());
    if ('data' in rest) for (const key of rest.forget ?? []) this.#deleteValue.run(host, plugin, key);
    for (const [key, value] of Object.entries(values)) this.#setValue.run(host, plugin, key, JSON.stringify(value), now);
    return { host, plugin };
  }

  #delete({ host, plugin, key }: OperationData<'config.delete'>): OperationResult<'config.delete'> {
    const { changes } = key === undefined ? this.#deleteValues.run(host, plugin) : this.#deleteValue.run(host, plugin, key);
    return { host, plugin, deleted: changes };
  }

  #schemaSet({ plugin, version, items }: OperationData<'schema.set'>): OperationResult<'schema.set'> {
    this.#setSchema.run(plugin, version, JSON.stringify(items), Math.trunc(this.#clock.wallMs()));
    return { plugin };
  }

  #schemaGet({ plugin }: OperationData<'schema.get'>): OperationResult<'schema.get'> {
    const schema = this.#schema.get(plugin);
    if (schema === undefined) throw refuse(schemaGet, 'SCHEMA_NOT_FOUND', `no schema of ${plugin} is known; is the plugin installed?`);
    return { plugin, version: schema.version, items: parseItems(schema.items) };
  }

  #itemsOf(plugin: string): ConfigurationItems | undefined {
    const schema = this.#schema.get(plugin);
    return schema === undefined ? undefined : parseItems(schema.items);
  }
}

// Only this class writes these columns, from checked data, so what is read is of that type.
const parseValue = (text: string): JsonValue => JSON.parse(text) as JsonValue;
const parseItems = (text: string): ConfigurationItems => JSON.parse(text) as ConfigurationItems;

function whyNot(plugin: string, key: string, items: ConfigurationItems | undefined): string {
  if (items === undefined) return `it is not set, and no schema of ${plugin} is known; set it with config.set`;
  if (!Object.hasOwn(items, key)) return `its schema has no such key; known: ${Object.keys(items).join(', ') || 'none'}`;
  return 'it is not set, and its schema has no default; set it with config.set';
}

function storageFailure({ action, data }: Operation, error: unknown): Outcome {
  const about = 'host' in data ? ` of ${data.plugin} on ${data.host}` : 'plugin' in data ? ` of ${data.plugin}` : '';
  const code = sqliteCode(error);
  const advice = code === 'SQLITE_FULL' ? '; free space on the disk of the home' : '';
  const reason = `${action}${about} failed, and nothing was changed: ${reasonOf(error)}${code === undefined ? '' : ` (${code})`}${advice}`;
  return refused(refuse(actions[action], 'STORAGE_ERROR', reason));
}

function refused({ code, message, details }: ActionFailure): Outcome {
  return { done: false, refusal: { code, reason: message, details } };
}
