// `domus status`: every part and plugin of this host, at a glance.
import type { Command } from 'commander';
import { hostService, partList, pluginList, type PartStatus, type PluginStatus, type ProcessStatus } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import { agoText, note, printJson, printLine, stateText, styled, table } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { withClient } from '../session.ts';

const timeoutMs = 6000;

export function addStatus(program: Command, { settings }: CommandContext): void {
  program
    .command('status')
    .option('--json', 'as JSON')
    .description('how every part and plugin of this host is')
    .action(async (options: { json?: boolean }, command: Command) => {
      const { host } = settings(command);
      await withClient(settings(command), async (client) => {
        const house = await client.call(partList, {}, { service: hostService(host, 'house'), timeoutMs });
        const plugins = await pluginsOf(client, host);
        if (options.json === true) printJson({ ...house, plugins: plugins.list, pluginsProblem: plugins.problem });
        else print(house, plugins, Date.now());
      });
    });
}

interface Plugins {
  readonly list: readonly PluginStatus[];
  /** Why they are not known, or null. */
  readonly problem: string | null;
}

/** A manager that does not answer must not hide how the parts are. */
async function pluginsOf(client: Client, host: string): Promise<Plugins> {
  try {
    return { list: (await client.call(pluginList, {}, { service: hostService(host, 'manager'), timeoutMs })).plugins, problem: null };
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return { list: [], problem: `${error.code}: ${error.message}` };
  }
}

function print(house: { readonly host: string; readonly home: string; readonly version: string; readonly parts: readonly PartStatus[] }, plugins: Plugins, nowMs: number): void {
  printLine(styled('bold', `${house.host}: Majordomus ${house.version}, home ${house.home}`));
  const rows = [
    ...house.parts.map((part) => statusRow(part.name, part, nowMs)),
    ...plugins.list.map((plugin) => statusRow(`${plugin.name} ${plugin.version}`, plugin, nowMs)),
  ];
  printLine(table(['NAME', 'STATE', 'SINCE', 'PID', 'RESTARTS', 'REASON'], rows));
  if (plugins.problem !== null) note(`the plugins are not known: ${plugins.problem}`);
}

export function statusRow(name: string, { state, sinceMs, pid, restarts, reason, lastError }: ProcessStatus, nowMs: number): string[] {
  const why = reason !== '' ? reason : lastError === '' ? '' : styled('dim', `last error: ${lastError}`);
  return [name, stateText(state), agoText(sinceMs, nowMs), pid === null ? '–' : String(pid), String(restarts), why];
}
