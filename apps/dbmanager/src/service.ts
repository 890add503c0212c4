// dbmanager on the bus: each of its actions, under its own name and Domogik's. It holds no state: what it knows is in the
// database, and an answer to a write leaves only when the write is on disk.
import { dirname, join } from 'node:path';
import { contracts, dbmanagerServices, noticeList } from '@majordomus/contracts';
import { Handlers, serve } from '@majordomus/mq';
import { ensureFolder, homePaths, lockHome, type PartContext } from '@majordomus/runtime';
import { Backups } from './backup/backups.ts';
import type { Settings } from './config.ts';
import { RevealLog } from './secrets/reveal-log.ts';
import { Store } from './store/store.ts';

/** How many requests each of the services takes at once. */
const capacity = 256;

const mebibyte = 1024 * 1024;

/** Each action that dbmanager has a contract for is the store's to do, as actions.ts says, but for a backup: that has a thread of its own. */
function handlersOf(store: Store, backups: Backups, reveals: RevealLog): Handlers {
  const handlers = new Handlers();
  for (const contract of contracts.dbmanager) {
    if (contract.action === 'backup.make') handlers.on(contract, () => backups.make());
    else {
      handlers.on(contract, async (data) => {
        const result = await store.do(contract, data);
        if ('revealed' in result && result.revealed !== undefined) {
          const { host, plugin, revealed: keys } = result;
          reveals.tell({ action: contract.action, host, plugin, by: 'by' in data ? data.by : undefined, keys });
        }
        return result;
      });
    }
  }
  return handlers;
}

/**
 * Runs until the signal fires: then it finishes what it holds and closes the database.
 * @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE, DATABASE_TOO_NEW, CANNOT_START; StoreLost
 */
export async function start({ home, broker, historyDays, historyChanges, backups: keep, minFreeMib }: Settings, { signal, log, ready, notReady }: PartContext): Promise<void> {
  const { database, keys, backups: folder } = homePaths(home);
  const minFreeBytes = minFreeMib * mebibyte;
  ensureFolder(dirname(database));
  using lock = lockHome(home, 'dbmanager');
  lock.watch(log);
  await using store = await Store.open({ path: database, keyFile: join(keys, 'secrets.key'), history: { days: historyDays, changes: historyChanges }, backups: folder, minFreeBytes, log });
  const noticesMs = async (): Promise<number[]> => (await store.do(noticeList, {})).notices.map(({ atMs }) => atMs);
  await using backups = new Backups({ path: database, folder, keep, minFreeBytes, noticesMs, log }).start();
  using reveals = new RevealLog(log);
  await serve({
    endpoint: broker, services: dbmanagerServices, handlers: handlersOf(store, backups, reveals), capacity, log, signal,
    onRegistered: () => ready(),
    onLost: notReady,
    onBack: () => ready(),
    ended: store.ended,
  });
}
