import { setTimeout as delay } from 'node:timers/promises';
import { ActionFailure } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { realClock } from './clock.ts';

describe('the clock of a plugin in a house', () => {
  it('is that of the machine', async () => {
    expect(Math.abs(realClock.wallMs() - Date.now())).toBeLessThan(1000);
    const beforeMs = realClock.monotonicMs();
    await realClock.delay(20);
    expect(realClock.monotonicMs() - beforeMs).toBeGreaterThanOrEqual(20);
    await realClock.delay(0);
  });

  it('waits no longer than its signal allows, and gives the reason of the signal, as the clock of a test does', async () => {
    const stopping = new AbortController();
    const waiting = realClock.delay(60_000, stopping.signal);
    stopping.abort(new ActionFailure('STOPPING', 'heating is stopping'));
    await expect(waiting).rejects.toMatchObject({ name: 'ActionFailure', code: 'STOPPING' });
    await expect(realClock.delay(0, stopping.signal)).rejects.toMatchObject({ code: 'STOPPING' });
  });

  it('waits for more than the 25 days that a timer of Node can', async () => {
    const stopping = new AbortController();
    const waiting = realClock.delay(2 ** 31, stopping.signal).then(() => 'over', () => 'stopped');
    expect(await Promise.race([waiting, delay(50, 'waits')])).toBe('waits');
    stopping.abort();
    expect(await waiting).toBe('stopped');
  });
});
