// The thread of a SyncClient: a Client that does what it is told, one answer for each request, and ends when it is told to.
import { workerData } from 'node:worker_threads';
import { Client } from './client.ts';
import { CallError, CallerError } from './mdp/errors.ts';
import { plainError, type FromSyncThread, type SyncThreadData, type ToSyncThread } from './sync-protocol.ts';
import { zmtpTransport } from './zmtp.ts';

const { endpoint, dialect, port, said } = workerData as SyncThreadData;

function tell(message: FromSyncThread): void {
  port.postMessage(message);
  Atomics.add(said, 0, 1);
  Atomics.notify(said, 0);
}

function fail(id: number, error: unknown, service = '', action = ''): void {
  const known = error instanceof CallError ? error : new CallerError('BAD_REQUEST', error instanceof Error ? error.message : String(error), { service, action });
  tell({ kind: 'failed', id, error: plainError(known) });
}

async function answer(client: Client, { id, service, action, data, timeoutMs, idempotent }: Extract<ToSyncThread, { kind: 'request' }>): Promise<void> {
  try {
    const reply = await client.request(service, { action, data: JSON.parse(data) as Record<string, unknown> }, { timeoutMs, idempotent });
    tell({ kind: 'reply', id, action: reply.action, data: JSON.stringify(reply.data) });
  } catch (error) {
    fail(id, error, service, action);
  }
}

try {
  // Never the binding of libzmq: it aborts the process when a thread is stopped in which it has a receive pending.
  const client = new Client({ endpoint, dialect, transport: zmtpTransport });
  port.on('message', (message: ToSyncThread) => {
    if (message.kind === 'request') {
      void answer(client, message);
      return;
    }
    void client.close();
    port.close();
  });
  tell({ kind: 'ready', id: 0 });
} catch (error) {
  fail(0, error);
}
