// Why a process ended, in words for a person, from what is known of its end. Pure, and only words: whatever it was, it is one
// and the same failure (restart-policy.ts).
import { constants } from 'node:os';
import { exitCannotStart, exitSuperseded } from '@majordomus/runtime';
import type { EndCircumstances, ProcessEnd } from './process-input.ts';

/** What we killed a process for. */
export type Condemnation =
  | { readonly for: 'silence'; readonly limitMs: number }
  | { readonly for: 'memory'; readonly usedMb: number; readonly limitMb: number };

/** What is known of an end: how it came, what went before it, and what we did to it. */
export interface KnownEnd extends ProcessEnd, EndCircumstances {
  readonly condemned?: Condemnation | undefined;
}

/** The words for what a process is killed for, before and after its end. */
export function condemnationText(condemned: Condemnation): string {
  return condemned.for === 'silence'
    ? `hung: silent for ${condemned.limitMs / 1000} s`
    : `used ${condemned.usedMb} MiB, and its limit is ${condemned.limitMb} MiB`;
}

/** Why it could not even be spawned. */
export function spawnFailure(reason: string): string {
  return `could not be spawned: ${reason}`;
}

/** The reason of an end that nobody asked for. What we did ourselves comes first: a process that we killed did not choose its end. */
export function endReason(known: KnownEnd): string {
  const { code, signal, lastLines = [], memoryWasShort = false, condemned } = known;
  if (condemned !== undefined) return condemnationText(condemned);
  const how = signal === null ? exitText(code ?? 0) : signalText(signal);
  const shortage = code === 0 ? undefined : ownShortage(lastLines);
  if (shortage !== undefined) return `ran out of memory (${shortage}): ${how}`;
  const byKernel = memoryWasShort && (signal === 'SIGKILL' || code === shellBase + constants.signals.SIGKILL);
  return byKernel ? `${how}, perhaps by the kernel for want of memory` : how;
}

/** What a runtime prints when it is out of memory itself, each in its own words. */
const shortages: readonly (readonly [RegExp, string])[] = [
  [/^FATAL ERROR: .*heap out of memory/, 'V8 heap limit'],
  [/^FATAL ERROR: .*(process out of memory|Allocation failed)/, 'V8'],
  [/Worker terminated due to reaching memory limit/, 'the heap limit of a V8 worker'],
  [/^RangeError: Array buffer allocation failed/, 'no room for a buffer'],
  [/^MemoryError\b/, 'Python'],
];

function ownShortage(lastLines: readonly string[]): string | undefined {
  return shortages.find(([pattern]) => lastLines.some((line) => pattern.test(line)))?.[1];
}

/** Signals that a process gets for what it did itself. */
const crashes: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP', 'SIGSYS']);

function signalText(signal: string): string {
  return crashes.has(signal) ? `crashed with ${signal}` : `killed by ${signal}`;
}

/** A shell tells the signal that ended its command by 128 and the signal's number. */
const shellBase = 128;
/** Of two names of a signal the first one is the usual one. */
const signalNames: ReadonlyMap<number, string> = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name] as const).toReversed());
/** Node, when nothing is left to do and its program still waits. */
const exitUnsettled = 13;

function exitText(code: number): string {
  const signal = code > shellBase ? signalNames.get(code - shellBase) : undefined;
  if (signal !== undefined) return `exit code ${code}, of a command that ${crashes.has(signal) ? '' : 'was '}${signalText(signal)}`;
  if (code === exitCannotStart) return `exit code ${code}: it cannot start as it is set`;
  if (code === exitSuperseded) return `exit code ${code}: another instance of it runs on the bus, started by hand or by another house with the same host name; stop one of the two`;
  return code === exitUnsettled ? `exit code ${code}: it awaited what could not come any more` : `exit code ${code}`;
}
