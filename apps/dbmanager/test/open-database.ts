// A database on a file of its own, with a clock that the test turns, and words for what is asked of it.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { expect } from 'vitest';
import type { configGet, configHistory, configRevert, ConfigurationItems, Contract, JsonValue, RequestOf, ResultOf } from '@majordomus/contracts';
import type { Operation } from '../src/actions.ts';
import type { HistoryLimits } from '../src/configuration/history.ts';
import { ConfigurationDatabase } from '../src/database/database.ts';
import type { Outcome } from '../src/database/outcome.ts';
import { openConnection } from '../src/file/connection.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const owner = { host: 'igor', plugin: 'vault' } as const;

export class OpenDatabase implements Disposable {
  readonly folder = temporaryFolder();
  readonly path = join(this.folder.path, 'db', 'x.sqlite');
  readonly keyFile = join(this.folder.path, 'keys', 'secrets.key');
  /** What its clock says. */
  nowMs = 1_800_000_000_000;
  connection: Database;
  database: ConfigurationDatabase;
  readonly #history: HistoryLimits | undefined;

  constructor({ history, prepare }: { readonly history?: HistoryLimits; readonly prepare?: (path: string) => void } = {}) {
    this.#history = history;
    mkdirSync(dirname(this.path));
    prepare?.(this.path);
    [this.connection, this.database] = this.#open();
  }

  #open(): [Database, ConfigurationDatabase] {
    const connection = openConnection(this.path);
    const clock = { monotonicMs: () => 0, wallMs: () => this.nowMs };
    return [connection, new ConfigurationDatabase(connection, { clock, keyFile: this.keyFile, history: this.#history })];
  }

  reopen(): void {
    this.connection.close();
    [this.connection, this.database] = this.#open();
  }

  run(operation: Operation): Outcome {
    return this.database.run([operation]).outcomes[0] ?? { done: false, refusal: { code: 'NONE', reason: '', details: {} } };
  }

  set(data: Record<string, JsonValue>, by?: string): Outcome {
    return this.run({ action: 'config.set', data: { ...owner, data, ...(by !== undefined && { by }) } });
  }

  delete(key?: string, by?: string): Outcome {
    return this.run({ action: 'config.delete', data: { ...owner, ...(key !== undefined && { key }), ...(by !== undefined && { by }) } });
  }

  get(more: Partial<RequestOf<typeof configGet>> = {}): Outcome {
    return this.run({ action: 'config.get', data: { ...owner, ...more } });
  }

  revert(to: number, more: Partial<RequestOf<typeof configRevert>> = {}): Outcome {
    return this.run({ action: 'config.revert', data: { ...owner, to, ...more } });
  }

  schema(items: ConfigurationItems, version = '1.0.0'): Outcome {
    return this.run({ action: 'schema.set', data: { plugin: owner.plugin, version, items } });
  }

  history(more: Partial<RequestOf<typeof configHistory>> = {}): ResultOf<typeof configHistory> {
    return resultOf<typeof configHistory>(this.run({ action: 'config.history', data: { ...owner, limit: 100, ...more } }));
  }

  /** The values as anyone may see them. */
  values(more: Partial<RequestOf<typeof configGet>> = {}): Record<string, JsonValue> {
    const result = resultOf<typeof configGet>(this.get(more));
    return 'data' in result ? result.data : { [result.key]: result.value };
  }

  [Symbol.dispose](): void {
    this.connection.close();
    this.folder[Symbol.dispose]();
  }
}

export const done = (result: unknown): unknown => ({ done: true, result });
export const refusal = (code: string, reason: unknown): unknown => ({ done: false, refusal: { code, reason, details: expect.any(Object) as unknown } });

function resultOf<C extends Contract>(outcome: Outcome): ResultOf<C> {
  if (!outcome.done) throw new TypeError(`refused: ${outcome.refusal.code}: ${outcome.refusal.reason}`);
  return outcome.result as ResultOf<C>;
}
