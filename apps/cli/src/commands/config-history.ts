// `domus config history` and `domus config revert`: what was changed, and the way back.
import { Option, type Command } from 'commander';
import { configHistory, configRevert, type JsonValue, type OutputOf } from '@majordomus/contracts';
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
    .action(async (plugin: string, key: string | undefined, { limit, before, reveal, json }: HistoryOptions, command: Command) => {
      const { host } = settings(command);
      const data = { host, plugin, limit, ...(key !== undefined && { key }), ...(before !== undefined && { before }), ...(reveal === true && { reveal, by: whoAsks() }) };
      const history = await withClient(settings(command), (client) => client.call(configHistory, data));
      if (json === true) printJson(history);
      else if (history.changes.length === 0) note(`no change of ${key === undefined ? plugin : `${key} of ${plugin}`} on ${host} is known${before === undefined ? '' : ` before ${before}`}`);
      else show(history, limit);
    });

  config.command('revert').argument('<plugin>').argument('[key]')
    .addOption(new Option('--to <change>', 'the number of a change, as config history tells it').argParser(wholeNumber('--to', 0)).makeOptionMandatory())
    .description('put one value, or all of a plugin, back as they were just after a change')
    .action(async (plugin: string, key: string | undefined, { to }: { to: number }, command: Command) => {
      const { host } = settings(command);
      const data = { host, plugin, to, by: whoAsks(), ...(key !== undefined && { key }) };
      const { changed } = await withClient(settings(command), (client) => client.call(configRevert, data));
      const then = to === 0 ? 'before the first change' : `after change ${to}`;
      if (changed.length === 0) note(`${plugin} on ${host}: all is as it was ${then} already`);
      else note(`${plugin} on ${host}: ${changed.join(', ')} ${changed.length === 1 ? 'is as it was' : 'are as they were'} ${then}`);
    });
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
