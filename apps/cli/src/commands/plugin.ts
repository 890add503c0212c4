// `domus plugin`: what is installed, and what runs.
import { setTimeout as delay } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import {
  hostService, pluginLog, pluginRestart, pluginStart, pluginStop, pluginUninstall,
} from '@majordomus/contracts';
import { type Client, PeerError } from '@majordomus/mq';
import { orTellWhere, pluginsElsewhere, pluginsOf, tellUnknown } from '../house-plugins.ts';
import { startTimeoutMs, tellState } from '../installed-plugin.ts';
import { note, printJson, printLine, table } from '../output.ts';
import { outputClosed } from '../output-closed.ts';
import type { CommandContext } from '../program.ts';
import { type CliSettings, withClient } from '../session.ts';
import { statusCells, statusHead } from '../status-table.ts';
import { addPluginCreate } from './plugin-create.ts';
import { addPluginInstall } from './plugin-install.ts';

const followIntervalMs = 500;
/** As many as one reply holds. */
const maxLogLines = 1000;

export function addPlugin(program: Command, context: CommandContext): void {
  const { settings } = context;
  const plugin = program
    .command('plugin')
    .description('install, start and watch plugins')
    .addHelpText('afterAll', `
Examples:
  domus plugin install diskfree                  one that comes with Majordomus
  domus plugin create kitchen
  domus plugin list
  domus plugin stop diskfree
  domus plugin start diskfree
  domus plugin restart diskfree
  domus plugin log diskfree -f
  domus plugin uninstall diskfree
A plugin is its name, or host.name for one on another host.`);

  addPluginCreate(plugin);
  addPluginInstall(plugin, context);

  plugin.command('list').option('--json', 'as JSON')
    .description('list the installed plugins of all hosts (of one with --host) and how they are')
    .action(async (options: { json?: boolean }, command: Command) => {
      const { host } = settings(command);
      const onlyOne = command.optsWithGlobals<{ host?: string }>().host !== undefined;
      const { own, others } = await withClient(settings(command), async (client) => ({
        own: await pluginsOf(client, host),
        others: onlyOne ? [] : await pluginsElsewhere(client, host),
      }));
      tellUnknown(others);
      const plugins = [...own, ...others.flatMap((other) => other.plugins)];
      if (options.json === true) printJson(plugins);
      else if (plugins.length === 0) note('no plugin is installed; try: domus plugin install diskfree');
      else {
        // The host is of interest where there are several.
        const columns = (ofHost: string, ...cells: readonly string[]): string[] => [...(others.length > 0 ? [ofHost] : []), ...cells];
        const rows = plugins.map((one) => columns(one.host, one.name, one.version, one.autostart ? 'yes' : 'no', ...statusCells(one, Date.now())));
        printLine(table(columns('HOST', 'PLUGIN', 'VERSION', 'AUTOSTART', ...statusHead), rows));
      }
    });

  for (const [name, contract, description] of [
    ['start', pluginStart, 'start a plugin, now and with the house from now on'],
    ['stop', pluginStop, 'stop a plugin, and do not start it with the house any more'],
    ['restart', pluginRestart, 'stop a plugin and start the version that is installed'],
  ] as const) {
    plugin.command(name).argument('<plugin>').description(description)
      .action(async (id: string, _options: object, command: Command) => {
        const own = settings(command);
        await withClient(own, (client) => orTellWhere(client, own.host, id, async () => {
          tellState(await client.call(contract, { id }, { ...managerOf(own), timeoutMs: startTimeoutMs }));
        }));
      });
  }

  plugin.command('uninstall').argument('<plugin>')
    .description('stop a plugin and remove its package; its configuration is kept')
    .action(async (id: string, _options: object, command: Command) => {
      const { host } = settings(command);
      await withClient(settings(command), (client) => orTellWhere(client, host, id, async () => {
        await client.call(pluginUninstall, { id }, { service: hostService(host, 'packagemanager'), timeoutMs: startTimeoutMs });
        note(`uninstalled ${id}; its configuration is kept`);
      }));
    });

  plugin.command('log').argument('<plugin>').option('-n, --lines <number>', 'how many of the last lines', lineCount, 50).option('-f, --follow', 'go on with what comes').option('--json', 'as JSON')
    .description('print the log of a plugin')
    .action(async (id: string, options: { lines: number; follow?: boolean; json?: boolean }, command: Command) => {
      const own = settings(command);
      await withClient(own, (client) => orTellWhere(client, own.host, id, () => followLog(client, managerOf(own), id, options)));
    });
}

function lineCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > maxLogLines) throw new InvalidArgumentError(`It must be a whole number from 1 to ${maxLogLines}.`);
  return count;
}

function managerOf({ host }: CliSettings): { readonly service: string } {
  return { service: hostService(host, 'manager') };
}

async function followLog(client: Client, manager: { readonly service: string }, id: string, { lines, follow, json }: { lines: number; follow?: boolean; json?: boolean }): Promise<void> {
  let reply = await client.call(pluginLog, { id, lines }, manager);
  if (json === true) return printJson(reply.lines);
  for (const line of reply.lines) printLine(line);
  if (follow !== true) return;
  const closed = outputClosed();
  while (!closed.aborted) {
    await delay(followIntervalMs);
    try {
      reply = await client.call(pluginLog, { id, lines: maxLogLines, after: reply.next }, manager);
      for (const line of reply.lines) printLine(line);
    } catch (error) {
      // The manager may be restarting; a plugin that is gone ends the reading.
      if (error instanceof PeerError && error.code === 'PLUGIN_NOT_FOUND') throw error;
    }
  }
}
