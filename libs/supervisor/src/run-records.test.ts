import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runMarkerVariable, systemClock } from '@majordomus/runtime';
import { describe, expect, it } from 'vitest';
import { gone, runs, stray, testHome } from '../test/children.ts';
import { identityFromPs, identityOf, isRunning, pidsWithVariable } from './process-table.ts';
import { RunRecords } from './run-records.ts';

const hasProc = existsSync('/proc/self/stat');

/** A program that only sits there, in a group of its own. */
function sitter(marker?: string): ChildProcess & { readonly pid: number } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)'], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, ...(marker === undefined ? {} : { [runMarkerVariable]: marker }) },
  });
  return Object.assign(child, { pid: stray(child.pid) });
}

function records(owner = 'manager', marker = 'marker-1') {
  const home = testHome();
  mkdirSync(home.runFolder);
  return { folder: home.runFolder, records: new RunRecords(home.runFolder, owner, marker) };
}

describe('the process table', () => {
  it('tells a process from any other, and knows when it is gone', async () => {
    const [one, other] = [sitter(), sitter()];
    const identity = identityOf(one.pid) ?? '';
    expect(identity).not.toBe('');
    expect(isRunning(one.pid, identity)).toBe(true);
    expect(isRunning(other.pid, `${identity}0`)).toBe(false);
    one.kill('SIGKILL');
    await gone(one.pid);
    expect(isRunning(one.pid, identity)).toBe(false);
  });

  it.runIf(hasProc)('knows that a zombie is gone', async () => {
    // The shell becomes a program that never asks for the end of its child, which ends when we close its pipe.
    const parent = spawn('/bin/sh', ['-c', 'cat <&3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    stray(parent.pid);
    const [printed] = await once(parent.stdio[1] ?? parent, 'data') as [Buffer];
    const pid = stray(Number(printed));
    await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n');
    expect(runs(pid)).toBe(true);
    parent.stdio[3]?.destroy();
    await gone(pid);
    expect(existsSync(`/proc/${pid}/stat`)).toBe(true);
  });

  it.skipIf(!existsSync('/bin/ps') && !existsSync('/usr/bin/ps'))('does so by ps where there is no /proc', async () => {
    const child = sitter();
    expect(identityFromPs(child.pid)).toMatch(/^\w{3} \w{3} \d+ \d\d:\d\d:\d\d \d{4}$/);
    child.kill('SIGKILL');
    await gone(child.pid);
    expect(identityFromPs(child.pid)).toBeUndefined();
  });

  it.runIf(hasProc)('finds who carries a variable', () => {
    const child = sitter('marker-of-this-test');
    sitter('marker-of-this-test-2');
    expect(pidsWithVariable(runMarkerVariable, (value) => value === 'marker-of-this-test')).toEqual([child.pid]);
    expect(pidsWithVariable(runMarkerVariable, () => false)).toEqual([]);
  });
});

describe('the records of what runs', () => {
  it('stand in a file for each process, with pid, start and marker, until they are removed', () => {
    const { folder, records: own } = records();
    const { pid } = sitter();
    own.write('disk', pid);
    expect(JSON.parse(readFileSync(join(folder, 'disk.json'), 'utf8'))).toEqual({
      owner: 'manager', pid, identity: identityOf(pid), marker: 'marker-1', by: { pid: process.pid, identity: identityOf(process.pid) },
    });
    own.remove('disk');
    own.remove('disk');
    expect(existsSync(join(folder, 'disk.json'))).toBe(false);
  });

  it('end what an earlier run of the same owner left', async () => {
    const { folder, records: earlier } = records();
    const { pid } = sitter('marker-1');
    earlier.write('disk', pid);
    expect(await new RunRecords(folder, 'manager', 'marker-2').endLeftovers()).toEqual([{ name: 'disk', pid, ended: true }]);
    await gone(pid);
    expect(existsSync(join(folder, 'disk.json'))).toBe(false);
  });

  it('stay of what cannot be ended, which is told; the time of looking for it counts', async () => {
    const { folder, records: earlier } = records();
    const { pid } = sitter();
    const done = sitter();
    earlier.write('disk', pid);
    earlier.write('done', done.pid);
    done.kill('SIGKILL');
    await gone(done.pid);
    let nowMs = 0;
    let kills = 0;
    // Each look at the processes takes a second, and no signal ends one that waits in the kernel.
    const clock = { ...systemClock, monotonicMs: () => (nowMs += 1000) };
    const next = new RunRecords(folder, 'manager', 'marker-2', { clock, kill: () => void (kills += 1) });
    expect(await next.endLeftovers()).toEqual([{ name: 'disk', pid, ended: false }]);
    expect(kills).toBeGreaterThan(0);
    expect(kills).toBeLessThan(5);
    expect(existsSync(join(folder, 'disk.json'))).toBe(true);
    expect(existsSync(join(folder, 'done.json'))).toBe(false);
    expect(await new RunRecords(folder, 'manager', 'marker-3').endLeftovers()).toEqual([{ name: 'disk', pid, ended: true }]);
    expect(existsSync(join(folder, 'disk.json'))).toBe(false);
  });

  it.runIf(hasProc)('stay while something carries their marker that cannot be ended', async () => {
    const { folder, records: earlier } = records('manager', 'marker-of-a-survivor');
    const parent = sitter('marker-of-a-survivor');
    const orphan = sitter('marker-of-a-survivor');
    earlier.write('disk', parent.pid);
    parent.kill('SIGKILL');
    await gone(parent.pid);
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => (nowMs += 1000) };
    expect(await new RunRecords(folder, 'manager', 'marker-2', { clock, kill() {} }).endLeftovers()).toEqual([{ name: 'a child of an earlier run', pid: orphan.pid, ended: false }]);
    expect(existsSync(join(folder, 'disk.json'))).toBe(true);
  });

  it.runIf(hasProc)('end what carries its marker although its process is gone', async () => {
    const { folder, records: earlier } = records('manager', 'marker-of-orphans');
    const parent = sitter('marker-of-orphans');
    const orphan = sitter('marker-of-orphans');
    earlier.write('disk', parent.pid);
    parent.kill('SIGKILL');
    await gone(parent.pid);
    expect(await new RunRecords(folder, 'manager', 'marker-2').endLeftovers()).toEqual([{ name: 'a child of an earlier run', pid: orphan.pid, ended: true }]);
    await gone(orphan.pid);
  });

  it('never end an innocent process that has the pid now', async () => {
    const { folder, records: earlier } = records();
    const { pid } = sitter();
    earlier.write('disk', pid);
    const path = join(folder, 'disk.json');
    const record = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...record, identity: 'another start' }));
    expect(await new RunRecords(folder, 'manager', 'marker-2').endLeftovers()).toEqual([]);
    expect(runs(pid)).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  it('tell of another process that is the same owner and still runs, whose processes are then left alone', async () => {
    const home = testHome();
    mkdirSync(home.runFolder);
    const [owner, child] = [sitter(), sitter()];
    const file = join(home.runFolder, 'disk.json');
    const record = { owner: 'house', pid: child.pid, identity: identityOf(child.pid), marker: 'marker-1', by: { pid: owner.pid, identity: identityOf(owner.pid) } };
    writeFileSync(file, JSON.stringify(record));
    await expect(home.open({ owner: 'house' })).rejects.toMatchObject({ code: 'HOME_IN_USE', message: expect.stringContaining(`kill ${owner.pid}`) as string });
    expect(runs(child.pid)).toBe(true);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(record);
    owner.kill('SIGKILL');
    await gone(owner.pid);
    await using _next = await home.open({ owner: 'house' });
    await gone(child.pid);
  });

  it('never end what another supervisor of the house has started', async () => {
    const { folder, records: house } = records('house');
    const { pid } = sitter('marker-1');
    house.write('broker', pid);
    expect(await new RunRecords(folder, 'manager', 'marker-2').endLeftovers()).toEqual([]);
    expect(runs(pid)).toBe(true);
    expect(existsSync(join(folder, 'broker.json'))).toBe(true);
  });

  it.each(['', 'null', '[]', '{}', '{"owner":"manager"}', '{"owner":"manager","pid":-1,"identity":"x","marker":"y"}', '{"owner":"manager","pid":1,"identity":"x","marker":"y"}'])(
    'leave alone a file that is none: %s',
    async (content) => {
      const { folder, records: own } = records();
      writeFileSync(join(folder, 'other.json'), content);
      writeFileSync(join(folder, 'lock'), '');
      expect(await own.endLeftovers()).toEqual([]);
      expect(existsSync(join(folder, 'other.json'))).toBe(true);
    },
  );
});
