// The grammar of the command line (commander: help, mistyped commands, options). Each command is a file in commands/, and only
// the one that is typed is loaded: most of the time that a command takes is loading.
import { Command, Option } from 'commander';
import { commonSettings, majordomusVersion } from '@majordomus/runtime';
import { reportFailure } from './failure.ts';
import { flagsOf } from './flags.ts';
import { styled } from './output.ts';
import { readCliSettings, readHouseSettings, type CliSettings } from './session.ts';

/** What the commands take from the grammar: their settings, read when they run; those of the house that `up` starts, or of one that runs. */
export interface CommandContext {
  readonly settings: (command: Command) => CliSettings;
  readonly houseSettings: (command: Command) => CliSettings;
}

interface CommandFile {
  readonly names: readonly string[];
  readonly load: () => Promise<(program: Command, context: CommandContext) => void>;
}

/** In the order of the help. */
const commandFiles: readonly CommandFile[] = [
  { names: ['up'], load: async () => (await import('./commands/up.ts')).addUp },
  { names: ['run'], load: async () => (await import('./commands/run.ts')).addRun },
  { names: ['call'], load: async () => (await import('./commands/call.ts')).addCall },
  { names: ['services'], load: async () => (await import('./commands/services.ts')).addServices },
  { names: ['status'], load: async () => (await import('./commands/status.ts')).addStatus },
  { names: ['config'], load: async () => (await import('./commands/config.ts')).addConfig },
  { names: ['plugin'], load: async () => (await import('./commands/plugin.ts')).addPlugin },
  { names: ['logs'], load: async () => (await import('./commands/logs.ts')).addLogs },
  { names: ['doctor'], load: async () => (await import('./commands/doctor.ts')).addDoctor },
  { names: ['acknowledge'], load: async () => (await import('./commands/acknowledge.ts')).addAcknowledge },
  { names: ['backup', 'restore'], load: async () => (await import('./commands/backup.ts')).addBackup },
  { names: ['completion', 'complete'], load: async () => (await import('./commands/completion.ts')).addCompletion },
  { names: ['stop', 'down'], load: async () => (await import('./commands/stop.ts')).addStop },
  { names: ['systemd'], load: async () => (await import('./commands/systemd.ts')).addSystemd },
];

export async function runProgram(args: readonly string[]): Promise<void> {
  // `domus … | head` closes the pipe early; that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await (await buildProgram(args)).parseAsync([...args], { from: 'user' });
  } catch (error) {
    reportFailure(error);
  }
}

/** The grammar, as far as `args` need it, or the whole; nothing is run or read yet. */
export async function buildProgram(args: readonly string[] = []): Promise<Command> {
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
  for (const { load } of filesFor(args)) (await load())(program, context);
  nameHelp(program, 'domus');
  return program;
}

/** The file of the command that is typed; all of them where none is, or none of ours: then the commands are told, or the one that was meant. */
function filesFor(args: readonly string[]): readonly CommandFile[] {
  if (args[0] === '--version' || args[0] === '-V') return [];
  const at = commandAt(args);
  const typed = commandFiles.filter(({ names }) => names.includes(args[at] ?? ''));
  if (typed.length === 0) return commandFiles;
  if (args[at] !== 'complete') return typed;
  // What completes a line needs the grammar of that line, too; its last word is not typed to its end.
  const completed = filesFor(args.slice(at + 1, -1));
  return commandFiles.filter((file) => typed.includes(file) || completed.includes(file));
}

/** Where the command stands: every option that may stand before it has a value. */
function commandAt(args: readonly string[]): number {
  let at = 0;
  for (let word = args[at]; word?.startsWith('-'); word = args[at]) at += word === '--' || word.includes('=') ? 1 : 2;
  return at;
}

/** An error of a command points to the help of that very command. */
function nameHelp(command: Command, typed: string): void {
  command.showHelpAfterError(`(see ${typed} --help)`);
  for (const sub of command.commands) nameHelp(sub, `${typed} ${sub.name()}`);
}
