import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DamagedHome, pageBytes } from '../../test/damaged-home.ts';
import { ConfigurationDatabase } from '../database/database.ts';

let home: DamagedHome;

beforeEach(() => {
  home = new DamagedHome();
});
afterEach(() => home[Symbol.dispose]());

/** What a power cut leaves of a log whose last transaction was being written: each of its blocks as it was before, or as it was to be. */
function tornLog(before: Buffer, after: Buffer, startBytes: number, unitBytes: number, isLost: (unit: number) => boolean): Buffer {
  const torn = Buffer.from(after);
  for (let at = startBytes, unit = 0; at < after.length; at += unitBytes, unit++) {
    if (!isLost(unit)) continue;
    torn.fill(0, at, Math.min(at + unitBytes, torn.length));
    if (at < before.length) before.copy(torn, at, at, at + unitBytes);
  }
  return torn;
}

describe('a power cut while a transaction is written to the log', () => {
  const frameBytes = pageBytes + 24;
  const acknowledged = Array.from({ length: 400 }, (_, index) => [`key-${String(2 * index).padStart(5, '0')}`, `acknowledged ${index} ${'x'.repeat(100)}`] as const);
  // Between the others, so that it splits their pages.
  const last = Array.from({ length: 30 }, (_, index) => [`key-${String(26 * index + 1).padStart(5, '0')}`, `last ${index} ${'y'.repeat(300)}`] as const);

  it.each([false, true])('loses nothing that was acknowledged, and the last one is whole or absent, without a word (over an earlier log: %s)', (isOverEarlier) => {
    const { connection } = home.open();
    const database = new ConfigurationDatabase(connection);
    const set = (values: readonly (readonly [string, string])[]): unknown => database.run([{ action: 'config.set', data: { host: 'igor', plugin: 'velbus', data: Object.fromEntries(values) } }]);
    for (let at = 0; at < acknowledged.length; at += 40) {
      set(acknowledged.slice(at, at + 40));
      if (at === 200 && isOverEarlier) connection.pragma('wal_checkpoint(RESTART)');
    }
    const [file, before] = [readFileSync(home.path), readFileSync(`${home.path}-wal`)];
    const start = lengthOfLog(before);
    set(last);
    const after = readFileSync(`${home.path}-wal`);
    const frames = (lengthOfLog(after) - start) / frameBytes;
    expect(frames).toBeGreaterThan(10);
    connection.close();

    const check = (log: Buffer): void => {
      for (const part of ['', '-wal', '-shm']) rmSync(home.path + part, { force: true });
      writeFileSync(home.path, file);
      writeFileSync(`${home.path}-wal`, log);
      const opened = home.open();
      const found = new Map(opened.connection.prepare<[], [string, string]>("SELECT key, value FROM config WHERE plugin = 'velbus'").raw().all());
      opened.connection.close();
      expect(opened.told).toEqual([]);
      expect(acknowledged.filter(([key, value]) => found.get(key) !== JSON.stringify(value))).toEqual([]);
      expect([0, last.length]).toContain(last.filter(([key, value]) => found.get(key) === JSON.stringify(value)).length);
    };
    for (let lost = 0; lost < frames; lost++) check(tornLog(before, after, start, frameBytes, (frame) => frame === lost));
    const disk = Math.ceil(start / pageBytes) * pageBytes;
    fc.assert(fc.property(fc.array(fc.boolean(), { minLength: frames + 1, maxLength: frames + 1 }), (lost) => check(tornLog(before, after, disk, pageBytes, (block) => lost[block] === true))), { numRuns: 40 });
  });

  /** Up to the end of the frames that belong to it (sqlite.org/fileformat2.html, "The Write-Ahead Log"): others have another salt. */
  function lengthOfLog(log: Buffer): number {
    let at = 32;
    while (at + frameBytes <= log.length && log.compare(log, 16, 24, at + 8, at + 16) === 0) at += frameBytes;
    return at;
  }
});
