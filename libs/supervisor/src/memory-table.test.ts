// Whose memory each process is, and that of real processes.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { runMarkerVariable } from '@majordomus/runtime';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stray } from '../test/children.ts';
import { MemoryTable, ownersOf, rowsFromPs, type MemoryOwner, type MemoryOwners, type MemoryRow } from './memory-table.ts';
import { hasProc } from './process-table.ts';

const mb = 2 ** 20;
const hasPython = process.env['CI'] === 'true' || spawnSync('python3', ['--version']).status === 0;
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
    const first = await table.heldBytes(owners(small.pid, large.pid));
    expect((first.get(large.pid) ?? 0) - (first.get(small.pid) ?? 0)).toBeGreaterThan(100 * mb);
    expect(first.get(small.pid)).toBeGreaterThan(10 * mb);
    const late = await holder(1);
    for (let look = 0; look < 12; look += 1) {
      const bytes = await table.heldBytes(owners(small.pid, late.pid));
      expect([...bytes.keys()].sort((a, b) => a - b)).toEqual([small.pid, late.pid].sort((a, b) => a - b));
    }
  });

  it.runIf(hasProc)('is also that of one that left the group and was let go of, by the marker that it carries', async () => {
    const marker = `marker-${process.pid}`;
    // The shell leads a session of its own and ends; what it has started is nobody's child any more.
    const hold = `globalThis.held = Buffer.alloc(150 * 2 ** 20, 1); console.log(process.pid); setInterval(() => {}, 60_000)`;
    const shell = spawn('sh', ['-c', `"$0" -e "$1" &`, process.execPath, hold], { detached: true, stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, [runMarkerVariable]: marker } });
    const printed = once(shell.stdout, 'data') as Promise<[Buffer]>;
    const owner = await holder(1);
    const [pid] = await printed;
    stray(Number(pid.toString()));
    const own = { withDescendants: true };
    const bytes = async (of: MemoryOwner): Promise<number> => (await new MemoryTable().heldBytes(new Map([[owner.pid, of]]))).get(owner.pid) ?? 0;
    const without = await bytes(own);
    expect(await bytes({ ...own, marker }) - without).toBeGreaterThan(150 * mb);
    expect(await bytes({ ...own, marker: `${marker}0` })).toBeLessThan(without + 50 * mb);
    expect(await bytes({ withDescendants: false, marker })).toBeLessThan(without + 50 * mb);
  });

  it.runIf(hasProc && hasPython)('counts what five forked processes share once where the limit is at stake', async () => {
    const code = 'import os, sys\nheld = b"x" * (80 << 20)\nfor _ in range(4):\n  if os.fork() == 0: break\nelse: print("forked", flush=True)\nsys.stdin.read()';
    const child = spawn('python3', ['-c', code], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
    const pid = stray(child.pid);
    await once(child.stdout, 'data');
    const bytes = async (limitBytes?: number): Promise<number> => (await new MemoryTable().heldBytes(new Map([[pid, { withDescendants: true, limitBytes }]]))).get(pid) ?? 0;
    expect(await bytes()).toBeGreaterThan(350 * mb);
    const shared = await bytes(200 * mb);
    expect(shared).toBeGreaterThan(80 * mb);
    expect(shared).toBeLessThan(160 * mb);
    child.stdin.end();
    await once(child, 'exit');
  });

  it.skipIf(!existsSync('/bin/ps') && !existsSync('/usr/bin/ps'))('is told by ps where there is no /proc', async () => {
    const { pid } = await holder(100);
    const found = (await rowsFromPs()).find((one) => one.pid === pid);
    expect(found).toMatchObject({ parent: process.pid, group: pid });
    expect(found?.residentBytes).toBeGreaterThan(100 * mb);
  });
});
