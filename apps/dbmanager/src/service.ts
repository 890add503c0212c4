// dbmanager on the bus: every `config.*` and `schema.*` action, under its own name and Domogik's. It holds no state:
// what it knows is in the database, and an answer to a write leaves only when the write is on disk.
import { dirname } from 'node:path';
import { configDelete, configGet, configList, configSet, databaseCheck, dbmanagerServices, schemaGet, schemaSet } from '@majordomus/contracts';
import { Handlers, serve } from '@majordomus/mq';
import { ensureFolder, homePaths, lockHome, type PartContext } from '@majordomus/runtime';
import type { Settings } from './config.ts';
import { Store } from './store.ts';

/** How many requests each of the services takes at once. */
const capacity = 256;

/** The actions over a store. */
function handlersOf(store: Store): Handlers {
  return new Handlers()
    .on(configGet, (data) => store.get(data))
    .on(configSet, (data) => store.set(data))
    .on(configDelete, (data) => store.delete(data))
    .on(configList, () => store.list())
    .on(schemaSet, (data) => store.schemaSet(data))
    .on(schemaGet, (data) => store.schemaGet(data))
    .on(databaseCheck, () => store.check());
}

/**
 * Runs until the signal fires: then it finishes what it holds and closes the database.
 * @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE, DATABASE_TOO_NEW, CANNOT_START; StoreLost
 */
export async function start({ home, broker }: Settings, { signal, log, ready, notReady }: PartContext): Promise<void> {
  const { database } = homePaths(home);
  ensureFolder(dirname(database));
  using _lock = lockHome(home, 'dbmanager');
  await using store = await Store.open({ path: database, log });
  await serve({
    endpoint: broker, services: dbmanagerServices, handlers: handlersOf(store), capacity, log, signal,
    onRegistered: () => ready(),
    onLost: notReady,
    onBack: () => ready(),
    ended: store.ended,
  });
}
