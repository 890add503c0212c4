// The broker as a part of the house: it listens, says where, and tells its log what it had to drop.
import { Broker, dropKinds, TransportError, type BrokerStatus, type DropKind } from '@majordomus/mq';
import { StartError, untilAborted, type Log, type PartContext } from '@majordomus/runtime';
import type { BrokerSettings } from './config.ts';

/** How often what was dropped is logged, however much it is (rule R13). */
const reportIntervalMs = 10_000;

/** @throws StartError if the address cannot be used */
export async function start({ bind, limits }: BrokerSettings, { signal, log, ready }: PartContext): Promise<void> {
  await using broker = await listen(bind, limits);
  log.info({ endpoint: broker.endpoint }, 'listening');
  if (!isLoopback(broker.endpoint)) {
    log.warn(`the bus has no authentication: whoever reaches ${broker.endpoint} can run code on this host; keep it behind a firewall`);
  }
  let before = broker.status();
  const reporting = setInterval(() => {
    const now = broker.status();
    reportDrops(log, before, now);
    before = now;
  }, reportIntervalMs);
  ready({ endpoint: broker.endpoint });
  await untilAborted(signal);
  clearInterval(reporting);
}

async function listen(endpoint: string, limits: BrokerSettings['limits']): Promise<Broker> {
  try {
    return await Broker.bind({ endpoint, limits });
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    throw new StartError(cause.code === 'ADDRESS_IN_USE' ? 'ADDRESS_IN_USE' : 'CANNOT_START', cause.message, { cause });
  }
}

function isLoopback(endpoint: string): boolean {
  return /^(tcp:\/\/(127\.|\[::1\]|localhost[:.])|ipc:)/.test(endpoint);
}

function reportDrops(log: Log, before: BrokerStatus, now: BrokerStatus): void {
  for (const kind of Object.keys(dropKinds) as DropKind[]) {
    const count = now.dropped[kind] - before.dropped[kind];
    if (count > 0) log.warn({ kind, count }, `dropped ${count} × ${dropKinds[kind]}`);
  }
}
