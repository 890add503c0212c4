// Parts and plugins as rows: how each is, at a glance.
import type { PartStatus, PluginStatus, ProcessStatus } from '@majordomus/contracts';
import { styled, table } from './output.ts';
import { asTyped } from './own-files.ts';

export const statusHead = ['STATE', 'SINCE', 'PID', 'RESTARTS', 'REASON'] as const;

export function statusTable(parts: readonly PartStatus[], plugins: readonly PluginStatus[], nowMs: number): string {
  return table(['NAME', ...statusHead], [
    ...parts.map((part) => [part.name, ...statusCells(part, nowMs)]),
    ...plugins.map((plugin) => [`${plugin.name} ${plugin.version}`, ...statusCells(plugin, nowMs)]),
  ]);
}

/** The cells under `statusHead`. */
export function statusCells({ state, sinceMs, pid, restarts, reason, lastError }: ProcessStatus, nowMs: number): string[] {
  const why = reason !== '' ? reason : lastError === '' ? '' : styled('dim', `last error: ${lastError}`);
  return [stateText(state), agoText(sinceMs, nowMs), pid === null ? '–' : String(pid), String(restarts), asTyped(why)];
}

/** A state as a person sees it at a glance. */
export function stateText(state: string): string {
  const style = state === 'running' ? 'green' : state === 'failed' ? 'red' : state === 'stopped' ? 'dim' : 'yellow';
  return styled(style, state);
}

/** How long ago, in the largest unit that fits: `12 s`, `5 min`, `3 h`, `9 d`. */
export function agoText(sinceMs: number, nowMs: number): string {
  if (sinceMs === 0) return '–';
  const seconds = Math.max(0, Math.round((nowMs - sinceMs) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
