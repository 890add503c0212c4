// `domus config`: what the plugins are told.
import type { Command } from 'commander';
import { configDelete, configGet, configList, configSet, partList, schemaGet, type ConfigurationItems, type JsonValue, type OutputOf, type RequestOf } from '@majordomus/contracts';
import { type Client, PeerError } from '@majordomus/mq';
import { didYouMean } from '@majordomus/runtime';
import { editConfiguration } from '../config-edit/edit-configuration.ts';
import { installedOn, isPlugin, knownOn } from '../configured-plugins.ts';
import { addExamples } from '../examples.ts';
import { CommandError, reportFailure } from '../failure.ts';
import { missingHost } from '../hosts.ts';
import { valueOf, valueText } from '../item-text.ts';
import { note, printJson, printLine, styled, table } from '../output.ts';
import { typedCommand } from '../own-files.ts';
import { isPartName } from '../parts.ts';
import type { CommandContext } from '../program.ts';
import { ask, canAsk } from '../questions.ts';
import { withClient } from '../session.ts';
import { whoAsks } from '../who.ts';
import { addConfigHistory, meantText } from './config-history.ts';

export function addConfig(program: Command, context: CommandContext): void {
  const { settings } = context;
  const config = program
    .command('config')
    .description('read and change the configuration of plugins (of this host, or of --host)');

  addExamples(config, [
    'domus config list',
    'domus config edit diskfree',
    'domus config get diskfree',
    'domus config get diskfree limit',
    'domus config set diskfree limit 80',
    'domus config delete diskfree limit',
    'domus config history diskfree',
    'domus config revert diskfree --to 12',
  ]);

  config.command('get').argument('<plugin>').argument('[key]').option('--reveal', 'show secrets; the house logs that you did').option('--json', 'as JSON')
    .description('print one value, or all of them with where they come from')
    .action(async (plugin: string, key: string | undefined, options: { reveal?: boolean; json?: boolean }, command: Command) => {
      const { host } = settings(command);
      const data = { host, plugin, ...(key !== undefined && { key }), ...(options.reveal === true && { reveal: true, by: whoAsks() }) };
      const { reply, lost } = await withClient(settings(command), (client) => shownValues(client, data));
      if ('value' in reply) {
        if (options.json === true) printJson(reply.value);
        else printLine(valueText(reply.value));
      } else if (options.json === true) printJson(reply.data);
      else {
        const rows = Object.entries(reply.data).map(([name, value]) => [name, valueText(value), reply.defaults.includes(name) ? styled('dim', 'default') : 'set']);
        if (rows.length === 0) note(`nothing is configured for ${plugin} on ${host}`);
        else printLine(table(['KEY', 'VALUE', 'FROM'], rows));
      }
      if (lost === undefined) tellHidden(reply, host, plugin);
      else reportFailure(lost);
    });

  config.command('set').argument('<plugin>').argument('<key>').argument('<value>', 'read as the type that the plugin’s schema gives; else as JSON, else as text')
    .description('set one value; on disk when the command returns')
    .action(async (plugin: string, key: string, text: string, _options: object, command: Command) => {
      const { host } = settings(command);
      await withClient(settings(command), async (client) => {
        const items = await itemsOf(client, plugin);
        const value = valueOf(text, items?.[key]);
        await setValue(client, { host, plugin, key, value, by: whoAsks() });
        note(`${plugin} on ${host}: ${key} is ${items?.[key]?.secret === true ? 'set (secret)' : valueText(value)}`);
        // A host may be told something before it joins; a name that was mistyped looks the same.
        const missing = command.optsWithGlobals<{ host?: string }>().host === undefined ? undefined : await missingHost(client, host);
        if (missing?.code === 'HOST_UNKNOWN') note(`${missing.text}; the value waits for it`);
        if (items === undefined) await tellUnknown(client, host, plugin, key);
      });
    });

  config.command('delete').argument('<plugin>').argument('[key]')
    .description('forget one value, or all of a plugin')
    .action(async (plugin: string, key: string | undefined, _options: object, command: Command) => {
      const { host } = settings(command);
      await withClient(settings(command), async (client) => {
        if (key === undefined) await refuseOwnNotes(client, host, plugin);
        const { deleted } = await client.call(configDelete, { host, plugin, by: whoAsks(), ...(key !== undefined && { key }) });
        const meant = deleted === 0 && isPlugin(plugin) ? await meantText(client, { host, plugin, ...(key !== undefined && { key }) }) : '';
        note(deleted === 0 ? `nothing was set for ${plugin} on ${host}${meant}` : `forgot ${deleted} ${deleted === 1 ? 'value' : 'values'} of ${plugin} on ${host}`);
      });
    });

  config.command('edit').argument('[plugin]', 'which one; asked at a terminal').option('--from <file>', 'begin with what an earlier edit has left')
    .description('edit all of a plugin in $VISUAL or $EDITOR, with what each value means; set when you save')
    .action(async (named: string | undefined, { from }: { from?: string }, command: Command) => {
      const plugin = named ?? (await withClient(settings(command), (client) => chosenPlugin(client, settings(command).host)));
      if (named !== undefined) await withClient(settings(command), (client) => checkKnown(client, settings(command).host, named));
      await editConfiguration({ settings: settings(command), plugin, from });
    });

  addConfigHistory(config, context);

  config.command('list').option('--all', 'with what the house keeps for itself').option('--json', 'as JSON')
    .description('list every host and plugin that has any configuration')
    .action(async (options: { all?: boolean; json?: boolean }, command: Command) => {
      const reply = await withClient(settings(command), (client) => client.call(configList, {}));
      const configurations = reply.configurations.filter(({ plugin }) => options.all === true || isPlugin(plugin));
      if (options.json === true) printJson(configurations);
      else if (configurations.length === 0) note('nothing is configured yet');
      else printLine(table(['HOST', 'PLUGIN', 'KEYS'], configurations.map(({ host, plugin, keys }) => [host, plugin, String(keys)])));
    });
}

