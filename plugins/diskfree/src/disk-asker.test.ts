// Real processes; the one that hangs does so in place of a disk (test/hanging-disks.ts).
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DiskAsker } from './disk-asker.ts';

const hanging = fileURLToPath(new URL('../test/hanging-disks.ts', import.meta.url));
const never = new AbortController().signal;
const answer = expect.objectContaining({ space: expect.objectContaining({ usedPercent: 45 }) });

const timeoutMs = 60_000;

/** An asker whose processes stay when they are sent the signal, as one does that waits in the kernel for a disk. Its time is turned by hand. */
function unkillable(): { readonly asker: DiskAsker; readonly left: ReadonlySet<ChildProcess>; readonly giveUp: (...paths: string[]) => Promise<void> } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const left = new Set<ChildProcess>();
  const asker = new DiskAsker({ program: hanging, timeoutMs, kill: (child) => void left.add(child) });
  /** Asks for each path by itself, until the bound. */
  const giveUp = async (...paths: string[]): Promise<void> => {
    const asked = Promise.all(paths.map((path) => asker.ask([path], never)));
    vi.advanceTimersByTime(timeoutMs);
    expect(await asked).toEqual(paths.map(() => [{ code: 'NO_ANSWER' }]));
  };
  return { asker, left, giveUp };
}

afterEach(() => {
  vi.useRealTimers();
});

async function end(children: Iterable<ChildProcess>): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

describe('asking the disks', () => {
  it('gives an answer for each path in the order of the question', async () => {
    const answers = await new DiskAsker().ask(['/nowhere/at/all', '/', import.meta.dirname, '/'], never);
    expect(answers).toEqual([
      { code: 'ENOENT' },
      { realPath: '/', space: expect.objectContaining({ size: expect.any(Number) }) },
      { realPath: import.meta.dirname, space: expect.anything() },
      expect.objectContaining({ realPath: '/' }),
    ]);
  });

  it('does not wait for a disk that hangs, and gives the answers of the others', async () => {
    const asker = new DiskAsker({ program: hanging, timeoutMs: 1000 });
    const askedMs = performance.now();
    expect(await asker.ask(['/a', '/hang/1', '/hang/2', '/hang/3', '/hang/4', '/b'], never)).toEqual([
      answer, { code: 'NO_ANSWER' }, { code: 'NO_ANSWER' }, { code: 'NO_ANSWER' }, { code: 'NO_ANSWER' }, answer,
    ]);
    // The time that the process may take to start, which is longer, is not the disks'.
    expect(performance.now() - askedMs).toBeLessThan(4500);
  });

  it('does not take a process that starts slowly for a disk that hangs', async () => {
    const asker = new DiskAsker({ program: fileURLToPath(new URL('../test/slow-start.ts', import.meta.url)), timeoutMs: 250 });
    expect(await asker.ask(['/a'], never)).toEqual([answer]);
  });

  it('never asks again what still hangs, or what is inside it, until it is over', async () => {
    const { asker, left, giveUp } = unkillable();
    await giveUp('/hang');
    expect(left.size).toBe(1);
    expect(await asker.ask(['/hang', '/a', '/hang/inside'], never)).toEqual([{ code: 'NO_ANSWER' }, answer, { code: 'NO_ANSWER' }]);
    expect(left.size).toBe(1);
    await end(left);
    await giveUp('/hang');
    expect(left.size).toBe(2);
    await end(left);
  });

  it('leaves no more than four processes hanging', async () => {
    const { asker, left, giveUp } = unkillable();
    await giveUp('/hang/1', '/hang/2', '/hang/3', '/hang/4');
    expect(await asker.ask(['/hang/5'], never)).toEqual([{ code: 'NO_ANSWER' }]);
    expect(left.size).toBe(4);
    await end(left);
    expect(await asker.ask(['/a'], never)).toEqual([answer]);
  });

  it('ends the process when nobody waits for the answer any more, and rejects with the reason', async () => {
    const killed = Promise.withResolvers<ChildProcess>();
    const asker = new DiskAsker({
      program: hanging,
      timeoutMs,
      kill(child) {
        child.kill('SIGKILL');
        killed.resolve(child);
      },
    });
    const caller = new AbortController();
    const asked = expect(asker.ask(['/hang'], caller.signal)).rejects.toBe('the caller is gone');
    caller.abort('the caller is gone');
    await asked;
    await once(await killed.promise, 'exit');
    await expect(asker.ask(['/a'], caller.signal)).rejects.toBe('the caller is gone');
  });

  it('calls no disk dead because nobody waited for it; what is still there at the bound hangs', async () => {
    const { asker, left } = unkillable();
    const caller = new AbortController();
    const asked = expect(asker.ask(['/a', '/hang'], caller.signal)).rejects.toBe('the caller is gone');
    caller.abort('the caller is gone');
    await asked;
    expect(await asker.ask(['/a'], never)).toEqual([answer]);
    vi.advanceTimersByTime(timeoutMs);
    expect(await asker.ask(['/hang/inside'], never)).toEqual([{ code: 'NO_ANSWER' }]);
    expect(left.size).toBe(1);
    await end(left);
    expect(vi.getTimerCount()).toBe(0);
  });
});
