// Whose memory each process is, and that of real processes.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stray } from '../test/children.ts';
import { MemoryTable, ownersOf, rowsFromPs, type MemoryOwners, type MemoryRow } from './memory-table.ts';

const mb = 2 ** 20;
const row = (pid: number, parent: number, group: number): MemoryRow => ({ pid, parent, group, residentBytes: 1 });
const owners = (...pids: readonly number[]): MemoryOwners => new Map(pids.map((pid) => [pid, { withDescendants: true }]));

describe('the memory of a supervised process', () => {
  // 10 is a plugin, 11 its child in its group, 12 one that left it, 13 a child of that; 14 was left by its parent, but not by the group.
  const rows = [row(1, 0, 1), row(5, 1, 5), row(10, 5, 10), row(11, 10, 10), row(12, 10, 12), row(13, 12, 12), row(14, 1, 10), row(20, 5, 20), row(30, 1, 30)];

  it('is that of its group and of all that descends from it', () => {
    expect([...ownersOf(rows, owners(10, 20))].filter(([, owner]) => owner === 10).map(([pid]) => pid)).toEqual([10, 11, 12, 13, 14]);
    expect(ownersOf(rows, owners(10, 20)).get(20)).toBe(20);
    expect(ownersOf(rows, owners(10, 20)).get(5)).toBeUndefined();
  });

  it('is that of its group alone if it supervises what it starts', () => {
    const found = ownersOf(rows, new Map([[10, { withDescendants: false }]]));
    expect([...found.keys()]).toEqual([10, 11, 14]);
  });

  it('is never that of two, nor of somebody who is not asked for, in whatever order and however torn the rows are', () => {
    const pid = fc.integer({ min: 1, max: 12 });
    const someRows = fc.uniqueArray(fc.tuple(pid, pid, pid).map(([one, parent, group]) => row(one, parent, group)), { selector: (one) => one.pid, maxLength: 12 });
    fc.assert(fc.property(someRows, fc.uniqueArray(pid, { maxLength: 4 }), (all, asked) => {
      const found = ownersOf(all, owners(...asked));
      for (const [one, owner] of found) {
        expect(asked).toContain(owner);
        expect(all.map((other) => other.pid)).toContain(one);
      }
      for (const one of all) if (asked.includes(one.pid)) expect(found.get(one.pid)).toBe(one.pid);
      expect(ownersOf(all.toReversed(), owners(...asked)).size).toBe(found.size);
    }));
  });
});

describe('the memory of real processes', () => {
  /** A process that holds so much, in a group of its own, and has said so. */
  async function holder(megabytes: number): Promise<ChildProcess & { readonly pid: number }> {
    const child = spawn(process.execPath, ['-e', `globalThis.held = Buffer.alloc(${megabytes} * 2 ** 20, 1); console.log('held'); setInterval(() => {}, 60_000)`], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    stray(child.pid);
    await once(child.stdio[1] ?? child, 'data');
    return Object.assign(child, { pid: child.pid ?? 0 });
  }

  it('is found at each look, also of one that came after the first', async () => {
    const [small, large] = await Promise.all([holder(1), holder(150)]);
    const table = new MemoryTable();
    const first = await table.residentBytes(owners(small.pid, large.pid));
    expect((first.get(large.pid) ?? 0) - (first.get(small.pid) ?? 0)).toBeGreaterThan(100 * mb);
    expect(first.get(small.pid)).toBeGreaterThan(10 * mb);
    const late = await holder(1);
    for (let look = 0; look < 12; look += 1) {
      const bytes = await table.residentBytes(owners(small.pid, late.pid));
      expect([...bytes.keys()].sort((a, b) => a - b)).toEqual([small.pid, late.pid].sort((a, b) => a - b));
    }
  });

  it.skipIf(!existsSync('/bin/ps') && !existsSync('/usr/bin/ps'))('is told by ps where there is no /proc', async () => {
    const { pid } = await holder(100);
    const found = (await rowsFromPs()).find((one) => one.pid === pid);
    expect(found).toMatchObject({ parent: process.pid, group: pid });
    expect(found?.residentBytes).toBeGreaterThan(100 * mb);
  });
});
