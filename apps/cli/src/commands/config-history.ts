// `domus config history` and `domus config revert`: what was changed, and the way back.
import { Option, type Command } from 'commander';
import { configGet, configHistory, configRevert, schemaGet, type JsonValue, type OutputOf } from '@majordomus/contracts';
import { type Client, PeerError } from '@majordomus/mq';
import { didYouMean } from '@majordomus/runtime';
import { knownOn } from '../configured-plugins.ts';
import { CommandError } from '../failure.ts';
import { valueText } from '../item-text.ts';
import { note, printJson, printLine, styled, table } from '../output.ts';
import { typedCommand } from '../own-files.ts';
import type { CommandContext } from '../program.ts';
import { withClient } from '../session.ts';
import { agoText } from '../status-table.ts';
import { whoAsks } from '../who.ts';

type History = OutputOf<typeof configHistory>;

/** A longer value is cut in the table; `--json` has it whole. */
const shownLength = 40;

interface HistoryOptions {
  readonly limit: number;
  readonly before?: number;
  readonly reveal?: boolean;
  readonly json?: boolean;
}

export function addConfigHistory(config: Command, { settings }: CommandContext): void {
  config.command('history').argument('<plugin>').argument('[key]')
    .addOption(new Option('-n, --limit <count>', 'how many changes at most').argParser(wholeNumber('--limit', 1)).default(20))
    .addOption(new Option('--before <change>', 'only changes before this number').argParser(wholeNumber('--before', 0)))
    .option('--reveal', 'show secrets; the house logs that you did').option('--json', 'as JSON')
    .description('what was changed, by whom and when, the newest first')
    .addHelpText('after', `
Examples:
  domus config history diskfree                  the last 20 changes
  domus config history diskfree limit -n 5       of one value
  domus config history diskfree --before 12      what was before that`)
    .action(async (plugin: string, key: string | undefined, { limit, before, reveal, json }: HistoryOptions, command: Command) => {
      const { host } = settings(command);
      const data = { host, plugin, limit, ...(key !== undefined && { key }), ...(before !== undefined && { before }), ...(reveal === true && { reveal, by: whoAsks() }) };
      const { history, meant } = await withClient(settings(command), async (client) => {
        const found = await client.call(configHistory, data);
        return { history: found, meant: found.changes.length > 0 || before !== undefined ? '' : await meantText(client, data) };
      });
      if (json === true) printJson(history);
      else if (history.changes.length === 0) note(`no change of ${key === undefined ? plugin : `${key} of ${plugin}`} on ${host} is known${before === undefined ? meant : ` before ${before}`}`);
      else show(history, limit);
    });

  config.command('revert').argument('<plugin>').argument('[key]')
    .addOption(new Option('--to <change>', 'the number of a change, as config history tells it').argParser(wholeNumber('--to', 0)).makeOptionMandatory())
    .description('put one value, or all of a plugin, back as they were just after a change')
    .addHelpText('after', `
Examples:
  domus config revert diskfree --to 12           all of it, as it was after change 12
  domus config revert diskfree limit --to 12     one value
  domus config revert diskfree --to 0            as it was before the first change
"domus config history diskfree" has the numbers. A revert is a change, too, and can be reverted.`)
    .action(async (plugin: string, key: string | undefined, { to }: { to: number }, command: Command) => {
      const { host } = settings(command);
      const place = { host, plugin, ...(key !== undefined && { key }) };
      const then = to === 0 ? 'before the first change' : `after change ${to}`;
      await withClient(settings(command), async (client) => {
        const { changed } = await client.call(configRevert, { ...place, to, by: whoAsks() });
        for (const value of await valuesNow(client, place, changed)) note(`${plugin} on ${host}: ${value}, as it was ${then}`);
        if (changed.length > 0) return;
        await checkKnown(client, place);
        note(`${plugin} on ${host}: all is as it was ${then} already`);
      });
    });
}

interface Place {
  readonly host: string;
  readonly plugin: string;
  readonly key?: string;
}

/** What is set now of these keys, secrets as such. */
async function valuesNow(client: Client, { host, plugin }: Place, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const reply = await client.call(configGet, { host, plugin });
  const data: Readonly<Record<string, JsonValue>> = 'data' in reply ? reply.data : {};
  const defaults: readonly string[] = 'data' in reply ? reply.defaults : [];
  return keys.map((key) => {
    const value = Object.hasOwn(data, key) ? data[key] : undefined;
    if (value === undefined) return `${key} is not set`;
    const text = reply.masked?.includes(key) === true ? 'set (secret)' : valueText(value);
    return `${key} is ${text}${defaults.includes(key) ? ' (default)' : ''}`;
  });
}

/** Where nothing was changed: a name that was mistyped. @throws CommandError HISTORY_NOT_FOUND for what was never set */
async function checkKnown(client: Client, place: Place): Promise<void> {
  if ((await client.call(configHistory, { ...place, limit: 1 })).changes.length > 0 || (await namesOf(client, place)).includes(place.key ?? place.plugin)) return;
  const { host, plugin, key } = place;
  throw new CommandError('HISTORY_NOT_FOUND', `no change of ${key === undefined ? plugin : `${key} of ${plugin}`} on ${host} is known, and nothing was changed${await meantText(client, place)}`);
}

/** The plugin that may have been meant, or the key of one that is known. */
export async function meantText(client: Client, { key, ...owner }: Place): Promise<string> {
  const plugins = await namesOf(client, owner);
  const isKnown = plugins.includes(owner.plugin);
  const meant = !isKnown ? didYouMean(owner.plugin, plugins) : key === undefined ? undefined : didYouMean(key, await namesOf(client, { ...owner, key }));
  return meant === undefined || meant === key || meant === owner.plugin ? '' : `; did you mean ${meant}?`;
}

/** What could have been meant: keys of the plugin, or plugins. */
async function namesOf(client: Client, { host, plugin, key }: Place): Promise<readonly string[]> {
  if (key === undefined) return await knownOn(client, host);
  const reply = await client.call(configGet, { host, plugin });
  return [...new Set([...('data' in reply ? Object.keys(reply.data) : []), ...(await itemNames(client, plugin))])];
}

async function itemNames(client: Client, plugin: string): Promise<readonly string[]> {
  try {
    return Object.keys((await client.call(schemaGet, { plugin })).items);
  } catch (error) {
    if (error instanceof PeerError && error.code === 'SCHEMA_NOT_FOUND') return [];
    throw error;
  }
}

function show({ plugin, changes }: History, limit: number): void {
  const now = Date.now();
  const rows = changes.map(({ change, key, old, new: after, atMs, by }) => [
    String(change), `${agoText(atMs, now)} ago`, key, shown(old, 'not set'), shown(after, 'forgotten'), by ?? styled('dim', 'unknown'),
  ]);
  printLine(table(['CHANGE', 'WHEN', 'KEY', 'BEFORE', 'AFTER', 'BY'], rows));
  const oldest = changes.at(-1);
  if (changes.length === limit && oldest !== undefined) note(`older ones, if there are any: ${typedCommand} config history ${plugin} --before ${oldest.change}`);
}

function shown(value: JsonValue | undefined, none: string): string {
  if (value === undefined) return styled('dim', none);
  const text = valueText(value);
  return text.length > shownLength ? `${text.slice(0, shownLength - 1)}…` : text;
}

/** @throws CommandError BAD_REQUEST */
function wholeNumber(option: string, min: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,15}$/.test(text) && Number(text) >= min) return Number(text);
    throw new CommandError('BAD_REQUEST', `${option} must be a whole number from ${min}, not ${text}`);
  };
}
