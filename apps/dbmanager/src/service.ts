// dbmanager on the bus: every `config.*` and `schema.*` action, under its own name and Domogik's. It holds no state:
// what it knows is in the database, and an answer to a write leaves only when the write is on disk.
import { dirname, join } from 'node:path';
import {
  backupMake, configDelete, configGet, configHistory, configList, configRevert, configSet, databaseCheck, dbmanagerServices, noticeAcknowledge, noticeList,
  schemaGet, schemaSet,
} from '@majordomus/contracts';
import { Handlers, serve } from '@majordomus/mq';
import { ensureFolder, homePaths, lockHome, type PartContext } from '@majordomus/runtime';
import { Backups } from './backups.ts';
import type { Settings } from './config.ts';
import { RevealLog } from './reveal-log.ts';
import { Store } from './store.ts';

/** How many requests each of the services takes at once. */
const capacity = 256;

const mebibyte = 1024 * 1024;

/** The actions over a store and its backups. */
function handlersOf(store: Store, backups: Backups, reveals: RevealLog): Handlers {
  return new Handlers()
    .on(configGet, async (data) => {
      const result = await store.get(data);
      if (result.revealed !== undefined) reveals.tell({ ...data, action: 'config.get', keys: result.revealed });
      return result;
    })
    .on(configSet, (data) => store.set(data))
    .on(configDelete, (data) => store.delete(data))
    .on(configList, () => store.list())
    .on(configHistory, async (data) => {
      const result = await store.history(data);
      if (result.revealed !== undefined) reveals.tell({ ...data, action: 'config.history', keys: result.revealed });
      return result;
    })
    .on(configRevert, (data) => store.revert(data))
    .on(schemaSet, (data) => store.schemaSet(data))
    .on(schemaGet, (data) => store.schemaGet(data))
    .on(databaseCheck, () => store.check())
    .on(backupMake, () => backups.make())
    .on(noticeList, () => store.notices())
    .on(noticeAcknowledge, (data) => store.acknowledge(data));
}

/**
 * Runs until the signal fires: then it finishes what it holds and closes the database.
 * @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE, DATABASE_TOO_NEW, CANNOT_START; StoreLost
 */
export async function start({ home, broker, historyDays, historyChanges, backups: keep, minFreeMib }: Settings, { signal, log, ready, notReady }: PartContext): Promise<void> {
  const { database, keys, backups: folder } = homePaths(home);
  const minFreeBytes = minFreeMib * mebibyte;
  ensureFolder(dirname(database));
  using _lock = lockHome(home, 'dbmanager');
  await using store = await Store.open({ path: database, keyFile: join(keys, 'secrets.key'), history: { days: historyDays, changes: historyChanges }, backups: folder, minFreeBytes, log });
  await using backups = new Backups({ path: database, folder, keep, minFreeBytes, log }).start();
  using reveals = new RevealLog(log);
  await serve({
    endpoint: broker, services: dbmanagerServices, handlers: handlersOf(store, backups, reveals), capacity, log, signal,
    onRegistered: () => ready(),
    onLost: notReady,
    onBack: () => ready(),
    ended: store.ended,
  });
}