/** With secrets in clear: of several those that can be read, and in `lost` what is said of the others. */
async function shownValues(client: Client, asked: RequestOf<typeof configGet>): Promise<{ readonly reply: OutputOf<typeof configGet>; readonly lost?: PeerError }> {
  try {
    return { reply: await client.call(configGet, asked) };
  } catch (lost) {
    if (!(lost instanceof PeerError) || lost.code !== 'SECRET_UNREADABLE' || asked.key !== undefined) throw lost;
    const reply = await client.call(configGet, { ...asked, reveal: false });
    const { masked = [], unreadable = [] } = reply;
    if (!('data' in reply)) throw lost;
    const data = { ...reply.data };
    for (const key of masked.filter((name) => !unreadable.includes(name))) {
      const one = await client.call(configGet, { ...asked, key });
      if ('value' in one) data[key] = one.value;
    }
    return { reply: { ...reply, data }, lost };
  }
}

/** A person who sees a mask is told how to see more, and who should see a problem is told of it. */
function tellHidden({ masked = [], unreadable = [] }: OutputOf<typeof configGet>, host: string, plugin: string): void {
  const readable = masked.filter((key) => !unreadable.includes(key));
  if (readable.length > 0) note(`secret, and shown with --reveal: ${readable.join(', ')}`);
  if (unreadable.length > 0) note(`${plugin} on ${host}: cannot be decrypted: ${unreadable.join(', ')}; put keys/secrets.key of the home back from a backup, or set anew: ${typedCommand} config set ${plugin} ${unreadable[0] ?? ''} …`);
}

/** @throws CommandError BAD_REQUEST for what is nested so deeply that it cannot even be checked */
async function setValue(client: Client, data: { readonly host: string; readonly plugin: string; readonly key: string; readonly value: JsonValue; readonly by: string }): Promise<void> {
  try {
    await client.call(configSet, data);
  } catch (cause) {
    if (cause instanceof RangeError) throw new CommandError('BAD_REQUEST', `${data.key}: the value is nested too deeply; nothing was changed`, { cause });
    throw cause;
  }
}

/** Undefined if no schema is known. */
async function itemsOf(client: Client, plugin: string): Promise<ConfigurationItems | undefined> {
  try {
    return (await client.call(schemaGet, { plugin })).items;
  } catch (error) {
    if (error instanceof PeerError && error.code === 'SCHEMA_NOT_FOUND') return undefined;
    throw error;
  }
}

/** A plugin may be told something before it is installed; a name that was mistyped looks the same. */
async function tellUnknown(client: Client, host: string, plugin: string, key: string): Promise<void> {
  // A part is no plugin; it looks itself at what it is told.
  if (isPartName(plugin)) return;
  const installed = await installedOn(client, host);
  if (installed.includes(plugin)) {
    note(`dbmanager has no schema of ${plugin} at the moment, so nothing has checked the value; packagemanager gives it again by itself: look then whether the value is right: ${typedCommand} config edit ${plugin}`);
    return;
  }
  const meant = didYouMean(plugin, installed);
  const advice = meant === undefined ? '' : `; did you mean ${meant}? Then take it back with: ${typedCommand} config delete ${plugin} ${key}`;
  note(`no plugin ${plugin} is installed, so nothing checks the value until it is${advice}`);
}

/** What the house notes for itself is not forgotten by the way. @throws CommandError BAD_REQUEST */
async function refuseOwnNotes(client: Client, host: string, plugin: string): Promise<void> {
  if (plugin !== partList.service) return;
  const reply = await client.call(configGet, { host, plugin });
  const keys = 'data' in reply ? Object.keys(reply.data) : [];
  if (keys.length === 0) return;
  throw new CommandError('BAD_REQUEST', `${plugin} is no plugin: under it the house notes what it has done (${keys.join(', ')}), and does it again once that is forgotten; name the key if you want that: ${typedCommand} config delete ${plugin} ${keys[0] ?? ''} --host ${host}`);
}

/** Before an editor opens on nothing: a name that was mistyped. @throws CommandError PLUGIN_NOT_FOUND */
async function checkKnown(client: Client, host: string, plugin: string): Promise<void> {
  const reply = await client.call(configGet, { host, plugin });
  if (('data' in reply && Object.keys(reply.data).length > 0) || (await itemsOf(client, plugin)) !== undefined) return;
  const names = await knownOn(client, host);
  if (names.includes(plugin)) return;
  const meant = didYouMean(plugin, names);
  if (meant !== undefined) throw new CommandError('PLUGIN_NOT_FOUND', `no plugin ${plugin} is installed on ${host}, and nothing is configured for it; did you mean ${meant}?`);
  note(`no plugin ${plugin} is installed, so nothing checks the values until it is`);
}

async function chosenPlugin(client: Client, host: string): Promise<string> {
  const names = await knownOn(client, host);
  if (names.length === 0) throw new CommandError('BAD_REQUEST', `no plugin is installed on ${host}; name one to configure it all the same: ${typedCommand} config edit PLUGIN`);
  if (!canAsk()) throw new CommandError('BAD_REQUEST', `which plugin? There are ${names.join(', ')}; for example: ${typedCommand} config edit ${names[0] ?? ''}`);
  return await ask({ name: 'plugin', description: 'whose configuration is edited', type: 'text', required: true, values: names.map((value) => ({ value })) }) ?? '';
}
