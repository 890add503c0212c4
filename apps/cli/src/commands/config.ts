// `domus config`: what the plugins are told.
import type { Command } from 'commander';
import { configDelete, configGet, configList, configSet, schemaGet, type ConfigurationItem, type JsonValue } from '@majordomus/contracts';
import { type Client, PeerError } from '@majordomus/mq';
import { note, printJson, printLine, styled, table } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { withClient } from '../session.ts';

export function addConfig(program: Command, { settings }: CommandContext): void {
  const config = program
    .command('config')
    .description('read and change the configuration of plugins (of this host, or of --host)')
    .addHelpText('afterAll', `
Examples:
  domus config list
  domus config get diskfree
  domus config get diskfree limit
  domus config set diskfree limit 80
  domus config delete diskfree limit`);

  config.command('get').argument('<plugin>').argument('[key]').option('--json', 'as JSON')
    .description('print one value, or all of them with where they come from')
    .action(async (plugin: string, key: string | undefined, options: { json?: boolean }, command: Command) => {
      const { host } = settings(command);
      const reply = await withClient(settings(command), (client) => client.call(configGet, { host, plugin, ...(key !== undefined && { key }) }));
      if ('value' in reply) {
        if (options.json === true) printJson(reply.value);
        else printLine(valueText(reply.value));
      } else if (options.json === true) printJson(reply.data);
      else {
        const rows = Object.entries(reply.data).map(([name, value]) => [name, valueText(value), reply.defaults.includes(name) ? styled('dim', 'default') : 'set']);
        if (rows.length === 0) note(`nothing is configured for ${plugin} on ${host}`);
        else printLine(table(['KEY', 'VALUE', 'FROM'], rows));
      }
    });

  config.command('set').argument('<plugin>').argument('<key>').argument('<value>', 'read as the type that the plugin’s schema gives; else as JSON, else as text')
    .description('set one value; on disk when the command returns')
    .action(async (plugin: string, key: string, text: string, _options: object, command: Command) => {
      const { host } = settings(command);
      await withClient(settings(command), async (client) => {
        const value = valueOf(text, await itemOf(client, plugin, key));
        await client.call(configSet, { host, plugin, key, value });
        note(`${plugin} on ${host}: ${key} is ${valueText(value)}`);
      });
    });

  config.command('delete').argument('<plugin>').argument('[key]')
    .description('forget one value, or all of a plugin')
    .action(async (plugin: string, key: string | undefined, _options: object, command: Command) => {
      const { host } = settings(command);
      const { deleted } = await withClient(settings(command), (client) => client.call(configDelete, { host, plugin, ...(key !== undefined && { key }) }));
      note(deleted === 0 ? `nothing was set for ${plugin} on ${host}` : `forgot ${deleted} ${deleted === 1 ? 'value' : 'values'} of ${plugin} on ${host}`);
    });

  config.command('list').option('--json', 'as JSON')
    .description('list every host and plugin that has any configuration')
    .action(async (options: { json?: boolean }, command: Command) => {
      const { configurations } = await withClient(settings(command), (client) => client.call(configList, {}));
      if (options.json === true) printJson(configurations);
      else if (configurations.length === 0) note('nothing is configured yet');
      else printLine(table(['HOST', 'PLUGIN', 'KEYS'], configurations.map(({ host, plugin, keys }) => [host, plugin, String(keys)])));
    });
}

async function itemOf(client: Client, plugin: string, key: string): Promise<ConfigurationItem | undefined> {
  try {
    return (await client.call(schemaGet, { plugin })).items[key];
  } catch (error) {
    if (error instanceof PeerError && error.code === 'SCHEMA_NOT_FOUND') return undefined;
    throw error;
  }
}

/** What a person typed as a value: text where text is wanted, `a,b` as a list, else JSON. */
export function valueOf(text: string, item: Pick<ConfigurationItem, 'type'> | undefined): JsonValue {
  if (item?.type === 'string') return text;
  if (item?.type === 'list' && !text.trimStart().startsWith('[')) return text.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '');
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function valueText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
