import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { orAborted, untilAborted } from './abort.ts';

const never = new AbortController().signal;
const pending = (): Promise<never> => Promise.withResolvers<never>().promise;

describe('waiting with a signal', () => {
  it('ends with the promise, or with the signal if that is first', async () => {
    await expect(orAborted(Promise.resolve(1), never)).resolves.toBe(1);
    await expect(orAborted(Promise.reject(new Error('failed')), never)).rejects.toThrow('failed');
    await expect(orAborted(pending(), AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    const stopping = new AbortController();
    const waiting = orAborted(pending(), stopping.signal);
    stopping.abort(new Error('stopped later'));
    await expect(waiting).rejects.toThrow('stopped later');
  });

  it('leaves nothing on the signal', async () => {
    const { signal } = new AbortController();
    await orAborted(Promise.resolve(), signal);
    await orAborted(Promise.reject(new Error('failed')), signal).catch(() => {});
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('waiting for a signal', () => {
  it('ends when it fires, also if that is long ago', async () => {
    await untilAborted(AbortSignal.abort());
    const stopping = new AbortController();
    let ended = false;
    const waiting = untilAborted(stopping.signal).then(() => (ended = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    stopping.abort();
    await waiting;
  });
});
