import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pidOf, runs, statesOf, steady, testHome } from '../test/children.ts';
import type { StatusChange } from './supervisor.ts';

describe('the supervisor', () => {
  it('keeps a record of what runs, and none of what does not', async () => {
    const home = testHome();
    const supervisor = await home.open();
    const record = join(home.runFolder, 'disk.json');
    supervisor.add(home.spec('disk', steady));
    supervisor.start('disk');
    await supervisor.ready('disk');
    expect(JSON.parse(readFileSync(record, 'utf8'))).toMatchObject({ owner: 'test', pid: pidOf(supervisor, 'disk') });
    await supervisor.stop('disk');
    expect(existsSync(record)).toBe(false);
  });

  it('lists what it has, and forgets what is removed', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('one', steady));
    supervisor.add(home.spec('two', steady));
    supervisor.start('two');
    await supervisor.ready('two');
    expect(supervisor.list().map(({ name, state }) => `${name} ${state}`)).toEqual(['one stopped', 'two running']);
    const pid = pidOf(supervisor, 'two');
    const waits = expect(supervisor.until('two', ['failed'])).rejects.toMatchObject({ code: 'PROCESS_UNKNOWN' });
    await supervisor.remove('two');
    await waits;
    expect(runs(pid)).toBe(false);
    expect(supervisor.list().map(({ name }) => name)).toEqual(['one']);
    supervisor.add(home.spec('two', steady));
    expect(supervisor.get('two').state).toBe('stopped');
  });

  it('refuses what cannot be', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('disk', steady));
    expect(() => supervisor.add(home.spec('disk', steady))).toThrow(expect.objectContaining({ code: 'PROCESS_EXISTS' }));
    expect(() => supervisor.add({ ...home.spec('disk', steady), name: '../disk' })).toThrow(expect.objectContaining({ code: 'PROCESS_NAME_INVALID' }));
    expect(() => supervisor.start('other')).toThrow(expect.objectContaining({ code: 'PROCESS_UNKNOWN' }));
    await supervisor[Symbol.asyncDispose]();
    expect(() => supervisor.start('disk')).toThrow(expect.objectContaining({ code: 'SUPERVISOR_CLOSED' }));
    expect(() => supervisor.add(home.spec('disk2', steady))).toThrow(expect.objectContaining({ code: 'SUPERVISOR_CLOSED' }));
  });

  it('lets nobody wait for what does not come: a signal ends the waiting, and so does its own end', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('disk', steady));
    const waiting = new AbortController();
    const first = expect(supervisor.ready('disk', { signal: waiting.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    const second = expect(supervisor.ready('disk')).rejects.toMatchObject({ code: 'SUPERVISOR_CLOSED' });
    waiting.abort();
    await first;
    await expect(supervisor.ready('disk', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await supervisor[Symbol.asyncDispose]();
    await supervisor[Symbol.asyncDispose]();
    await second;
    expect(await supervisor.until('disk', ['stopped'])).toMatchObject({ state: 'stopped' });
    await expect(supervisor.until('disk', ['failed'])).rejects.toMatchObject({ code: 'SUPERVISOR_CLOSED' });
    await expect(supervisor.ready('disk')).rejects.toMatchObject({ code: 'SUPERVISOR_CLOSED' });
  });

  it('while it stops still answers those who wait for an end', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('disk', steady));
    supervisor.start('disk');
    await supervisor.ready('disk');
    const closing = supervisor[Symbol.asyncDispose]();
    expect(await supervisor.until('disk', ['stopped'])).toMatchObject({ state: 'stopped' });
    await closing;
  });

  it('is not disturbed by a listener that fails, nor by one that acts at once', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('disk', steady));
    supervisor.onChange(() => {
      throw new TypeError('a listener failed');
    });
    const off = supervisor.onChange(({ status }) => {
      if (status.state === 'running') supervisor.restart('disk');
    });
    const states = statesOf(supervisor, 'disk');
    supervisor.start('disk');
    await supervisor.until('disk', ['stopping']);
    off();
    await supervisor.ready('disk');
    expect(states).toEqual(['starting', 'running', 'stopping', 'starting', 'running']);
  });

  it('stops all by group: who is in none, then each group in turn', async () => {
    const home = testHome();
    const supervisor = await home.open();
    const names = ['broker', 'dbmanager', 'manager', 'extra'];
    for (const name of names) supervisor.add(home.spec(name, steady));
    for (const name of names) supervisor.start(name);
    await Promise.all(names.map((name) => supervisor.ready(name)));
    const ended: string[] = [];
    supervisor.onChange(({ name, status }: StatusChange) => {
      if (status.state === 'stopped') ended.push(name);
    });
    await supervisor.stopAll([['manager'], ['dbmanager', 'not-here'], ['broker']]);
    expect(ended).toEqual(['extra', 'manager', 'dbmanager', 'broker']);
  });

  it('kills all at once', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { askLimitMs: 60_000, terminateLimitMs: 60_000 } });
    supervisor.add(home.spec('disk', steady, { askStop: () => new Promise(() => {}) }));
    supervisor.add(home.spec('idle', steady));
    supervisor.start('disk');
    await supervisor.ready('disk');
    supervisor.killAll();
    expect(await supervisor.until('disk', ['stopped'])).toMatchObject({ lastError: '' });
    expect(supervisor.lastEnd('disk')).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
