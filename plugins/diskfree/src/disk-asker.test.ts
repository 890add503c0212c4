// Real processes; the one that hangs does so in place of a disk (test/hanging-disks.ts).
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DiskAsker } from './disk-asker.ts';

const hanging = fileURLToPath(new URL('../test/hanging-disks.ts', import.meta.url));
const never = new AbortController().signal;
const answer = expect.objectContaining({ space: expect.objectContaining({ usedPercent: 45 }) });

/** An asker whose processes stay when they are sent the signal, as one does that waits in the kernel for a disk. */
function unkillable(): { readonly asker: DiskAsker; readonly left: ChildProcess[]; readonly giveUp: (path: string) => Promise<void> } {
  const left: ChildProcess[] = [];
  const asker = new DiskAsker({ program: hanging, timeoutMs: 60_000, kill: (child) => void left.push(child) });
  const giveUp = async (path: string): Promise<void> => {
    const caller = new AbortController();
    const asked = asker.ask([path], caller.signal);
    caller.abort();
    expect(await asked).toEqual([{ code: 'NO_ANSWER' }]);
  };
  return { asker, left, giveUp };
}

async function end(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
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
    const asker = new DiskAsker({ program: hanging, timeoutMs: 1500 });
    expect(await asker.ask(['/a', '/hang/1', '/hang/2', '/hang/3', '/hang/4', '/b'], never)).toEqual([
      answer, { code: 'NO_ANSWER' }, { code: 'NO_ANSWER' }, { code: 'NO_ANSWER' }, { code: 'NO_ANSWER' }, answer,
    ]);
  });

  it('never asks again what still hangs, or what is inside it, until it is over', async () => {
    const { asker, left, giveUp } = unkillable();
    await giveUp('/hang');
    expect(left).toHaveLength(1);
    expect(await asker.ask(['/hang', '/a', '/hang/inside'], never)).toEqual([{ code: 'NO_ANSWER' }, answer, { code: 'NO_ANSWER' }]);
    expect(left).toHaveLength(1);
    await end(left);
    await giveUp('/hang');
    expect(left).toHaveLength(2);
    await end(left);
  });

  it('leaves no more than four processes hanging', async () => {
    const { asker, left, giveUp } = unkillable();
    for (const path of ['/hang/1', '/hang/2', '/hang/3', '/hang/4']) await giveUp(path);
    expect(await asker.ask(['/hang/5'], never)).toEqual([{ code: 'NO_ANSWER' }]);
    expect(left).toHaveLength(4);
    await end(left);
    expect(await asker.ask(['/a'], never)).toEqual([answer]);
  });

  it('ends the process when nobody waits for the answer any more', async () => {
    const killed = Promise.withResolvers<ChildProcess>();
    const asker = new DiskAsker({
      program: hanging,
      timeoutMs: 60_000,
      kill(child) {
        child.kill('SIGKILL');
        killed.resolve(child);
      },
    });
    const caller = new AbortController();
    const asked = asker.ask(['/hang'], caller.signal);
    caller.abort();
    await once(await killed.promise, 'exit');
    expect(await asked).toEqual([{ code: 'NO_ANSWER' }]);
    await expect(asker.ask(['/a'], caller.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
