// The witnesses of a chaos run must be able to find a house guilty: each is shown what it is there to find.
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigModel } from './config-model.ts';
import { DeadlineWitness } from './deadlines.ts';
import { AnswerWitness, CommandWitness, ProcessWitness, twinLimitMs } from './instance-witness.ts';
import { forbiddenLines, LogWitness } from './log-witness.ts';
import { SilenceWitness, type Said } from './silence.ts';
import { judgeTime, Waits, type Complaint } from './waits.ts';

const noWait = { longestMs: 0, togetherMs: 0 } as const;

describe('the model of what was written', () => {
  const written = (...ends: readonly Parameters<ConfigModel['ended']>[2][]): ConfigModel => {
    const model = new ConfigModel();
    for (const end of ends) model.ended('a', model.attempt('a'), end);
    return model;
  };
  const read = (model: ConfigModel, value: unknown): string | undefined => model.readEnds(model.readBegins('a'), value);

  it('takes the last acknowledged value, and any that was tried later', () => {
    const model = written('acknowledged', 'acknowledged', 'unknown', 'unknown');
    expect([2, 3, 4].map((value) => read(model, value))).toEqual([undefined, undefined, undefined]);
    expect(read(written('unknown'), 0)).toBeUndefined();
  });

  it('finds an acknowledged write that was lost', () => {
    expect(read(written('acknowledged', 'acknowledged', 'unknown'), 1)).toBe('a holds 1, and 2 had been acknowledged');
    expect(read(written('acknowledged'), 0)).toBe('a holds 0, and 1 had been acknowledged');
  });

  it('finds a write that was refused and is there', () => {
    expect(read(written('acknowledged', 'refused'), 2)).toBe('a holds 2, which was refused as changing nothing');
  });

  it('finds what nobody wrote', () => {
    expect(read(written('acknowledged'), 2)).toMatch(/1 is the last that was tried/);
    for (const value of ['1', null, undefined, 1.5]) expect(read(written('acknowledged'), value)).toMatch(/which nobody wrote/);
  });

  it('does not ask of a read that began before a write was acknowledged that it sees it', () => {
    const model = written('acknowledged', 'unknown');
    const begin = model.readBegins('a');
    model.ended('a', 2, 'acknowledged');
    expect(model.readEnds(begin, 1)).toBeUndefined();
    expect(read(model, 1)).toMatch(/2 had been acknowledged/);
  });
});

describe('the witness of deadlines', () => {
  const call = { what: 'config.get', timeoutMs: 1000, stoodStillMs: 0 } as const;

  it('takes a call that ends in time, or is as late as its caller itself', () => {
    const witness = new DeadlineWitness();
    expect(witness.ended({ ...call, tookMs: 1010 })).toBeUndefined();
    expect(witness.ended({ ...call, tookMs: 3000, stoodStillMs: 2000 })).toBeUndefined();
    expect(witness.calls).toBe(2);
  });

  it('finds a call that ends late', () => {
    expect(new DeadlineWitness().ended({ ...call, tookMs: 1500 })).toMatch(/config\.get had 1000 ms and ended after 1500 ms/);
    expect(new DeadlineWitness().ended({ ...call, tookMs: 1500, stoodStillMs: 300 })).toBeDefined();
  });
});

describe('the witness of instances', () => {
  it('takes instances that answer one after the other, in whatever order their answers come in', () => {
    const witness = new AnswerWitness();
    expect(witness.answered({ instance: 'a', startedMs: 0, handledMs: 10 })).toBeUndefined();
    expect(witness.answered({ instance: 'b', startedMs: 100, handledMs: 120 })).toBeUndefined();
    expect(witness.answered({ instance: 'a', startedMs: 0, handledMs: 90 })).toBeUndefined();
    expect(witness.instances).toBe(2);
  });

  it('finds two that answer in turn', () => {
    const witness = new AnswerWitness();
    witness.answered({ instance: 'a', startedMs: 0, handledMs: 10 });
    witness.answered({ instance: 'b', startedMs: 100, handledMs: 120 });
    expect(witness.answered({ instance: 'a', startedMs: 0, handledMs: 150 })).toMatch(/both answered: the older 30\.0 ms after/);
  });

  it('takes two processes for the documented time, one after another for ever, and finds two for longer', () => {
    const witness = new ProcessWitness();
    const seen = (pids: readonly string[], atMs: number, waitedMs = 0): Complaint | undefined => witness.seen(new Map([['tally', pids]]), atMs, () => ({ longestMs: waitedMs, togetherMs: waitedMs }));
    for (let atMs = 0; atMs <= twinLimitMs; atMs += 100) expect(seen(['1@5', '2@9'], atMs)).toBeUndefined();
    expect(seen(['2@9', '3@20'], twinLimitMs + 100)).toBeUndefined();
    expect(seen(['2@9', '3@20'], 2 * twinLimitMs + 101, 500)).toBeUndefined();
    expect(seen(['2@9', '3@20'], 2 * twinLimitMs + 101)).toEqual({ verdict: 'broken', what: 'two processes for 2001 ms, tally: 2@9 and 3@20' });
  });

  it('does not take processes of two plugins for twins', () => {
    const witness = new ProcessWitness();
    const runs = new Map([['tally', ['1@5']], ['diskfree', ['2@5']]]);
    for (const atMs of [0, 10_000]) expect(witness.seen(runs, atMs, () => noWait)).toBeUndefined();
  });

  it('finds a command that ran twice', () => {
    const witness = new CommandWitness();
    expect(witness.ranOnce('a')).toBeUndefined();
    expect(witness.ranOnce('a')).toBe('the command a ran twice');
  });
});

