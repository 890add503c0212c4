// `domus plugin`: what is installed, and what runs.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import {
  hostService, parsePluginId, pluginList, pluginLog, pluginRestart, pluginStart, pluginStop, pluginUninstall, type OutputOf,
} from '@majordomus/contracts';
import { type Client, PeerError } from '@majordomus/mq';
import { CommandError } from '../failure.ts';
import { installAndFollow } from '../installation.ts';
import { note, printJson, printLine, table } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { type CliSettings, withClient } from '../session.ts';
import { stateText, statusCells, statusHead } from '../status-table.ts';

/** A plugin may take the supervisor's whole bound to say that it is ready. */
const startTimeoutMs = 30_000;
const followIntervalMs = 500;
/** As many as one reply holds. */
const maxLogLines = 1000;

export function addPlugin(program: Command, { settings }: CommandContext): void {
  const plugin = program
    .command('plugin')
    .description('install, start and watch plugins')
    .addHelpText('afterAll', `
Examples:
  domus plugin install ./plugins/diskfree
  domus plugin list
  domus plugin stop diskfree
  domus plugin start diskfree
  domus plugin restart diskfree
  domus plugin log diskfree -f
  domus plugin uninstall diskfree
A plugin is its name, or host.name for one on another host.`);

  plugin.command('list').option('--json', 'as JSON')
    .description('list the installed plugins and how they are')
    .action(async (options: { json?: boolean }, command: Command) => {
      const { host } = settings(command);
      const { plugins } = await withClient(settings(command), (client) => client.call(pluginList, {}, { service: hostService(host, 'manager') }));
      if (options.json === true) printJson(plugins);
      else if (plugins.length === 0) note('no plugin is installed; try: domus plugin install ./plugins/diskfree');
      else {
        const head = ['PLUGIN', 'VERSION', 'AUTOSTART', ...statusHead];
        printLine(table(head, plugins.map((one) => [one.name, one.version, one.autostart ? 'yes' : 'no', ...statusCells(one, Date.now())])));
      }
    });

  for (const [name, contract, description] of [
    ['start', pluginStart, 'start a plugin, now and with the house from now on'],
    ['stop', pluginStop, 'stop a plugin, and do not start it with the house any more'],
    ['restart', pluginRestart, 'stop a plugin and start the version that is installed'],
  ] as const) {
    plugin.command(name).argument('<plugin>').description(description)
      .action(async (id: string, _options: object, command: Command) => {
        await withClient(settings(command), async (client) => tell(await client.call(contract, { id }, { ...managerOf(settings(command)), timeoutMs: startTimeoutMs })));
      });
  }

  plugin.command('install').argument('<folder>', 'the folder of the plugin, with its plugin.json').option('--no-start', 'install only')
    .description('install a plugin, or another version of it, and start it')
    .action(async (source: string, options: { start: boolean }, command: Command) => {
      const folder = resolve(source);
      if (!existsSync(folder)) throw new CommandError('SOURCE_NOT_FOUND', `there is no folder ${folder}; give the folder that has the plugin's plugin.json`);
      await withClient(settings(command), async (client) => {
        const job = await installAndFollow(client, settings(command).host, folder, (step) => note(step));
        note(`installed ${job.plugin ?? folder} ${job.version ?? ''}`.trimEnd());
        if (options.start && job.plugin !== undefined) tell(await startInstalled(client, settings(command), job.plugin));
      });
    });

  plugin.command('uninstall').argument('<plugin>')
    .description('stop a plugin and remove its package; its configuration is kept')
    .action(async (id: string, _options: object, command: Command) => {
      const { host } = settings(command);
      await withClient(settings(command), async (client) => {
        await client.call(pluginUninstall, { id }, { service: hostService(host, 'packagemanager'), timeoutMs: startTimeoutMs });
        note(`uninstalled ${id}; its configuration is kept`);
      });
    });

  plugin.command('log').argument('<plugin>').option('-n, --lines <number>', 'how many of the last lines', lineCount, 50).option('-f, --follow', 'go on with what comes').option('--json', 'as JSON')
    .description('print the log of a plugin')
    .action(async (id: string, options: { lines: number; follow?: boolean; json?: boolean }, command: Command) => {
      await withClient(settings(command), async (client) => followLog(client, managerOf(settings(command)), id, options));
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

/** Starts what was just installed; a plugin that runs goes over to the new version. */
async function startInstalled(client: Client, settings: CliSettings, name: string): Promise<OutputOf<typeof pluginStart>> {
  const manager = managerOf(settings);
  const { plugins } = await client.call(pluginList, {}, manager);
  const runs = plugins.some((plugin) => plugin.name === name && plugin.state !== 'stopped');
  return await client.call(runs ? pluginRestart : pluginStart, { id: name }, { ...manager, timeoutMs: startTimeoutMs });
}

function tell({ id, state, pid, detail }: OutputOf<typeof pluginStart>): void {
  note(`${id} is ${stateText(state)}${pid === null ? '' : ` (pid ${pid})`}${detail === '' ? '' : `: ${detail}`}`);
  if (state === 'failed' || state === 'backoff') {
    note(`see: domus plugin log ${parsePluginId(id, '').name}`);
    process.exitCode = 1;
  }
}

async function followLog(client: Client, manager: { readonly service: string }, id: string, { lines, follow, json }: { lines: number; follow?: boolean; json?: boolean }): Promise<void> {
  let reply = await client.call(pluginLog, { id, lines }, manager);
  if (json === true) return printJson(reply.lines);
  for (const line of reply.lines) printLine(line);
  if (follow !== true) return;
  for (;;) {
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
