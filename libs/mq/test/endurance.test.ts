// Many calls at once, and processes that end as they should: by themselves when all is closed, and at once when told so.
import { describe, expect, it } from 'vitest';
import { Child } from './child.ts';

describe('endurance', () => {
  it('20,000 calls, 1000 at a time, are each answered with their own answer; then the process ends by itself', async () => {
    await using child = new Child(new URL('./programs/endurance.ts', import.meta.url), ['20000', '1000']);
    const result: unknown = JSON.parse(await child.line(60_000));
    expect(result).toEqual({
      right: 20_000,
      open: 0,
      dropped: { malformed: 0, replyNotOpen: 0, replyUnwanted: 0, workerUnknown: 0, workerInvalid: 0, undeliverable: 0, connection: 0, connectionRefused: 0, superseded: 0 },
      refused: { DEADLINE_EXCEEDED: 0, SERVICE_UNKNOWN: 0, WORKER_LOST: 0, OVERLOADED: 0, TOO_LARGE: 0, BAD_REQUEST: 0 },
    });
    const closedMs = performance.now();
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - closedMs).toBeLessThan(5000);
  }, 60_000);

  it.each(['bound', 'connecting', 'busy', 'closing'])('process.exit while %s ends the process with its code, not by an abort', async (when) => {
    await using child = new Child(new URL('./programs/exit.ts', import.meta.url), [when]);
    expect(await child.ended).toEqual({ code: 3, signal: null });
  });

  it('a broker or a worker process whose standard input closes ends by itself', async () => {
    await using broker = new Child(new URL('./programs/broker.ts', import.meta.url), ['tcp://127.0.0.1:*']);
    const endpoint = await broker.line();
    await using worker = new Child(new URL('./programs/worker.ts', import.meta.url), [endpoint]);
    await worker.line();
    worker.closeInput();
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    broker.closeInput();
    expect(await broker.ended).toEqual({ code: 0, signal: null });
  });
});
