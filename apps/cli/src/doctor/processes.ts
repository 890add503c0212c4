// Parts and plugins as doctor sees them: who does not run, and who holds so much memory that it may leak. Pure.
import type { PartStatus, PluginStatus } from '@majordomus/contracts';
import { noted, ok, problem, type Finding } from './finding.ts';

/** A part has no limit of its own, and none needs as much. */
const muchMemoryMb = 512;
/** The share of its limit past which a plugin is near it. */
const nearLimit = 0.85;
/** How the end of a process is told that held more than it may. */
const wantedMore = /\bits limit is \d+ MiB|ran out of memory/;

/** What a person is told to type. */
export interface Advice<S> {
  /** Shows the log of one. */
  readonly log: (one: S) => string;
  /** Gives one more memory; absent for what has no limit. */
  readonly raise?: (one: S, limitMb: number) => string;
}

/** What is wrong with one of them, each with where to look, or that all is well. */
export function summary<S extends PartStatus | PluginStatus>(what: string, all: readonly S[], where: string, { log, raise }: Advice<S>): Finding[] {
  const found = all.flatMap((one): Finding[] => {
    const why = one.reason || one.lastError;
    const text = `${one.name}${where} is ${one.state}${why === '' ? '' : `: ${why}`}`;
    const more = raise === undefined || one.memoryLimitMb === null ? '' : `; if it needs that much, raise its limit: ${raise(one, 2 * one.memoryLimitMb)}, and restart it`;
    const todo = `see: ${log(one)}${wantedMore.test(why) ? more : ''}`;
    if (one.state === 'failed' || one.state === 'backoff') return [problem(what, text, todo)];
    if (one.state === 'not-ready') return [noted(what, text, todo)];
    if (holdsMuch(one)) return [noted(what, `${one.name}${where} holds ${one.memoryMb} MiB${one.memoryLimitMb === null ? '' : ` of ${one.memoryLimitMb} MiB`}`, `if that grows, it may leak; see: ${log(one)}${more}`)];
    return wantedMore.test(one.lastError) ? [noted(what, `${one.name}${where} went over its memory: ${one.lastError}`, `if that comes again, it may leak; see: ${log(one)}${more}`)] : [];
  });
  const running = all.filter(({ state }) => state === 'running').length;
  return found.length > 0 ? found : [ok(what, `${running} of ${all.length} run${where}${running < all.length ? '; the others are stopped' : ''}`)];
}

function holdsMuch({ memoryMb, memoryLimitMb }: PartStatus | PluginStatus): boolean {
  return memoryMb !== null && memoryMb > (memoryLimitMb === null ? muchMemoryMb : memoryLimitMb * nearLimit);
}
