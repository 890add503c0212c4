// Every way to end in words; that each counts the same is the restart policy's and the machine's.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endReason, type KnownEnd } from './end-reason.ts';

const v8 = [
  '<--- Last few GCs --->',
  '[4740:0x3cbf2000]      563 ms: Mark-Compact (reduce) 62.9 (63.8) -> 61.8 (64.3) MB',
  'FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory',
  '----- Native stack trace -----',
  '1: 0x931db0  [node]',
];
const exited = (code: number, more: Partial<KnownEnd> = {}): KnownEnd => ({ code, signal: null, ...more });
const killed = (signal: string, more: Partial<KnownEnd> = {}): KnownEnd => ({ code: null, signal, ...more });

describe('the reason of an end', () => {
  it.each<[string, KnownEnd]>([
    ['exit code 0', exited(0)],
    ['exit code 3', exited(3)],
    ['exit code 13: it awaited what could not come any more', exited(13)],
    ['exit code 78: it cannot start as it is set', exited(78)],
    ['exit code 79: another instance of it runs on the bus, started by hand or by another house with the same host name; stop one of the two', exited(79)],
    ['exit code 137, of a command that was killed by SIGKILL', exited(137)],
    ['exit code 139, of a command that crashed with SIGSEGV', exited(139)],
    ['exit code 200', exited(200)],
    ['killed by SIGTERM', killed('SIGTERM')],
    ['killed by SIGKILL', killed('SIGKILL')],
    ['crashed with SIGSEGV', killed('SIGSEGV')],
    ['crashed with SIGABRT', killed('SIGABRT')],
    ['killed by SIGKILL, perhaps by the kernel for want of memory', killed('SIGKILL', { memoryWasShort: true })],
    ['exit code 137, of a command that was killed by SIGKILL, perhaps by the kernel for want of memory', exited(137, { memoryWasShort: true })],
    ['killed by SIGTERM', killed('SIGTERM', { memoryWasShort: true })],
    ['ran out of memory (V8 heap limit): crashed with SIGABRT', killed('SIGABRT', { lastLines: v8 })],
    ['ran out of memory (V8 heap limit): exit code 134, of a command that crashed with SIGABRT', exited(134, { lastLines: v8 })],
    ['ran out of memory (the heap limit of a V8 worker): exit code 1', exited(1, { lastLines: ['Error [ERR_WORKER_OUT_OF_MEMORY]: Worker terminated due to reaching memory limit: JS heap out of memory'] })],
    ['ran out of memory (no room for a buffer): exit code 1', exited(1, { lastLines: ['RangeError: Array buffer allocation failed', '    at new ArrayBuffer (<anonymous>)'] })],
    ['ran out of memory (Python): exit code 1', exited(1, { lastLines: ['Traceback (most recent call last):', 'MemoryError'] })],
    ['exit code 0', exited(0, { lastLines: v8 })],
    ['exit code 1', exited(1, { lastLines: ['it said: FATAL ERROR: heap out of memory'] })],
    ['hung: silent for 10 s', killed('SIGKILL', { condemned: { for: 'silence', limitMs: 10_000 }, memoryWasShort: true })],
    ['used 312 MiB, and its limit is 256 MiB', killed('SIGKILL', { condemned: { for: 'memory', usedMb: 312, limitMb: 256 }, lastLines: v8 })],
  ])('is "%s"', (reason, known) => {
    expect(endReason(known)).toBe(reason);
  });

  it('is one line of words, whatever ended and whatever it printed', () => {
    const end = fc.oneof(
      fc.integer({ min: 0, max: 255 }).map((code) => ({ code, signal: null })),
      fc.constantFrom('SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGUSR1', 'SIGSTOP').map((signal) => ({ code: null, signal })),
    );
    const line = fc.oneof(fc.string(), fc.constantFrom(...v8, 'MemoryError'));
    fc.assert(fc.property(end, fc.array(line, { maxLength: 10 }), fc.boolean(), (how, lastLines, memoryWasShort) => {
      const reason = endReason({ ...how, lastLines, memoryWasShort });
      expect(reason).toMatch(/^[a-z][^\n]{5,200}$/);
      // How it ended is always told, whatever else is.
      expect(reason).toContain(how.signal ?? `exit code ${how.code}`);
    }));
  });
});