describe('the witness of silence', () => {
  const running: Said = { name: 'broker', state: 'running', pid: 7, reason: '', lastError: '' };
  const watch = (said: Said, life: 'alive' | 'suspended' | 'dead', untilMs: number, stepMs = 300): string | undefined => {
    const witness = new SilenceWitness();
    let wrong: string | undefined;
    for (let atMs = 0; atMs <= untilMs; atMs += stepMs) wrong ??= witness.heard([said], () => life, atMs, () => noWait)?.what;
    return wrong;
  };

  it('takes what runs, and what was down for a moment only', () => {
    expect(watch(running, 'alive', 60_000)).toBeUndefined();
    expect(watch(running, 'dead', 1200)).toBeUndefined();
    expect(watch(running, 'suspended', 10_000)).toBeUndefined();
  });

  it('finds who is dead or hangs and is said to run', () => {
    expect(watch(running, 'dead', 3000)).toMatch(/^broker is said to run, and its process 7 is dead for 1\d00 ms$/);
    expect(watch({ ...running, pid: null }, 'alive', 3000)).toMatch(/is dead/);
    expect(watch(running, 'suspended', 15_000)).toMatch(/is suspended/);
  });

  it('finds who is down and does not say why', () => {
    expect(watch({ ...running, state: 'backoff' }, 'dead', 0)).toBe('broker is backoff, and nothing says why');
    expect(watch({ ...running, state: 'failed', reason: 'killed by SIGKILL' }, 'dead', 3000)).toBeUndefined();
  });

  it('does not count the time in which nobody could be asked', () => {
    expect(watch(running, 'dead', 20_000, 5000)).toBeUndefined();
  });
});

describe('what a busy machine excuses', () => {
  const boundMs = 1000;

  it.each([
    [1000, 0, 0, 'held'], [1001, 0, 0, 'broken'], [1400, 500, 500, 'held'], [1600, 500, 500, 'broken'], [1600, 500, 700, 'inconclusive'],
    [3000, 9000, 9000, 'held'], [3100, 9000, 9000, 'inconclusive'], [3300, 2200, 2200, 'broken'],
  ] as const)('%d ms of one second, of which one process waited %d, and all together %d, are %s', (tookMs, longestMs, togetherMs, verdict) => {
    expect(judgeTime(tookMs, boundMs, { longestMs, togetherMs })).toBe(verdict);
  });

  it('is the longest wait of one process since then, not that of all together', () => {
    const waits = new Waits();
    waits.seen(new Map([['a', 5000], ['b', 10]]), 0);
    waits.seen(new Map([['a', 5100], ['b', 310]]), 100);
    waits.seen(new Map([['a', 5150], ['c', 20]]), 200);
    expect([0, 100, 200].map((sinceMs) => waits.since(sinceMs))).toEqual([{ longestMs: 300, togetherMs: 470 }, { longestMs: 50, togetherMs: 70 }, noWait]);
  });
});

it('the witness of logs knows an unforeseen failure from one that was foreseen', () => {
  const bad = ['[x] ERROR: INTERNAL: the handler failed', 'FATAL: ended by an unexpected error', 'Uncaught TypeError: x', 'unhandledRejection'];
  const good = ['WARN: dbmanager ended, and starts again soon: killed by SIGKILL', 'the internal clock is set', 'STORAGE_FULL: the disk is full'];
  expect(forbiddenLines([...good, ...bad].join('\n'))).toEqual(bad.filter((line) => !good.includes(line)));
});

it('the witness of logs reads on in a log that was rotated, and each line once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'majordomus-logs-'));
  try {
    const log = join(folder, 'broker.log');
    const witness = new LogWitness(folder);
    writeFileSync(log, 'FATAL: one\nFATAL: tw');
    expect(witness.look()).toEqual(['broker.log: FATAL: one']);
    appendFileSync(log, 'o\n');
    renameSync(log, `${log}.1`);
    writeFileSync(log, 'FATAL: three\n');
    expect(witness.look().sort()).toEqual(['broker.log.1: FATAL: two', 'broker.log: FATAL: three']);
    expect(witness.look()).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
