// The grammar of the command line (commander: help, mistyped commands, options). Each command is a file in commands/.
import { Command, Option } from 'commander';
import { commonSettings, majordomusVersion } from '@majordomus/runtime';
import { addAcknowledge } from './commands/acknowledge.ts';
import { addBackup } from './commands/backup.ts';
import { addCall } from './commands/call.ts';
import { addCompletion } from './commands/completion.ts';
import { addConfig } from './commands/config.ts';
import { addDoctor } from './commands/doctor.ts';
import { addLogs } from './commands/logs.ts';
import { addPlugin } from './commands/plugin.ts';
import { addRun } from './commands/run.ts';
import { addServices } from './commands/services.ts';
import { addStatus } from './commands/status.ts';
import { addSystemd } from './commands/systemd.ts';
import { addUp } from './commands/up.ts';
import { reportFailure } from './failure.ts';
import { flagsOf } from './flags.ts';
import { styled } from './output.ts';
import { readCliSettings, readHouseSettings, type CliSettings } from './session.ts';

/** What the commands take from the grammar: their settings, read when they run; those of the house that `up` starts, or of one that runs. */
export interface CommandContext {
  readonly settings: (command: Command) => CliSettings;
  readonly houseSettings: (command: Command) => CliSettings;
}

export async function runProgram(args: readonly string[]): Promise<void> {
  // `domus … | head` closes the pipe early; that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await buildProgram().parseAsync([...args], { from: 'user' });
  } catch (error) {
    reportFailure(error);
  }
}

/** The whole grammar; nothing is run or read yet. */
export function buildProgram(): Command {
  const program = new Command('domus')
    .description('Majordomus, a house of small programs: starts it, and talks to it.')
    .version(majordomusVersion)
    .showSuggestionAfterError()
    .configureHelp({ styleTitle: (title) => styled('bold', title), showGlobalOptions: true })
    .addHelpText('after', `
Examples:
  domus up                                        start the house here; Ctrl-C stops it
  domus status                                    how everything is
  domus call dbmanager config.list                ask a service anything
  domus plugin install ./my-plugin                install a plugin and start it
  domus config set diskfree limit 80              tell a plugin something`);
  for (const { name, description } of Object.values(commonSettings)) {
    program.addOption(new Option(`--${name} <value>`, description));
  }
  const context: CommandContext = {
    settings: (command) => readCliSettings(flagsOf(command)),
    houseSettings: (command) => readHouseSettings(flagsOf(command)),
  };
  for (const add of [addUp, addRun, addCall, addServices, addStatus, addConfig, addPlugin, addLogs, addDoctor, addAcknowledge, addBackup, addCompletion, addSystemd]) add(program, context);
  nameHelp(program, 'domus');
  return program;
}

/** An error of a command points to the help of that very command. */
function nameHelp(command: Command, typed: string): void {
  command.showHelpAfterError(`(see ${typed} --help)`);
  for (const sub of command.commands) nameHelp(sub, `${typed} ${sub.name()}`);
}
