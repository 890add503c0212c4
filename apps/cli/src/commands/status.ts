// `domus status`: every part and plugin of this host, at a glance.
import type { Command } from 'commander';
import { hostService, partList, pluginList, type PartStatus, type PluginStatus } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import { note, printJson, printLine, styled } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { withClient } from '../session.ts';
import { statusTable } from '../status-table.ts';

const timeoutMs = 6000;

export function addStatus(program: Command, { settings }: CommandContext): void {
  program
    .command('status')
    .option('--json', 'as JSON')
    .description('how every part and plugin of this host is')
    .addHelpText('after', `
Examples:
  domus status
  domus status --host igor --json`)
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
  printLine(statusTable(house.parts, plugins.list, nowMs));
  if (plugins.problem !== null) note(`the plugins are not known: ${plugins.problem}`);
}
