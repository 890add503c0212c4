// dbmanager on the bus: every `config.*` and `schema.*` action, under its own name and Domogik's. It holds no state:
// what it knows is in the database, and an answer to a write leaves only when the write is on disk.
import { dirname, join } from 'node:path';
import { configDelete, configGet, configList, configSet, dbmanagerServices, schemaGet, schemaSet } from '@majordomus/contracts';
import { Handlers, Worker } from '@majordomus/mq';
import { ensureFolder, homePaths, type PartContext } from '@majordomus/runtime';
import type { Settings } from './config.ts';
import { takeLock } from './lock.ts';
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
    .on(schemaGet, (data) => store.schemaGet(data));
}

/**
 * Runs until the signal fires: then it finishes what it holds and closes the database.
 * @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE, DATABASE_TOO_NEW, CANNOT_START; StoreLost
 */
export async function start(settings: Settings, { signal, log, ready }: PartContext): Promise<void> {
  const { database, run } = homePaths(settings.home);
  ensureFolder(dirname(database));
  using _lock = takeLock(join(ensureFolder(run), 'dbmanager.lock'));
  await using store = await Store.open({ path: database, log });
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const handlers = handlersOf(store);
  const workers = dbmanagerServices.map((service) => new Worker({ endpoint: settings.broker, service, handlers, capacity, log }).start());
  try {
    await Promise.race([stopped, store.ended, Promise.all(workers.map((worker) => worker.registered({ signal })))]);
    if (!signal.aborted) ready();
    await Promise.race([stopped, store.ended]);
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}
