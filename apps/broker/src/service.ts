// The broker as a part of the house: it listens, says where, and tells its log what it had to drop.
import { Broker, dropKinds, TransportError, type BrokerStatus, type DropKind } from '@majordomus/mq';
import { StartError, untilAborted, type Log, type PartContext } from '@majordomus/runtime';
import type { BrokerSettings } from './config.ts';
import { isOutOfFiles, openFilesLimit, roomForConnections } from './open-files.ts';

/** How often what was dropped is logged, however much it is (rule R13). */
const reportIntervalMs = 10_000;

/** @throws StartError if the address cannot be used */
export async function start({ bind, limits }: BrokerSettings, { signal, log, ready }: PartContext): Promise<void> {
  let lastEnd: string | undefined;
  await using broker = await listen(bind, withinOpenFiles(limits, log), (why) => { lastEnd = why; });
  log.info({ endpoint: broker.endpoint }, 'listening');
  if (!isLoopback(broker.endpoint)) {
    log.warn(`the bus has no authentication: whoever reaches ${broker.endpoint} can run code on this host; keep it behind a firewall`);
  }
  let before = broker.status();
  const reporting = setInterval(() => {
    const now = broker.status();
    reportDrops(log, before, now, lastEnd);
    if (isOutOfFiles()) log.warn('no file can be opened any more, so that no connection is taken; those that are open live on. Raise the limit of open files (ulimit -n)');
    before = now;
  }, reportIntervalMs);
  ready({ endpoint: broker.endpoint });
  await untilAborted(signal);
  clearInterval(reporting);
}

async function listen(endpoint: string, limits: BrokerSettings['limits'], onConnectionEnded: (why: string) => void): Promise<Broker> {
  try {
    return await Broker.bind({ endpoint, limits, onConnectionEnded });
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    throw new StartError(cause.code === 'ADDRESS_IN_USE' ? 'ADDRESS_IN_USE' : 'CANNOT_START', cause.message, { cause });
  }
}

/** A connection that the system refuses is seen by nobody, so the broker stays below the system's limit, and says so. */
function withinOpenFiles(limits: BrokerSettings['limits'], log: Log): BrokerSettings['limits'] {
  const files = openFilesLimit();
  const room = files === undefined ? Infinity : roomForConnections(files);
  if (room >= limits.maxConnections) return limits;
  log.warn(`the system lets the broker open ${files} files, so that it takes ${room} connections at once and not ${limits.maxConnections}; raise that (ulimit -n), or set max-connections`);
  return { ...limits, maxConnections: room };
}

function isLoopback(endpoint: string): boolean {
  return /^(tcp:\/\/(127\.|\[::1\]|localhost[:.])|ipc:)/.test(endpoint);
}

function reportDrops(log: Log, before: BrokerStatus, now: BrokerStatus, lastEnd: string | undefined): void {
  for (const kind of Object.keys(dropKinds) as DropKind[]) {
    const count = now.dropped[kind] - before.dropped[kind];
    const last = kind === 'connection' && lastEnd !== undefined ? `; the last one: ${lastEnd}` : '';
    if (count > 0) log.warn({ kind, count }, `dropped ${count} × ${dropKinds[kind]}${last}`);
  }
}
