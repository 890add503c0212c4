// `domus logs`: the logs of parts and plugins, several as one, of the running house or from the files of the home.
import type { Command } from 'commander';
import { ownersOf } from '../logs/log-owners.ts';
import { addLogsOptions, showLogs, type LogsOptions } from '../logs/shown-logs.ts';
import type { CommandContext } from '../program.ts';

export function addLogs(program: Command, context: CommandContext): void {
  addLogsOptions(program.command('logs').argument('[log...]', 'parts, plugins and the house itself (house); all of them without one'))
    .description('print the logs of parts and plugins, in the order of time')
    .addHelpText('after', `
Examples:
  domus logs                                      the last lines of everything
  domus logs -f broker diskfree                   two of them, and what comes
  domus logs house                                what the house itself did: starts, stops, what it started again
  domus logs --level warn -n 200
While no house runs, they are read from the files of the home.`)
    .action(async (names: string[], options: LogsOptions, command: Command) => {
      await showLogs(context, command, options, ({ known }) => ownersOf(names, known));
    });
}
