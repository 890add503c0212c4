// `domus run` after global options, and in the help; main.ts runs the plain form before the rest is loaded.
import type { Command } from 'commander';
import { flagsOf } from '../flags.ts';
import { runAlone } from '../run-alone.ts';

export function addRun(program: Command): void {
  program
    .command('run')
    .argument('[part]', 'broker, dbmanager, packagemanager, manager, a program of a plugin, or the folder of a plugin or an app')
    .argument('[flags...]', 'flags of the part')
    .allowUnknownOption()
    .description('run one part alone in this terminal')
    .addHelpText('after', `
Examples:
  domus run broker --bind tcp://127.0.0.1:40410
  domus run dbmanager --log-level debug
  domus run plugins/diskfree
  domus run velbus-simulator --listen tcp://127.0.0.1:40480`)
    .action(async (part: string | undefined, flags: string[], _options: object, command: Command) => {
      const given = Object.entries(flagsOf(command)).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
      await runAlone(part, [...given, ...flags]);
    });
}
