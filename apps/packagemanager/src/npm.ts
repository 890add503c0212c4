// npm's libraries, which cannot be cancelled, in a thread that can be ended.
import { Worker } from 'node:worker_threads';
import { orAborted, reasonOf } from '@majordomus/runtime';
import { noteUse } from './cache-age.ts';
import type { NpmOutcome, NpmRequest } from './npm-thread.ts';

export type { NpmSource } from './npm-thread.ts';

/** Enough for thousands of dependencies; beyond it the thread ends, and not the process. */
const maxThreadMb = 512;
/** Longer than any registry takes that answers at all. */
const limitMs = 10 * 60_000;

/** @throws the signal's reason */
export async function runNpm(request: NpmRequest, signal: AbortSignal): Promise<NpmOutcome> {
  const thread = new Worker(new URL('./npm-thread.ts', import.meta.url), {
    workerData: request,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: maxThreadMb },
  });
  const { promise: outcome, resolve: settle } = Promise.withResolvers<NpmOutcome>();
  thread.once('message', settle);
  thread.once('error', (error) => settle({ ok: false, code: 'THREAD_FAILED', reason: reasonOf(error) }));
  thread.once('exit', () => settle({ ok: false, code: 'THREAD_FAILED', reason: 'npm ended without an answer' }));
  try {
    return await orAborted(outcome, AbortSignal.any([signal, AbortSignal.timeout(limitMs)]));
  } catch {
    signal.throwIfAborted();
    return { ok: false, code: 'TIMEOUT', reason: `it took longer than ${limitMs / 60_000} minutes` };
  } finally {
    await thread.terminate();
    await noteUse(request.cache);
  }
}
