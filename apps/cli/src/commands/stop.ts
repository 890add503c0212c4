// `domus stop` and `domus down`, which are no commands: a house ends with the process that is it. Who types them is told how.
import type { Command } from 'commander';
import { commonSettings, readSettings } from '@majordomus/runtime';
import { CommandError } from '../failure.ts';
import { flagsOf } from '../flags.ts';
import { findSilent, readRunning } from '../running-house.ts';

export function addStop(program: Command): void {
  for (const name of ['stop', 'down']) {
    program.command(name, { hidden: true }).allowExcessArguments().action((_options: object, command: Command) => {
      const { home } = readSettings({ home: commonSettings.home }, { flags: flagsOf(command), env: process.env });
      const pid = readRunning(home)?.pid;
      const running = pid === undefined ? findSilent(home) : undefined;
      const where = pid === undefined ? (running?.text ?? `no house runs on ${home}`) : `the house of ${home} is process ${pid}: kill ${pid}`;
      throw new CommandError('COMMAND_UNKNOWN', `a house is stopped by Ctrl-C where "domus up" runs, or as a service by systemctl stop majordomus (systemctl --user, if it is one of a user); ${where}`);
    });
  }
}
