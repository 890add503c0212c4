// What the database is asked, one entry for each action: its contract, whether it may write, and what does it. A request goes from
// the service to the store, which takes it to the database's thread in a batch; there it is done as is said here, and what it wrote
// is on disk before its answer goes back. A contract of dbmanager that has no entry does not compile in service.ts.
import type { Database } from 'better-sqlite3';
import {
  configDelete, configGet, configHistory, configList, configRevert, configSet, databaseCheck, noticeAcknowledge, noticeList, schemaGet, schemaSet,
  type Contract, type RequestOf, type ResultOf,
} from '@majordomus/contracts';
import type { z } from 'zod';
import type { Configuration } from './configuration/configuration.ts';
import type { Schemas } from './configuration/schemas.ts';
import { integrityOf } from './file/integrity.ts';
import { acknowledgeNotice, listNotices } from './recovery/notices.ts';

/** What an action may use, all over one connection; what writes is inside a transaction. */
export interface ActionContext {
  readonly connection: Database;
  readonly configuration: Configuration;
  readonly schemas: Schemas;
}

/** Whatever the database does, its disk may be full or broken. */
type DatabaseContract = Contract<z.ZodType, z.ZodType, 'STORAGE_FULL' | 'STORAGE_ERROR'>;

interface Traits<C extends DatabaseContract> {
  /** Whether it is refused before it writes anything or not at all, so that it needs no savepoint, which would cost a sixth of a write. */
  isOneStep?(data: RequestOf<C>): boolean;
  /** Whether it may leave plain text of secrets in the file, which is cleared before it is answered. */
  readonly scrubs?: boolean;
}

export interface Action<C extends DatabaseContract = DatabaseContract> extends Traits<C> {
  readonly contract: C;
  /** Whether it may change the database. */
  readonly writes: boolean;
  /** @throws ActionFailure with a code of the contract; SqliteError */
  perform(context: ActionContext, data: RequestOf<C>): ResultOf<C>;
}

type Performing<C extends DatabaseContract> = (context: ActionContext, data: RequestOf<C>) => ResultOf<C>;

function read<C extends DatabaseContract>(contract: C, perform: Performing<C>): Action<C> {
  return { contract, writes: false, perform };
}

function write<C extends DatabaseContract>(contract: C, perform: Performing<C>, traits: Traits<C> = {}): Action<C> {
  return { contract, writes: true, perform, ...traits };
}

const actions = [
  read(configGet, ({ configuration }, data) => configuration.get(data)),
  write(configSet, ({ configuration }, data) => configuration.set(data), { isOneStep: (data) => 'key' in data }),
  write(configDelete, ({ configuration }, data) => configuration.delete(data)),
  read(configList, ({ configuration }) => configuration.list()),
  read(configHistory, ({ configuration }, data) => configuration.history(data)),
  write(configRevert, ({ configuration }, data) => configuration.revert(data)),
  write(schemaSet, ({ schemas }, data) => schemas.set(data), { scrubs: true }),
  read(schemaGet, ({ schemas }, data) => schemas.get(data)),
  read(databaseCheck, ({ connection }) => integrityOf(connection)),
  read(noticeList, ({ connection }) => listNotices(connection)),
  write(noticeAcknowledge, ({ connection }, data) => acknowledgeNotice(connection, data)),
] as const;

/** The contract of any of them. */
export type ActionContract = (typeof actions)[number]['contract'];

type OperationOf<C extends Contract> = C extends unknown ? { readonly action: C['action']; readonly data: RequestOf<C> } : never;

/** One action to be done, with its checked data. */
export type Operation = OperationOf<ActionContract>;

const byName = Object.fromEntries<Action>(actions.map((action) => [action.contract.action, action])) as { readonly [Name in Operation['action']]: Action };

export function actionOf({ action }: Operation): Action {
  return byName[action];
}

/** Whether it may change the database. */
export function writes(operation: Operation): boolean {
  return actionOf(operation).writes;
}
