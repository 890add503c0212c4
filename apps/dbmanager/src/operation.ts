// What crosses between the main thread and the database's thread: operations one way, their outcomes the other.
// An operation is the action's own request and an outcome its result, as the contracts have them: there is no second
// vocabulary. Both cross as JSON text, since a structured clone fails on values that are nested less deeply than
// a contract accepts.
import {
  configDelete, configGet, configHistory, configList, configRevert, configSet, databaseCheck, noticeAcknowledge, noticeList, schemaGet, schemaSet,
  type Contract, type JsonObject, type RequestOf, type ResultOf,
} from '@majordomus/contracts';
import type { StartErrorCode } from '@majordomus/runtime';

/** The contracts of the actions, by name. */
export const actions = {
  'config.get': configGet,
  'config.set': configSet,
  'config.delete': configDelete,
  'config.list': configList,
  'config.history': configHistory,
  'config.revert': configRevert,
  'schema.set': schemaSet,
  'schema.get': schemaGet,
  'database.check': databaseCheck,
  'notice.list': noticeList,
  'notice.acknowledge': noticeAcknowledge,
} as const;

type Actions = typeof actions;
export type ActionName = keyof Actions;

interface OperationOf<Name extends ActionName, C extends Contract> {
  readonly action: Name;
  readonly data: RequestOf<C>;
}

/** One action to be done, with its checked data. */
export type Operation = { [Name in ActionName]: OperationOf<Name, Actions[Name]> }[ActionName];
export type OperationData<Name extends ActionName> = RequestOf<Actions[Name]>;
export type OperationResult<Name extends ActionName> = ResultOf<Actions[Name]>;

/** Why an operation was not done; what an ActionFailure holds, since errors lose their class between threads. */
interface Refusal {
  readonly code: string;
  readonly reason: string;
  readonly details: JsonObject;
}

/** How one operation ended; outcomes stand in the order of the operations. */
export type Outcome =
  | { readonly done: true; readonly result: OperationResult<ActionName> }
  | { readonly done: false; readonly refusal: Refusal };

export type ToThread =
  /** Each text is an Operation. */
  | { readonly kind: 'run'; readonly operations: readonly string[] }
  /** Close the database and end. */
  | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'opened' }
  /** The database cannot be opened, and why, as a StartError says it; the thread ends. */
  | { readonly kind: 'refused'; readonly code: StartErrorCode; readonly message: string }
  /** What could not be done beside the operations, for the log. */
  | { readonly kind: 'trouble'; readonly text: string }
  /** Each text is an Outcome. `committed`: whether the batch committed a write, and so was synced to disk. */
  | { readonly kind: 'done'; readonly outcomes: readonly string[]; readonly committed: boolean }
  /** The connection is not to be trusted any more, and why: it is closed, and the thread ends, so that another one begins anew. */
  | ({ readonly kind: 'renew' } & Renewal);

/** Why a connection has to be closed, and another one opened. */
export interface Renewal {
  /** For the log. */
  readonly text: string;
  readonly why: 'damage' | 'failed disk' | 'room again';
}

const writing: { readonly [Name in ActionName]: boolean } = {
  'config.get': false,
  'config.set': true,
  'config.delete': true,
  'config.list': false,
  'config.history': false,
  'config.revert': true,
  'schema.set': true,
  'schema.get': false,
  'database.check': false,
  'notice.list': false,
  'notice.acknowledge': true,
};

/** Whether it may change the database. */
export function writes(operation: Operation): boolean {
  return writing[operation.action];
}
