// docs/architecture.md, "Durability": a reply to a write leaves when the write is on the disk. A kill cannot tell, since
// the system keeps what a dead process wrote; so the program is watched from outside, by strace.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cannotTrace, harmed, traced, tracedFromStart } from './strace.ts';
import { judge, type Judgement } from './sync-trace.ts';
import { marksOf, tracedHouse } from './traced-house.ts';

/** Writes alone, a few at once and many at once, under the eyes of strace. */
async function watched(marks: readonly string[], options: Parameters<Awaited<ReturnType<typeof tracedHouse>>['start']>[0] = {}): Promise<Judgement> {
  await using house = await tracedHouse();
  const dbmanager = await house.start(options);
  const strace = await traced(dbmanager.pid, house.trace);
  for (const mark of marks.slice(0, 10)) await house.write(mark);
  for (const few of [marks.slice(10, 14), marks.slice(14, 22), marks.slice(22)]) await Promise.all(few.map((mark) => house.write(mark)));
  await strace.detach();
  return judge(readFileSync(house.trace, 'utf8'), marks);
}

describe.skipIf(cannotTrace !== undefined)(`the replies of dbmanager, seen from outside${cannotTrace === undefined ? '' : ` (${cannotTrace})`}`, { timeout: 180_000 }, () => {
  it('leave after a sync that began when their write was committed', async () => {
    const marks = marksOf(150);
    const { proven, problems, syncs } = await watched(marks);
    expect(problems).toEqual([]);
    expect(proven.toSorted()).toEqual(marks);
    // Each of the first ten waited for a sync of its own.
    expect(syncs).toBeGreaterThan(10);
  });

  it.each(['OFF', 'NORMAL'])('would be named if they left before: synchronous = %s', async (careless) => {
    const marks = marksOf(50);
    const { proven, problems } = await watched(marks, { preload: new URL('./careless-disk.ts', import.meta.url), env: { DOMUS_TEST_SYNCHRONOUS: careless } });
    expect(problems.toSorted()).toEqual(marks.map((mark) => `the reply to ${mark} left when it was committed and not synced`));
    expect(proven).toEqual([]);
  });

  it('to a write that is done again after a kill before its sync leave after a sync, too', async () => {
    await using house = await tracedHouse();
    const [before = '', mark = ''] = marksOf(2);
    const first = await house.start();
    await house.write(before);
    // The kill falls when the commit stands in the log, and nothing has synced it.
    await using _blow = await harmed(first.pid, 'inject=fsync,fdatasync:signal=SIGKILL');
    // The client does it again by itself: the value is there already, and nothing needs to be written.
    const written = house.write(mark);
    await first.ended;
    const second = await house.start({ wrapper: tracedFromStart(house.trace) });
    await written;
    expect(await house.read(before)).toBe(1);
    await second.kill();
    const { proven, problems } = judge(readFileSync(house.trace, 'utf8'), [mark], [mark]);
    expect(problems).toEqual([]);
    expect(proven).toEqual([mark]);
  });
});
