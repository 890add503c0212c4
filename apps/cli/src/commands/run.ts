// `domus run` in the help; main.ts runs it before the rest is loaded.
import type { Command } from 'commander';
import { runAlone } from '../run-alone.ts';

export function addRun(program: Command): void {
  program
    .command('run')
    .argument('<part>', 'broker, dbmanager, packagemanager, manager, or the folder of a plugin')
    .argument('[flags...]', 'flags of the part')
    .allowUnknownOption()
    .description('run one part alone in this terminal')
    .addHelpText('after', `
Examples:
  domus run broker --bind tcp://127.0.0.1:40410
  domus run dbmanager --log-level debug
  domus run plugins/diskfree`)
    .action(async (part: string, flags: string[]) => runAlone(part, flags));
}
