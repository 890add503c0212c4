// A disk that is slow, full or broken for a while, as strace makes it for one process: what dbmanager acknowledges is
// on the disk all the same, and what it cannot keep it refuses.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cannotTrace, harmed, traced } from './strace.ts';
import { judge } from './sync-trace.ts';
import { marksOf, tracedHouse } from './traced-house.ts';

describe.skipIf(cannotTrace !== undefined)(`dbmanager on a disk${cannotTrace === undefined ? '' : ` (${cannotTrace})`}`, { timeout: 180_000 }, () => {
  it('that is slow answers late and is not taken for lost, though its syncs take longer than its liveness', async () => {
    await using house = await tracedHouse({ livenessMs: 1500 });
    const dbmanager = await house.start();
    await house.write('before');
    const slow = await harmed(dbmanager.pid, 'inject=fsync,fdatasync:delay_enter=2500000');
    const startMs = performance.now();
    const written = house.writeOnce('late', 1);
    const read = house.read('late').then((value) => ({ value, afterMs: performance.now() - startMs }));
    expect(await written).toMatchObject({ status: true });
    expect(performance.now() - startMs).toBeGreaterThan(2490);
    // A read waits for the write before it: one thread has the database, and so a read sees every earlier write.
    const { value, afterMs } = await read;
    expect(value).toBe(1);
    expect(afterMs).toBeGreaterThan(2490);
    await slow.detach();
    expect(await house.writeOnce('late', 2)).toMatchObject({ status: true });
    expect(await house.client.manage('mmi.service', 'dbmanager')).toBe('200');
  });

  it('that is full refuses writes and goes on reading; with room it goes on, and nothing acknowledged is lost', async () => {
    await using house = await tracedHouse();
    const first = await house.start();
    for (const mark of marksOf(20)) await house.write(mark);
    const full = await harmed(first.pid, 'inject=pwrite64,ftruncate,fallocate:error=ENOSPC');
    for (const mark of ['new', 'mark1000']) expect(await house.writeOnce(mark, 2)).toMatchObject({ status: false, code: 'STORAGE_FULL' });
    expect(await Promise.all(marksOf(20).map((mark) => house.read(mark)))).toEqual(Array.from({ length: 20 }, () => 1));
    expect(await house.read('new')).toBeUndefined();
    await full.detach();
    expect(await house.writeOnce('after', 3)).toMatchObject({ status: true });
    await first.kill();
    await house.start();
    expect(await Promise.all(marksOf(20).map((mark) => house.read(mark)))).toEqual(Array.from({ length: 20 }, () => 1));
    expect(await house.read('new')).toBeUndefined();
    expect(await house.read('after')).toBe(3);
  });

  it('that fails to sync refuses the write with a code, acknowledges nothing that is not synced, and keeps what was', async () => {
    await using house = await tracedHouse();
    const first = await house.start();
    for (const mark of marksOf(20)) await house.write(mark);
    const broken = await harmed(first.pid, 'inject=fsync,fdatasync:error=EIO');
    for (let tries = 0; tries < 3; tries++) {
      const { status, code } = await house.writeOnce('uncertain', 2);
      expect({ status, code }).toEqual({ status: false, code: 'STORAGE_ERROR' });
    }
    expect(await house.read('mark1000')).toBe(1);
    await broken.detach();
    const trace = await traced(first.pid, house.trace);
    const after = marksOf(40).slice(20);
    for (const mark of after) await house.write(mark);
    await trace.detach();
    expect(judge(readFileSync(house.trace, 'utf8'), after)).toMatchObject({ problems: [], proven: after });
    await first.kill();
    await house.start();
    expect(await Promise.all(marksOf(40).map((mark) => house.read(mark)))).toEqual(Array.from({ length: 40 }, () => 1));
    // Its commit stood in the log when the sync failed: the refusal says that it is not certain.
    expect([undefined, 2]).toContain(await house.read('uncertain'));
  });
});
