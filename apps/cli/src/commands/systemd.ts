// `domus systemd`: prints the unit that makes systemd keep this house running.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { flagsOf } from '../flags.ts';
import { note, printLine } from '../output.ts';
import { ownCommand } from '../own-files.ts';
import type { CommandContext } from '../program.ts';
import { serviceUser, systemdUnit } from '../systemd-unit.ts';

export function addSystemd(program: Command, { houseSettings }: CommandContext): void {
  program
    .command('systemd')
    .option('--user', 'for your own service manager, as yourself')
    .description('print the systemd unit that keeps the house running')
    .addHelpText('after', `
Examples:
  domus systemd | sudo tee /etc/systemd/system/majordomus.service
  domus systemd --user > ~/.config/systemd/user/majordomus.service
  domus systemd --home /srv/house --host igor      a home and a name of its own
What else "domus up" is to be told stands in majordomus.toml in the home (docs/operating.md).`)
    .action((options: { readonly user?: boolean }, command: Command) => {
      const user = options.user === true;
      const flags = flagsOf(command);
      const settings = houseSettings(command);
      // A service of the whole system has a folder that systemd makes for it, unless it is told of another.
      const home = user || flags['home'] !== undefined ? settings.home : undefined;
      const told = Object.entries({ ...flags, home }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
      printLine(systemdUnit({ user, command: [...ownCommand, 'up', ...told], home }).trimEnd());
      const closed = user ? undefined : ownCommand.map(closedFolder).find((folder) => folder !== undefined);
      if (closed !== undefined) {
        note(`domus: the service would run as ${serviceUser}, which may not look into ${closed}; install Node and Majordomus where every user can read them, or use --user`);
      }
    });
}

/** The folder on the way to a file that only its owner may look into. */
function closedFolder(path: string): string | undefined {
  const folder = dirname(path);
  if (folder === path) return undefined;
  return closedFolder(folder) ?? (((statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & 0o001) === 0 ? folder : undefined);
}
