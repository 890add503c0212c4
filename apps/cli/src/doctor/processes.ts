// Parts and plugins as doctor sees them: who does not run, and who holds so much memory that it may leak. Pure.
import type { PartStatus, PluginStatus } from '@majordomus/contracts';
import { noted, ok, problem, type Finding } from './finding.ts';

/** A part has no limit of its own, and none needs as much. */
const muchMemoryMb = 512;
/** The share of its limit past which a plugin is near it. */
const nearLimit = 0.85;

/** What is wrong with one of them, each with where to look, or that all is well. */
export function summary<S extends PartStatus | PluginStatus>(what: string, all: readonly S[], where: string, look: (one: S) => string): Finding[] {
  const found = all.flatMap((one): Finding[] => {
    const why = one.reason || one.lastError;
    const text = `${one.name}${where} is ${one.state}${why === '' ? '' : `: ${why}`}`;
    if (one.state === 'failed' || one.state === 'backoff') return [problem(what, text, `see: ${look(one)}`)];
    if (one.state === 'not-ready') return [noted(what, text, `see: ${look(one)}`)];
    return holdsMuch(one) ? [noted(what, `${one.name}${where} holds ${one.memoryMb} MiB${one.memoryLimitMb === null ? '' : ` of ${one.memoryLimitMb} MiB`}`, `if that grows, it may leak; see: ${look(one)}`)] : [];
  });
  const running = all.filter(({ state }) => state === 'running').length;
  return found.length > 0 ? found : [ok(what, `${running} of ${all.length} run${where}${running < all.length ? '; the others are stopped' : ''}`)];
}

function holdsMuch({ memoryMb, memoryLimitMb }: PartStatus | PluginStatus): boolean {
  return memoryMb !== null && memoryMb > (memoryLimitMb === null ? muchMemoryMb : memoryLimitMb * nearLimit);
}
