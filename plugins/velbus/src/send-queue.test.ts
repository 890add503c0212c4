import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Frame } from './frame.ts';
import { SendQueue } from './send-queue.ts';

const never = new AbortController().signal;
const frame = (address: number, priority: Frame['priority'] = 'low'): Frame => ({ priority, address, rtr: true, data: new Uint8Array(0) });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the queue of what is to be sent', () => {
  /** Records when which address had its turn. */
  function queue(isHeld = () => false): { readonly turns: [number, number][]; readonly add: (frame: Frame, signal?: AbortSignal) => Promise<void>; readonly queue: SendQueue } {
    const made = new SendQueue({ paceMs: 20, isHeld });
    const turns: [number, number][] = [];
    const startMs = performance.now();
    const add = async (one: Frame, signal = never): Promise<void> => {
      await made.turn(one, signal);
      turns.push([one.address, performance.now() - startMs]);
    };
    return { turns, add, queue: made };
  }

  it('sends the first at once, and the others at the pace', async () => {
    const { turns, add } = queue();
    for (const address of [1, 2, 3]) void add(frame(address));
    await vi.advanceTimersByTimeAsync(100);
    expect(turns).toEqual([[1, 0], [2, 20], [3, 40]]);
    void add(frame(4));
    await vi.advanceTimersByTimeAsync(0);
    expect(turns.at(-1)).toEqual([4, 100]);
  });

  it('gives those of high priority the next turn, as the bus does', async () => {
    const { turns, add } = queue();
    for (const address of [1, 2, 3]) void add(frame(address));
    void add(frame(9, 'high'));
    await vi.advanceTimersByTimeAsync(100);
    expect(turns.map(([address]) => address)).toEqual([1, 9, 2, 3]);
  });

  it('waits while the interface takes no frames, and not longer than a second for its word that it does', async () => {
    let held = true;
    const { turns, add, queue: made } = queue(() => held);
    void add(frame(1));
    await vi.advanceTimersByTimeAsync(300);
    expect(turns).toEqual([]);
    held = false;
    made.look();
    await vi.advanceTimersByTimeAsync(0);
    expect(turns).toEqual([[1, 300]]);
    held = true;
    void add(frame(2));
    await vi.advanceTimersByTimeAsync(2000);
    expect(turns).toEqual([[1, 300], [2, 1300]]);
  });

  it('forgets who does not wait any more', async () => {
    const { turns, add } = queue();
    const leaving = new AbortController();
    void add(frame(1));
    const left = add(frame(2), leaving.signal);
    void add(frame(3));
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await expect(add(frame(4), leaving.signal)).rejects.toThrow('gone');
    await vi.advanceTimersByTimeAsync(100);
    expect(turns.map(([address]) => address)).toEqual([1, 3]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
