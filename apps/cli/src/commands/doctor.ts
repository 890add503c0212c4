// `domus doctor`: looks at everything that a house needs, whether or not one runs, and says of each that it is ok or what to do.
import type { Command } from 'commander';
import { commonSettings, StartError } from '@majordomus/runtime';
import { checkDatabase, checkHome, checkRoom, checkSettings } from '../doctor/home.ts';
import type { Finding, Patient } from '../doctor/finding.ts';
import { checkHouse, checkKit } from '../doctor/house.ts';
import { checkClock, checkNode, checkSetpriv } from '../doctor/machine.ts';
import { checkPort } from '../doctor/port.ts';
import { checkBackups, checkKeys, checkNotices } from '../doctor/storage.ts';
import { CommandError } from '../failure.ts';
import { flagsOf } from '../flags.ts';
import { printJson, printLine, styled } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { findSilent, readRunning } from '../running-house.ts';
import type { CliSettings } from '../session.ts';

const styles = { ok: 'green', note: 'yellow', problem: 'red' } as const;

export function addDoctor(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .option('--json', 'as JSON')
    .description('look for what is wrong with this machine, this home or this house')
    .addHelpText('after', `
Examples:
  domus doctor
  domus doctor --home ~/house --json
Each line says ok, or what to do. The exit code is 1 if there is any problem; notes are none.`)
    .action(async (options: { json?: boolean }, command: Command) => {
      const findings = await examine(context, command);
      if (options.json === true) printJson(findings);
      else print(findings);
      if (findings.some(({ state }) => state === 'problem')) process.exitCode = 1;
    });
}

async function examine(context: CommandContext, command: Command): Promise<Finding[]> {
  const { patient, wrong } = patientOf(context, command);
  const [clock, database, notices, port, house] = await Promise.all([checkClock(patient), checkDatabase(patient), checkNotices(patient), checkPort(patient), checkHouse(patient)]);
  return [
    ...checkNode(), ...checkSetpriv(), ...clock,
    ...checkSettings(patient.home, wrong), ...checkHome(patient), ...checkRoom(patient), ...database, ...notices, ...checkBackups(patient, Date.now()), ...checkKeys(patient),
    ...port, ...house, ...checkKit(patient),
  ];
}

/** Wrong settings are a finding; what can be known without them is. */
function patientOf({ settings, houseSettings }: CommandContext, command: Command): { readonly patient: Patient; readonly wrong: StartError | undefined } {
  const attempt = (read: (command: Command) => CliSettings): CliSettings | StartError | undefined => {
    try {
      return read(command);
    } catch (error) {
      if (error instanceof StartError) return error;
      if (error instanceof CommandError) return undefined;
      throw error;
    }
  };
  const found = attempt(settings);
  const read = found ?? attempt(houseSettings);
  const known = read instanceof StartError ? undefined : read;
  const home = known?.home ?? homeWithout(command);
  const running = readRunning(home);
  return {
    wrong: read instanceof StartError ? read : undefined,
    patient: { named: namedBy(command), home, running, silent: running === undefined ? findSilent(home) : undefined, settings: known, host: running?.host ?? known?.host ?? commonSettings.host.fallback, broker: found === undefined || found instanceof StartError ? running?.broker : found.broker },
  };
}

function namedBy(command: Command): Patient['named'] {
  const { home, host, broker } = flagsOf(command);
  return { home, host, broker };
}

/** The home, where nothing else can be known: the flag, the variable, the default. */
function homeWithout(command: Command): string {
  const named = commonSettings.home.schema.safeParse(flagsOf(command)['home'] ?? process.env['DOMUS_HOME']);
  return named.success ? named.data : commonSettings.home.fallback;
}

function print(findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ what }) => what.length));
  for (const { what, state, text, todo } of findings) {
    printLine(`${styled(styles[state], state.padEnd('problem'.length))}  ${what.padEnd(width)}  ${text}${todo === undefined ? '' : ` ${styled('bold', `→ ${todo}`)}`}`);
  }
}
