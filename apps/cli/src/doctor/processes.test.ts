import type { PartStatus } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { summary } from './processes.ts';

const part: PartStatus = { name: 'broker', state: 'running', sinceMs: 0, pid: 7, restarts: 0, reason: '', lastError: '', memoryMb: 60, memoryLimitMb: null };
const found = (...all: readonly Partial<PartStatus>[]): string[] =>
  summary('parts', all.map((one) => ({ ...part, ...one })), '', { log: ({ name }) => `look at ${name}` }).map(({ state, text }) => `${state} ${text}`);

describe('parts and plugins, as doctor sees them,', () => {
  it('are well when they run, or were stopped', () => {
    expect(found({}, { memoryMb: null })).toEqual(['ok 2 of 2 run']);
    expect(found({}, { state: 'stopped', memoryMb: null })).toEqual(['ok 1 of 2 run; the others are stopped']);
  });

  it('are not when they have failed, and noted when they wait', () => {
    expect(found({ state: 'failed', reason: 'exit code 3' }, { state: 'backoff', lastError: 'killed by SIGKILL' })).toEqual(['problem broker is failed: exit code 3', 'problem broker is backoff: killed by SIGKILL']);
    expect(found({ state: 'not-ready', reason: 'no bridge' })).toEqual(['note broker is not-ready: no bridge']);
  });

  it('are noted when they hold much: near their limit, or more than any part needs', () => {
    expect(found({ memoryMb: 600 })).toEqual(['note broker holds 600 MiB']);
    expect(found({ memoryMb: 500 })).toEqual(['ok 1 of 1 run']);
    expect(found({ memoryMb: 500, memoryLimitMb: 512 })).toEqual(['note broker holds 500 MiB of 512 MiB']);
    expect(found({ memoryMb: 300, memoryLimitMb: 512 }, { memoryMb: 900, memoryLimitMb: 2000 })).toEqual(['ok 2 of 2 run']);
  });

  it('say how to give more memory to a plugin that went over its limit, and not to one that failed for another reason', () => {
    const told = (one: Partial<PartStatus>): string | undefined =>
      summary('plugins', [{ ...part, name: 'hog', memoryLimitMb: 64, ...one }], '', { log: () => 'its log', raise: ({ name }, limitMb) => `raise ${name} ${limitMb}` })[0]?.todo;
    const more = '; if it needs that much, raise its limit: raise hog 128, and restart it';
    expect(told({ state: 'backoff', lastError: 'used 70 MiB, and its limit is 64 MiB' })).toBe(`see: its log${more}`);
    expect(told({ memoryMb: 20, lastError: 'ran out of memory (V8 heap limit): x' })).toBe(`if that comes again, it may leak; see: its log${more}`);
    expect(told({ state: 'failed', reason: 'exit code 3' })).toBe('see: its log');
  });
});
