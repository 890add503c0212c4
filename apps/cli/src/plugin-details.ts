// One plugin as `domus plugin status` shows it: how it is, what it holds, and how it last failed. Pure.
import type { OutputOf, pluginStatusGet, PluginStatus } from '@majordomus/contracts';
import { styled } from './output.ts';
import { asTyped } from './own-files.ts';
import { agoText, stateText } from './status-table.ts';

export function pluginDetails({ plugin, lastWords }: OutputOf<typeof pluginStatusGet>, nowMs: number): string {
  const { id, version, state, sinceMs, pid, reason, restarts, lastError, autostart } = plugin;
  const since = sinceMs === 0 ? '' : ` for ${agoText(sinceMs, nowMs)}`;
  const rows: readonly (readonly [name: string, value: string])[] = [
    ['State', `${stateText(state)}${since}${reason === '' ? '' : `: ${asTyped(reason)}`}`],
    ['Process', pid === null ? 'none' : String(pid)],
    ['Memory', memoryText(plugin)],
    ['Autostart', autostart ? 'yes' : 'no'],
    ['Restarts', String(restarts)],
    ['Last error', lastError === '' ? 'none' : asTyped(lastError)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    styled('bold', `${id} ${version}`.trimEnd()),
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...(lastWords.length === 0 ? [] : ['', 'The last words before that error:', ...lastWords.map((line) => `  ${line}`)]),
  ].join('\n');
}

function memoryText({ memoryMb, memoryLimitMb }: Pick<PluginStatus, 'memoryMb' | 'memoryLimitMb'>): string {
  const used = memoryMb === null ? 'not known' : `${memoryMb} MiB`;
  return `${used}${memoryLimitMb === null ? '' : `, and its limit is ${memoryLimitMb} MiB`}`;
}
