// `domus plugin`: what is installed, and what runs.
import type { Command } from 'commander';
import {
  hostService, parsePluginId, pluginRestart, pluginStart, pluginStatusGet, pluginStop, pluginUninstall,
} from '@majordomus/contracts';
import { addExamples } from '../examples.ts';
import { orTellWhere, pluginsElsewhere, pluginsOf, tellUnknown } from '../house-plugins.ts';
import { startTimeoutMs, tellState } from '../installed-plugin.ts';
import type { LogOwner } from '../logs/followed-log.ts';
import { ownersOf } from '../logs/log-owners.ts';
import { addLogsOptions, showLogs, type LogsAsked, type LogsOptions } from '../logs/shown-logs.ts';
import { note, printJson, printLine, table } from '../output.ts';
import { typedCommand } from '../own-files.ts';
import { isLoggedPart } from '../parts.ts';
import { pluginDetails } from '../plugin-details.ts';
import type { CommandContext } from '../program.ts';
import { type CliSettings, withFirstHost, withHost } from '../session.ts';
import { statusCells, statusHead } from '../status-table.ts';
import { whoAsks } from '../who.ts';
import { addPluginCreate } from './plugin-create.ts';
import { addPluginInstall } from './plugin-install.ts';

export function addPlugin(program: Command, context: CommandContext): void {
  const { settings } = context;
  const plugin = program
    .command('plugin')
    .description('install, start and watch plugins');

  addExamples(plugin, [
    'domus plugin install diskfree                  one that comes with Majordomus',
    'domus plugin create kitchen',
    'domus plugin list',
    'domus plugin stop diskfree',
    'domus plugin start diskfree',
    'domus plugin restart diskfree',
    'domus plugin status diskfree                   what it holds, and how it last failed',
    'domus plugin log diskfree -f',
    'domus plugin upgrade diskfree',
    'domus plugin rollback diskfree                 back to the version before',
    'domus plugin uninstall diskfree                --purge forgets its configuration, too',
  ], 'A plugin is its name, or host.name for one on another host.');

  addPluginCreate(plugin);
  addPluginInstall(plugin, context);

  plugin.command('list').option('--json', 'as JSON')
    .description('list the installed plugins of all hosts (of one with --host) and how they are')
    .action(async (options: { json?: boolean }, command: Command) => {
      const onlyOne = command.optsWithGlobals<{ host?: string }>().host !== undefined;
      const asked = settings(command);
      const { own, others } = onlyOne
        ? await withHost(asked, async (client) => ({ own: await pluginsOf(client, asked.host), others: [] }))
        : await withFirstHost(asked, async (client, host) => ({ own: await pluginsOf(client, host), others: await pluginsElsewhere(client, host) }));
      tellUnknown(others);
      const plugins = [...own, ...others.flatMap((other) => other.plugins)];
      if (options.json === true) printJson(plugins);
      else if (plugins.length === 0) note(`no plugin is installed; try: ${typedCommand} plugin install diskfree`);
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
        await withHost(own, (client) => orTellWhere(client, own.host, id, async () => {
          tellState(await client.call(contract, { id }, { ...managerOf(own), timeoutMs: startTimeoutMs }));
        }));
      });
  }

  plugin.command('status').argument('<plugin>').option('--json', 'as JSON')
    .description('show how one plugin is: its memory, its restarts, and the last words of its run that failed')
    .action(async (id: string, options: { json?: boolean }, command: Command) => {
      const own = settings(command);
      await withHost(own, (client) => orTellWhere(client, own.host, id, async () => {
        const status = await client.call(pluginStatusGet, { id }, managerOf(own));
        if (options.json === true) printJson(status);
        else printLine(pluginDetails(status, Date.now()));
      }));
    });

  plugin.command('uninstall').argument('<plugin>')
    .option('--purge', 'forget its configuration, too; also of a plugin that is not installed any more')
    .description('stop a plugin and remove its package; its configuration is kept')
    .addHelpText('after', `
Examples:
  domus plugin uninstall diskfree
  domus plugin uninstall diskfree --purge        its configuration goes, too
  domus plugin uninstall attic.diskfree          on another host`)
    .action(async (id: string, { purge = false }: { readonly purge?: boolean }, command: Command) => {
      const { host } = settings(command);
      await withHost(settings(command), (client) => orTellWhere(client, host, id, async () => {
        const { purged } = await client.call(pluginUninstall, { id, purge, by: whoAsks() }, { service: hostService(host, 'packagemanager'), timeoutMs: startTimeoutMs });
        note(`uninstalled ${id}; ${purged === undefined ? 'its configuration is kept' : `its configuration is forgotten (values: ${purged})`}`);
      }));
    });

  addLogsOptions(plugin.command('log').argument('<plugin>'))
    .description('print the log of a plugin')
    .action(async (id: string, options: LogsOptions, command: Command) => {
      await showLogs(context, command, options, (asked) => logOwner(id, asked));
    });
}

/** The plugin whose log is meant; what is not known by name or file is asked for, so that its manager says what it has to say. */
async function logOwner(id: string, { host, client, known }: LogsAsked): Promise<readonly LogOwner[]> {
  const plugin = parsePluginId(id, host);
  const name = plugin.host === host ? plugin.name : id;
  const plugins = known.filter((one) => !isLoggedPart(one));
  if (client === undefined || plugins.includes(name)) return ownersOf([name], plugins);
  await orTellWhere(client, host, id, () => client.call(pluginStatusGet, { id }, managerOf({ host })));
  return [{ kind: 'plugin', name }];
}

function managerOf({ host }: Pick<CliSettings, 'host'>): { readonly service: string } {
  return { service: hostService(host, 'manager') };
}
